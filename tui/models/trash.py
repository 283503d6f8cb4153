"""Models that were deleted and can be brought back.

They lie in `.trash` inside the models folder, so that deleting is a matter of names and costs no copy. Each has a
folder with `record.json` and, below `files`, its files where they lay before.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tui.domain import StorageFailed

FOLDER: Final = ".trash"
KEPT_FOR: Final = 7 * 24 * 3600.0
"""Seconds after which a deleted model goes for good."""


@dataclass(frozen=True, slots=True)
class TrashedModel:
    """A model in the trash."""

    id: str
    key: str
    deleted: float
    """Seconds since the epoch."""
    size: int
    """Bytes that emptying gives back."""
    files: tuple[str, ...]
    """Where its files lay, below the models folder."""


class Trash:
    """The trash of one models folder. Every call looks at the disk, so several processes may use it."""

    def __init__(self, models: Path, clock: Callable[[], float] = time.time) -> None:
        self._models = models
        self._folder = models / FOLDER
        self._clock = clock

    def put(self, key: str, files: Sequence[Path]) -> TrashedModel:
        """Move the files of a model into the trash: all of them, or none. Raises StorageFailed."""
        places = [file.relative_to(self._models).as_posix() for file in files]
        size = sum(_size(file) for file in files)
        now = self._clock()
        folder = self._new_folder(now)
        trashed = TrashedModel(folder.name, key, now, size, tuple(places))
        record = {"key": key, "deleted": now, "size": size, "files": places}
        try:
            # The record comes first: what a power cut leaves half moved can be brought back with it.
            (folder / "record.json").write_text(json.dumps(record, indent=1), encoding="ascii")
            self._move([(file, folder / "files" / place) for file, place in zip(files, places, strict=True)])
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise _failed(f"{key} was not deleted", error) from error
        for file in files:
            self._drop_empty(file.parent)
        return trashed

    def items(self) -> list[TrashedModel]:
        """What is in the trash, the last deleted first."""
        try:
            names = os.listdir(self._folder)
        except OSError:
            return []
        found = [item for name in names if (item := self._read(name)) is not None]
        return sorted(found, key=lambda item: (item.deleted, item.id), reverse=True)

    def restore(self, item: TrashedModel) -> None:
        """Put the files back where they were. Raises StorageFailed, also where something else lies there now."""
        folder = self._folder / item.id
        moves = [(folder / "files" / place, self._models / place) for place in item.files]
        moves = [(source, target) for source, target in moves if os.path.lexists(source)]
        if not moves:
            raise StorageFailed(f"{item.key} is no longer in the trash.", "It cannot be brought back.")
        for _, target in moves:
            if os.path.lexists(target):
                raise StorageFailed(f"{item.key} was not brought back: {target} is there already.", "Move that away.")
        try:
            self._move(moves)
        except OSError as error:
            raise _failed(f"{item.key} was not brought back", error) from error
        shutil.rmtree(folder, ignore_errors=True)

    def empty(self, older_than: float = 0.0) -> int:
        """Delete for good what has been in the trash for so many seconds; the bytes that gives back."""
        freed = 0
        for item in self.items():
            if self._clock() - item.deleted >= older_than:
                shutil.rmtree(self._folder / item.id, ignore_errors=True)
                freed += item.size
        return freed

    def _new_folder(self, now: float) -> Path:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
        for number in range(1000):
            folder = self._folder / (f"{stamp}-{number}" if number else stamp)
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise _failed("Nothing was deleted", error) from error
            return folder
        raise StorageFailed(f"Nothing was deleted: {self._folder} is full of folders.", "Empty the trash.")

    def _move(self, moves: Sequence[tuple[Path, Path]]) -> None:
        """Rename everything, or nothing."""
        done: list[tuple[Path, Path]] = []
        try:
            for source, target in moves:
                target.parent.mkdir(parents=True, exist_ok=True)
                source.rename(target)
                done.append((source, target))
        except OSError:
            for source, target in reversed(done):
                source.parent.mkdir(parents=True, exist_ok=True)
                target.rename(source)
            raise

    def _drop_empty(self, folder: Path) -> None:
        """Remove a folder that has become empty, and those above it."""
        while folder != self._models and folder.is_relative_to(self._models):
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def _read(self, name: str) -> TrashedModel | None:
        try:
            value: Any = json.loads((self._folder / name / "record.json").read_bytes())
            files = tuple(str(place) for place in value["files"])
            if any(Path(place).is_absolute() or ".." in Path(place).parts for place in files):
                return None
            return TrashedModel(name, str(value["key"]), float(value["deleted"]), int(value["size"]), files)
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None


def _size(file: Path) -> int:
    """Bytes that the file takes; those of a link are its own."""
    try:
        status = os.lstat(file)
    except OSError:
        return 0
    return status.st_size if status.st_nlink == 1 else 0


def _failed(what: str, error: OSError) -> StorageFailed:
    return StorageFailed(
        f"{what}: {error.strerror or type(error).__name__}.", "Check the disk and who may write there."
    )
