"""What the Hub says of repositories, as plain values. All texts come from strangers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SortBy = Literal["match", "downloads", "likes", "updated", "created", "trending"]
"""Orders of a search; `match` leaves it to the Hub."""

Gate = Literal["", "auto", "manual"]
"""How one gets into a gated repository: by agreeing, or by being let in; empty for an open one."""


@dataclass(frozen=True, slots=True)
class Repository:
    """One model repository, as a search shows it. Figures are 0 and texts empty where the Hub does not say."""

    id: str
    """`owner/name`."""
    likes: int = 0
    downloads: int = 0
    """In the last 30 days."""
    updated: float = 0.0
    """Seconds since the epoch."""
    created: float = 0.0
    gated: Gate = ""
    private: bool = False
    licence: str = ""
    parameters: int = 0
    architecture: str = ""
    context_length: int = 0
    tags: tuple[str, ...] = ()
    task: str = ""
    """What the Hub calls the pipeline tag, such as `text-generation`."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository."""

    path: str
    """With slashes, below the repository."""
    size: int
    checksum: str = ""
    """`sha256:…` of the bytes, or `git:…`, which is git's name for them; empty where the Hub does not say."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One choice of a repository: a model in one quantisation, with all the files that belong to it."""

    name: str
    """What to call it, unique in its repository: the quantisation, with more of the file name where that is needed."""
    quantization: str
    """As the file name has it; empty where it has none."""
    files: tuple[HubFile, ...]
    """The model's own files; of a split set all parts, in order."""
    projector: HubFile | None = None
    """The file that lets it see or hear."""

    @property
    def all_files(self) -> tuple[HubFile, ...]:
        """Everything to download, the projector first."""
        return ((self.projector,) if self.projector else ()) + self.files

    @property
    def size(self) -> int:
        """Bytes of everything together."""
        return sum(file.size for file in self.all_files)


@dataclass(frozen=True, slots=True)
class RepositoryDetails:
    """All that is asked of one repository."""

    repository: Repository
    revision: str
    """The commit of which the files are."""
    variants: tuple[Variant, ...] = field(repr=False)
    """Smallest first; none in a repository without GGUF files."""
    base_models: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    """Endings of its other model files, such as `safetensors`: they say why there may be nothing to choose."""
    has_readme: bool = False
