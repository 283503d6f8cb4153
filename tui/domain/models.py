"""What is known about a model file before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


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
    builtin: bool = False
    """Whether it came with the program."""
    problem: str = ""
    """Why it cannot be used, as a sentence; empty when it can."""

    @property
    def usable(self) -> bool:
        """Whether it is worth trying to load it."""
        return not self.problem


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
