"""Where threads are exported to: a file, a folder, or a ZIP file. What stands there is whole or not there at all."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tui.domain import BadRequest, StorageFailed
from tui.threads.interchange.names import inner_parts


class Folder(Protocol):
    """A folder that files are written into."""

    def write(self, path: str, data: bytes) -> None:
        """Write a file. `path` leads further in and has slashes; any other is refused."""

    def has(self, path: str) -> bool:
        """Whether a file has been written there."""


@contextmanager
def file_target(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A file to write, which takes its place when the block has ended well. Raises StorageFailed and BadRequest."""
    _refuse_taken(path, overwrite=overwrite)
    with _problems_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name[:80]}.{os.getpid()}.tmp")
        try:
            # What it will hold are private conversations.
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            with suppress(OSError):
                temporary.unlink()


@contextmanager
def folder_target(path: Path, *, overwrite: bool) -> Iterator[Folder]:
    """A folder to write, or a ZIP file if the name ends so; it takes its place when the block has ended well.

    With `overwrite` what stands there already goes. Raises StorageFailed and BadRequest.
    """
    if path.suffix.lower() == ".zip":
        with (
            file_target(path, overwrite=overwrite) as temporary,
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            yield _ZipFolder(archive)
        return
    _refuse_taken(path, overwrite=overwrite)
    with _problems_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".lmdeck-export-", dir=path.parent))
        try:
            yield _DiskFolder(temporary)
            if path.is_dir():
                # Renamed first: removing takes time, and an end in the middle of it would leave half.
                path.rename(temporary.with_name(f"{temporary.name}-old"))
            temporary.rename(path)
        finally:
            for left in (temporary, temporary.with_name(f"{temporary.name}-old")):
                shutil.rmtree(left, ignore_errors=True)


def write_beside(path: Path, files: Mapping[str, bytes]) -> None:
    """Write the files that go with an exported document into folders beside it. Raises StorageFailed."""
    for name, data in files.items():
        with _problems_of(path.parent / name):
            _write_inside(path.parent, name, data)


class _DiskFolder:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._written: set[str] = set()

    def write(self, path: str, data: bytes) -> None:
        _write_inside(self._root, path, data)
        self._written.add(path)

    def has(self, path: str) -> bool:
        return path in self._written


class _ZipFolder:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._written: set[str] = set()

    def write(self, path: str, data: bytes) -> None:
        self._archive.writestr("/".join(_inside(path)), data)
        self._written.add(path)

    def has(self, path: str) -> bool:
        return path in self._written


def _write_inside(root: Path, path: str, data: bytes) -> None:
    location = root.joinpath(*_inside(path))
    location.parent.mkdir(parents=True, exist_ok=True)
    # A link that somebody has put there could lead out.
    if not location.parent.resolve().is_relative_to(root.resolve()) or location.is_symlink():
        raise StorageFailed(f"{location} leads out of {root}, so that it was not written.", "Remove the link first.")
    location.write_bytes(data)


def _inside(path: str) -> tuple[str, ...]:
    parts = inner_parts(path)
    if parts is None:
        raise StorageFailed(f"{path!r} is no name of a file within a folder, so that it was not written.")
    return parts


def _refuse_taken(path: Path, *, overwrite: bool) -> None:
    if overwrite or not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    raise BadRequest(f"{path} is there already.", "Choose another name, or allow it to be replaced.", field="target")


@contextmanager
def _problems_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as refused:
        raise StorageFailed(
            f"{path} cannot be written: {refused.strerror or refused}.", "Choose another place, or make room."
        ) from refused
