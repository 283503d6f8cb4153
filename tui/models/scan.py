"""Finds the GGUF files below the model folders, with what is needed to notice that one changed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

SUFFIX: Final = ".gguf"
_PART: Final = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
"""How llama.cpp names the files of a split set (llama_split_path in llama.h)."""
_MOST_PARTS: Final = 1000


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file called like a model. Two that are equal have the same content.

    Times are in nanoseconds; `changed` also moves when permissions change. All are 0 for a link to nothing.
    """

    path: Path
    folder: Path
    """The model folder below which it was found."""
    size: int = 0
    modified: int = 0
    changed: int = 0


@dataclass(frozen=True, slots=True)
class FileSet:
    """The files of one model: one, or the parts of a split set that are there."""

    folder: Path
    stem: str
    """The file name without part number and ending."""
    count: int
    """How many files there should be, by their names."""
    parts: dict[int, FoundFile] = field(hash=False)
    """What there is, by part number from 1, in order."""

    @property
    def place(self) -> str:
        """Where it lies below its folder, with slashes and without part number and ending."""
        directory = next(iter(self.parts.values())).path.parent
        return (directory.relative_to(self.folder) / self.stem).as_posix()


def find_files(folders: Iterable[Path]) -> list[FoundFile]:
    """Every GGUF file below the folders, at any depth, in a fixed order.

    Links are followed; a folder or file that can be reached in several ways comes once. Hidden entries, what cannot
    be listed, and files still being downloaded (which end in something else) are left out.
    """
    seen: set[object] = set()
    found: list[FoundFile] = []
    for folder in folders:
        waiting = [str(folder)]
        while waiting:
            directory = waiting.pop()
            try:
                if _seen_before(os.stat(directory), directory, seen):
                    continue
                with os.scandir(directory) as entries:
                    listed = sorted(entries, key=lambda entry: entry.name)
            except OSError:
                continue
            inner = []
            for entry in listed:
                if entry.name.startswith("."):
                    continue
                if _is_folder(entry):
                    inner.append(entry.path)
                elif entry.name.lower().endswith(SUFFIX):
                    found.extend(_found(entry, folder, seen))
            waiting.extend(reversed(inner))
    return found


def group(files: Iterable[FoundFile]) -> list[FileSet]:
    """The files as models: parts of a split set together, everything else by itself."""
    sets: dict[tuple[Path, str, int], FileSet] = {}
    for file in files:
        stem, number, count = _part_of(file.path.name)
        key = (file.path.parent, stem if count > 1 else file.path.name, count)
        sets.setdefault(key, FileSet(file.folder, stem, count, {})).parts[number] = file
    return list(sets.values())


def set_around(path: Path) -> FileSet:
    """The model that a file outside the model folders belongs to, with the other parts beside it."""
    stem, number, count = _part_of(path.name)
    parts: dict[int, FoundFile] = {}
    for part in range(1, min(count, _MOST_PARTS) + 1):
        other = path if part == number else path.with_name(f"{stem}-{part:05}-of-{count:05}{path.suffix}")
        if other.is_file():
            status = other.stat()
            parts[part] = FoundFile(other, path.parent, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return FileSet(path.parent, stem, count, parts)


def _part_of(name: str) -> tuple[str, int, int]:
    """Stem, part number and count that a file name tells; part 1 of 1 for a plain one."""
    match = _PART.fullmatch(name)
    if match:
        number, count = int(match["number"]), int(match["count"])
        if 1 <= number <= count:
            return match["stem"], number, count
    return name[: -len(SUFFIX)] if name.lower().endswith(SUFFIX) else name, 1, 1


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _found(entry: os.DirEntry[str], folder: Path, seen: set[object]) -> Iterator[FoundFile]:
    path = Path(entry.path)
    try:
        status = entry.stat()
    except OSError:
        # A link to nothing is shown, because somebody who made it expects a model there.
        yield FoundFile(path, folder)
        return
    if not _seen_before(status, entry.path, seen):
        yield FoundFile(path, folder, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _seen_before(status: os.stat_result, path: str, seen: set[object]) -> bool:
    # Windows gives no inode number for the entries of a folder.
    identity = (status.st_dev, status.st_ino) if status.st_ino else path
    if identity in seen:
        return True
    seen.add(identity)
    return False
