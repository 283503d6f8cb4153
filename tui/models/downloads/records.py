"""What a download is: one variant of one repository, file by file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

DownloadState = Literal["queued", "downloading", "waiting", "verifying", "paused", "completed", "failed", "cancelled"]
"""`waiting` is between two attempts; `queued` until others have ended."""

ENDED: frozenset[DownloadState] = frozenset({"completed", "failed", "cancelled"})
ACTIVE: frozenset[DownloadState] = frozenset({"queued", "downloading", "waiting", "verifying"})
"""States in which it goes on by itself."""


@dataclass(frozen=True, slots=True)
class WantedFile:
    """One file that a download gets."""

    path: str
    """In the repository."""
    place: str
    """Below the models folder, with slashes."""
    size: int
    checksum: str
    """`sha256:…` or `git:…`; empty where the Hub has none, and only the size can be checked."""


@dataclass(frozen=True, slots=True)
class FileProgress:
    """How far one file is."""

    place: str
    """Below the models folder, with slashes."""
    size: int
    done: int
    """Bytes on disk."""
    verified: bool = False

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.place.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Download:
    """A download at one moment."""

    id: str
    """`job_` and ten hexadecimal digits, as LM Studio writes it."""
    repository: str
    name: str
    """Which variant: its quantisation, or its file's name."""
    state: DownloadState
    files: tuple[FileProgress, ...] = field(repr=False)
    started: float
    """Seconds since the epoch, as is `ended`."""
    ended: float = 0.0
    """0 while it has not ended."""
    rate: float = 0.0
    """Bytes a second over the last ten seconds."""
    problem: str = ""
    """Why it waits or failed, as a sentence; empty while all is well."""
    advice: str = ""
    attempts: int = 0
    """Attempts that brought nothing, in a row."""
    next_attempt: float = 0.0
    """When it tries again, in seconds since the epoch; 0 while it does not wait."""
    elsewhere: bool = False
    """Whether another lmdeck does it; then it can only be looked at."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def done(self) -> int:
        """Bytes of them that are on disk."""
        return sum(file.done for file in self.files)

    @property
    def main_place(self) -> str:
        """The place of the file that is loaded: the first that is no projector."""
        places = [file.place for file in self.files]
        return next((place for place in places if "mmproj" not in place.lower()), places[0])

    @property
    def part(self) -> float:
        """How much of it is done, 0 to 1."""
        return min(1.0, self.done / self.size) if self.size else float(self.state == "completed")

    @property
    def remaining(self) -> float | None:
        """Seconds that the rest takes at the present rate; `None` where nothing comes."""
        return (self.size - self.done) / self.rate if self.rate > 0 else None

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it unless somebody asks."""
        return self.state in ENDED

    @property
    def active(self) -> bool:
        """Whether it goes on by itself."""
        return self.state in ACTIVE
