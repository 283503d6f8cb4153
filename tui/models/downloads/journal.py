"""The downloads on disk: one JSON file for each, so that they outlive the program, and a claim beside it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from tui.domain import StorageFailed
from tui.models.downloads.claim import Claim
from tui.models.downloads.records import DownloadState, WantedFile

_ID = re.compile(r"job_[0-9a-f]{10}")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of a download."""

    id: str
    repository: str
    revision: str
    """The commit of which the files are."""
    name: str
    files: tuple[WantedFile, ...]
    state: DownloadState
    started: float
    ended: float = 0.0
    problem: str = ""
    advice: str = ""
    verified: tuple[str, ...] = field(default=())
    """Places of files whose checksum was right."""


class Journal:
    """A folder of entries. What cannot be read is passed over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def entries(self) -> Iterator[Entry]:
        """All that there are, in no order."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return
        for name in names:
            identifier = name.removesuffix(".json")
            if _ID.fullmatch(identifier) and (entry := self.read(identifier)) is not None:
                yield entry

    def read(self, identifier: str) -> Entry | None:
        """One entry as it is now; `None` where there is none, or nothing sensible."""
        try:
            found = _entry(json.loads(self._file(identifier).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return found if found.id == identifier else None

    def write(self, entry: Entry) -> None:
        """Keep an entry. Raises StorageFailed."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary = self._folder / f"{entry.id}.{os.getpid()}.tmp"
            temporary.write_text(json.dumps(asdict(entry), indent=1), encoding="utf-8")
            temporary.replace(self._file(entry.id))
        except OSError as refused:
            raise StorageFailed(
                f"The download cannot be noted in {self._folder}: {refused.strerror or refused}.",
                "Make room there, or let LMDECK_HOME name another folder.",
            ) from refused

    def forget(self, identifier: str) -> None:
        """Remove an entry."""
        with suppress(OSError):
            self._file(identifier).unlink()

    def claim(self, identifier: str) -> Claim:
        """The claim on a download, not yet taken."""
        return Claim(self._folder / f"{identifier}.lock")

    def _file(self, identifier: str) -> Path:
        return self._folder / f"{identifier}.json"


def _entry(value: Any) -> Entry:
    files = tuple(
        WantedFile(str(one["path"]), str(one["place"]), int(one["size"]), str(one["checksum"]))
        for one in value["files"]
    )
    state: DownloadState = value["state"]
    if state not in get_args(DownloadState) or not all(_is_inside(file.place) for file in files):
        raise ValueError("it was not written by lmdeck")
    return Entry(
        id=str(value["id"]),
        repository=str(value["repository"]),
        revision=str(value["revision"]),
        name=str(value["name"]),
        files=files,
        state=state,
        started=float(value["started"]),
        ended=float(value["ended"]),
        problem=str(value["problem"]),
        advice=str(value["advice"]),
        verified=tuple(str(place) for place in value["verified"]),
    )


def _is_inside(place: str) -> bool:
    steps = place.split("/")
    return len(steps) >= 3 and not any(step in ("", ".", "..") or "\\" in step or ":" in step for step in steps)
