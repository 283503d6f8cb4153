"""What is known about a model file before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tui.domain.custom_fields import CustomField, Suggestion

BUILT_IN = "built-in"
"""The source of the models that came with the program."""


@dataclass(frozen=True, slots=True)
class ModelDefaults:
    """What comes with a model beside its file, from a `model.yaml` or from the store that it lies in."""

    values: tuple[tuple[str, Any], ...] = ()
    """By dotted keys, such as `load.context_length`, `sampling.temperature` or `answer.system_prompt`."""


_NO_DEFAULTS = ModelDefaults()


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model of the catalogue: one GGUF file, or the first of a split set.

    Header figures are 0 or empty where the file does not say, or cannot be read.
    """

    key: str
    """The short name that people type, unique in the catalogue."""
    path: Path
    """The file to load; the first one of a split set."""
    size: int
    """Bytes on disk, all files of a split set together."""
    files: tuple[Path, ...] = ()
    """Every file that belongs to it, in order."""
    publisher: str = ""
    name: str = ""
    architecture: str = ""
    quantization: str = ""
    parameters: int = 0
    layers: int = 0
    context_length: int = 0
    """The longest context it was trained for, in tokens."""
    vocabulary_size: int = 0
    chat_template: str = ""
    experts: int = 0
    """Experts of each layer of a mixture; 0 for a model that is none."""
    experts_used: int = 0
    """How many of them are asked for each token."""
    embeds: bool = False
    """Whether it is made for vectors or scores instead of answers."""
    modified: float = 0.0
    """Seconds since the epoch, of the newest file."""
    remote: str = ""
    """Name of the remote engine that has the model; empty for a file of this machine."""
    source: str = ""
    """The program or folder whose files these are, such as `Ollama`."""
    store_name: str = ""
    """What that program calls the model; empty where it has no name for it."""
    family: str = ""
    """The name that its variants share. As a name it means one of them."""
    variant: str = ""
    """What tells it from the others of its family, such as `q4_k_m`; empty for one that has no such name."""
    tools: bool = False
    """Whether its template tells the model of tools."""
    thinks: bool = False
    """Whether it reasons before it answers."""
    sees: bool = False
    """Whether a projector file that reads images belongs to it."""
    projectors: tuple[Path, ...] | None = None
    """Projector files that may belong to it; `None` where nobody has looked for them."""
    base: str = ""
    """For a virtual model: the key of the model whose files it uses."""
    recipe: Path | None = None
    """The `model.yaml` of a virtual model."""
    defaults: ModelDefaults = _NO_DEFAULTS
    custom_fields: tuple[CustomField, ...] = ()
    """For a virtual model: what its maker lets people choose."""
    suggestions: tuple[Suggestion, ...] = ()
    """For a virtual model: what its maker recommends."""
    problem: str = ""
    """Why it cannot be used, as a sentence; empty when it can."""

    @property
    def usable(self) -> bool:
        """Whether it is worth trying to load it."""
        return not self.problem

    @property
    def builtin(self) -> bool:
        """Whether it came with the program."""
        return self.source == BUILT_IN

    def is_same_as(self, other: ModelInfo) -> bool:
        """Whether both are one model, under whatever names: a virtual model is another one than that whose file it
        uses."""
        return (self.path, self.recipe, self.remote) == (other.path, other.recipe, other.remote)

    @property
    def variant_key(self) -> str:
        """The name of a variant as `family@variant`; the key of a model that is none."""
        return f"{self.family}@{self.variant}" if self.family and self.variant else self.key


@dataclass(frozen=True, slots=True)
class ModelVocabulary:
    """The tokenizer that a model file describes, as it stands in its header (`tokenizer.ggml.*`)."""

    kind: str
    """`gpt2` for byte-level BPE, `llama` for SentencePiece, and so on."""
    pre_tokenizer: str
    """The name of the rules by which BPE cuts text into words; empty where the file does not say."""
    tokens: tuple[str, ...] = field(repr=False)
    types: tuple[int, ...] = field(repr=False)
    """For each token llama.h's `llama_token_type`: 1 normal, 3 control, 4 user-defined; empty where there are none."""
    merges: tuple[str, ...] = field(repr=False)
    """Pairs of tokens with a space between them, the first to be merged first."""
    special: Mapping[str, int] = field(default_factory=dict)
    """Tokens with a role: the key without `tokenizer.ggml.` and `_token_id`, such as `bos` or `fim_pre`."""
    model_name: str = ""
