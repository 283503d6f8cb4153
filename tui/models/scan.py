"""Finds the GGUF files below a folder, with what is needed to notice that one changed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tui.domain import ModelDefaults

SUFFIX: Final = ".gguf"
RECIPE: Final = "model.yaml"
"""The file that describes a virtual model."""
_PART: Final = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
"""How llama.cpp names the files of a split set (llama_split_path in llama.h)."""
_MOST_PARTS: Final = 1000

Seen = set[object]
"""Identities of the folders and files that were found already, so that none is listed twice."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file called like a model. Two that are equal have the same content.

    Times are in nanoseconds; `changed` also moves when permissions change. All are 0 for a link to nothing.
    """

    path: Path
    size: int = 0
    modified: int = 0
    changed: int = 0
    inode: int = 0


@dataclass(frozen=True, slots=True)
class FileSet:
    """The files of one model: one, or the parts of a split set that are there."""

    stem: str
    """The file name without part number and ending."""
    count: int
    """How many files there should be, by their names."""
    parts: dict[int, FoundFile] = field(hash=False)
    """What there is, by part number from 1, in order."""
    place: str
    """Where it lies below its source, with slashes and without part number and ending."""
    home: str
    """What it shares with the projector files that belong to it: their folder or repository."""
    store_name: str = ""
    """What the store calls it, where that is not the name of a file."""
    defaults: ModelDefaults = field(default_factory=ModelDefaults)
    problem: str = ""
    """Why it cannot be used, whatever is in its files."""


@dataclass(slots=True)
class Findings:
    """What lies in one place: sets of model files, and descriptions of virtual models."""

    sets: list[FileSet] = field(default_factory=list)
    recipes: list[FoundFile] = field(default_factory=list)
    problem: str = ""
    """Why the place cannot be looked into; empty where it can, or is not there."""


def walk(folder: Path, seen: Seen) -> tuple[list[FoundFile], list[FoundFile], str]:
    """Every GGUF file below a folder, every `model.yaml`, and why the folder itself cannot be listed.

    Links are followed; a folder or file that can be reached in several ways comes once. Hidden entries, what cannot
    be listed, and files still being downloaded (which end in something else) are left out.
    """
    files: list[FoundFile] = []
    recipes: list[FoundFile] = []
    problem = ""
    waiting = [str(folder)]
    while waiting:
        directory = waiting.pop()
        try:
            if seen_before(os.stat(directory), directory, seen):
                continue
            with os.scandir(directory) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        except OSError as error:
            if directory == str(folder):
                problem = error.strerror or type(error).__name__
            continue
        inner = []
        for entry in listed:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                inner.append(entry.path)
            elif entry.name.lower().endswith(SUFFIX):
                files.extend(found_file(Path(entry.path), seen))
            elif entry.name == RECIPE:
                recipes.extend(found_file(Path(entry.path), seen))
        waiting.extend(reversed(inner))
    return files, recipes, problem


def found_file(path: Path, seen: Seen) -> list[FoundFile]:
    """A file, unless it was found before. A link to nothing comes, because somebody who made it expects a model."""
    try:
        status = os.stat(path)
    except OSError:
        return [FoundFile(path)]
    return [] if seen_before(status, str(path), seen) else [identify(path, status)]


def identify(path: Path, status: os.stat_result) -> FoundFile:
    """The file with what tells when it changes."""
    return FoundFile(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def group(files: Iterable[FoundFile], folder: Path) -> list[FileSet]:
    """The files below a folder as models: parts of a split set together, everything else by itself."""
    sets: dict[tuple[Path, str, int], FileSet] = {}
    for file in files:
        stem, number, count = part_of(file.path.name)
        directory = file.path.parent
        key = (directory, stem if count > 1 else file.path.name, count)
        if key not in sets:
            below = directory.relative_to(folder)
            sets[key] = FileSet(stem, count, {}, (below / stem).as_posix(), str(folder.joinpath(*below.parts[:2])))
        sets[key].parts[number] = file
    return list(sets.values())


def set_around(path: Path) -> FileSet:
    """The model that a file outside the model folders belongs to, with the other parts beside it."""
    stem, number, count = part_of(path.name)
    parts: dict[int, FoundFile] = {}
    for part in range(1, min(count, _MOST_PARTS) + 1):
        other = path if part == number else path.with_name(f"{stem}-{part:05}-of-{count:05}{path.suffix}")
        if other.is_file():
            parts[part] = identify(other, other.stat())
    return FileSet(stem, count, parts, stem, str(path.parent))


def part_of(name: str) -> tuple[str, int, int]:
    """Stem, part number and count that a file name tells; part 1 of 1 for a plain one."""
    match = _PART.fullmatch(name)
    if match:
        number, count = int(match["number"]), int(match["count"])
        if 1 <= number <= count:
            return match["stem"], number, count
    return name[: -len(SUFFIX)] if name.lower().endswith(SUFFIX) else name, 1, 1


def seen_before(status: os.stat_result, path: str, seen: Seen) -> bool:
    """Whether a file or folder was seen under this or another path; from now on it was."""
    # Windows gives no inode number for the entries of a folder.
    identity = (status.st_dev, status.st_ino) if status.st_ino else path
    if identity in seen:
        return True
    seen.add(identity)
    return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
