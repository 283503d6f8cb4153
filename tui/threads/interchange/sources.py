"""Where threads are imported from: a file, a folder of files, or a ZIP file with such a folder in it.

Nothing is unpacked: files are opened where they are, and names out of an archive only become titles of folders.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from tui.domain import StorageFailed
from tui.threads.interchange.names import inner_parts
from tui.threads.interchange.values import MOST_BYTES, Place

MOST_FILES = 200_000
"""Most files in a folder or archive."""

_LEVELS_UP = 12
"""How many folders above a file are searched for one that goes with it."""


class SourceFile(Protocol):
    """A file that may hold threads."""

    @property
    def shown(self) -> str:
        """How people know the file."""

    @property
    def path(self) -> tuple[str, ...]:
        """The folders that it lies in, within what is imported, and its name."""

    def open(self) -> BinaryIO:
        """The content as a stream."""

    def beside(self, path: str) -> bytes | None:
        """The content of a file in the same folder or further in; `None` where there is none."""

    def above(self, folder: str, name: str) -> bytes | None:
        """The content of a file in a folder beside this file or beside one of those around it."""


def source_files(path: Path) -> Iterator[SourceFile]:
    """The files of what shall be imported, in the order of their names. Raises StorageFailed and BadFile."""
    with reading_problems(str(path)):
        if path.is_dir():
            yield from _files_below(path)
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from _members(archive, path.name)
        else:
            # Opened here so that a file which is not there is said to be so.
            path.open("rb").close()
            yield DiskFile(path, (path.name,), path.name)


def read_whole(file: SourceFile) -> bytes:
    """The content of a file that is read at once. Raises BadFile for one that is too large."""
    with reading_problems(file.shown), file.open() as stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        Place(file.shown).fail(f"is larger than {MOST_BYTES // 2**20} MB, which is too much for one document")
    return data


@contextmanager
def reading_problems(shown: str) -> Iterator[None]:
    """Turn what disks and archives raise inside the block into errors that name the file."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as damage:
        # RuntimeError is what the zip library says of encrypted members.
        Place(shown).fail(f"cannot be unpacked: {str(damage).rstrip('.') or 'it is damaged'}")
    except OSError as refused:
        raise StorageFailed(
            f"{shown} cannot be read: {refused.strerror or refused}.", "Nothing of it was imported. Check the name."
        ) from refused


class DiskFile:
    """A file on disk. `path` is where it lies within what is imported."""

    def __init__(self, location: Path, path: tuple[str, ...], shown: str) -> None:
        self._location = location
        self.path = path
        self.shown = _printable(shown)

    def open(self) -> BinaryIO:
        """The content as a stream."""
        return self._location.open("rb")

    def beside(self, path: str) -> bytes | None:
        """The content of a file in the same folder or further in; `None` where there is none."""
        parts = inner_parts(path)
        return None if parts is None else _content(self._location.parent, parts)

    def above(self, folder: str, name: str) -> bytes | None:
        """The content of a file in a folder beside this file or beside one of those around it."""
        parts = inner_parts(name)
        if parts is None:
            return None
        folders = list(self._location.absolute().parents)[:_LEVELS_UP]
        nearest = next((place / folder for place in folders if (place / folder).is_dir()), None)
        return None if nearest is None else _content(nearest, parts)


class ArchivedFile:
    """A file in a ZIP file."""

    def __init__(self, archive: zipfile.ZipFile, name: str, path: tuple[str, ...], shown: str) -> None:
        self._archive = archive
        self._name = name
        self.path = path
        self.shown = _printable(shown)

    def open(self) -> BinaryIO:
        """The content as a stream."""
        # Typed as a text stream by some; it is one of bytes.
        return self._archive.open(self._name)  # type: ignore[return-value]

    def beside(self, path: str) -> bytes | None:
        """The content of a file in the same folder or further in; `None` where there is none."""
        parts = inner_parts(path)
        folder = self._name.rpartition("/")[0]
        return None if parts is None else self._content("/".join(filter(None, (folder, *parts))))

    def above(self, folder: str, name: str) -> bytes | None:
        """The content of a file in a folder beside this file or beside one of those around it."""
        parts = inner_parts(name)
        around = self._name.split("/")[:-1]
        for depth in range(len(around), -1, -1) if parts else ():
            found = self._content("/".join([*around[:depth], folder, *(parts or ())]))
            if found is not None:
                return found
        return None

    def _content(self, name: str) -> bytes | None:
        try:
            with self._archive.open(name) as stream:
                data = stream.read(MOST_BYTES + 1)
        except KeyError:
            return None
        return data if len(data) <= MOST_BYTES else None


def _files_below(root: Path) -> Iterator[SourceFile]:
    count = 0
    # Somebody who names LM Studio's home means the chats in it, not its settings.
    root = root / "conversations" if (root / "conversations").is_dir() else root
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            location = Path(folder) / name
            # A link could bring in files from anywhere, or the same ones again and again.
            if location.is_symlink() or not location.is_file():
                continue
            count += 1
            if count > MOST_FILES:
                Place(str(root)).fail(f"has more than {MOST_FILES:,} files in it")
            inner = location.relative_to(root)
            yield DiskFile(location, inner.parts, str(Path(root.name) / inner))


def _members(archive: zipfile.ZipFile, shown: str) -> Iterator[SourceFile]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > MOST_FILES:
        Place(shown).fail(f"has more than {MOST_FILES:,} files in it")
    for member in sorted(members, key=lambda member: member.filename):
        steps = [step for step in member.filename.replace("\\", "/").split("/") if step not in ("", ".", "..")]
        if steps:
            yield ArchivedFile(archive, member.filename, tuple(steps), f"{shown}/{member.filename}")


def _content(folder: Path, parts: tuple[str, ...]) -> bytes | None:
    location = folder.joinpath(*parts)
    try:
        inside = location.resolve().is_relative_to(folder.resolve())
        if not inside or not location.is_file() or location.stat().st_size > MOST_BYTES:
            return None
        return location.read_bytes()
    except OSError:
        return None


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)[:300]
