"""Attached files, each stored once under the hash of its content.

Messages name them by hash, so that a duplicated thread shares its pictures with the first. A file is on disk
before the message that names it, and goes when the trash is emptied and no message names it any more.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from tui.domain import ImagePart, Part, StorageFailed, TextPart, part_from_json, part_to_json
from tui.threads.identifiers import new_id

_GRACE = 3600.0
"""Seconds that an unused file stays: another process may be about to store the message that names it."""

MISSING_TEXT = "[The attached picture is not on disk any more.]"


class Attachments:
    """The folder of attached files. Raises StorageFailed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Where the file with a hash lies."""
        return self.folder / name[:2] / name

    def keep(self, data: bytes) -> str:
        """Store content, unless it is there already; returns its hash (SHA-256). On disk when this returns."""
        name = hashlib.sha256(data).hexdigest()
        path = self.path(name)
        try:
            if path.exists() and path.stat().st_size == len(data):
                os.utime(path)  # it is in use again: `remove_unused` goes by this time
            else:
                _write_whole(path, data)
        except OSError as error:
            raise StorageFailed(
                f"The attached file cannot be stored in {self.folder}: {error.strerror or error}.",
                "Check that the disk has room and that the folder belongs to you.",
            ) from error
        return name

    def read(self, name: str) -> bytes | None:
        """The content with a hash; `None` if it is gone or damaged."""
        if not _is_hash(name):
            return None
        try:
            return self.path(name).read_bytes()
        except OSError:
            return None

    def to_json(self, part: Part) -> dict[str, Any]:
        """The JSON object that stands for a part in the store; a picture's content becomes a file."""
        if isinstance(part, ImagePart):
            value = part_to_json(ImagePart(b"", part.media_type, part.name))
            del value["data"]
            return {**value, "sha256": self.keep(part.data)}
        return part_to_json(part)

    def from_json(self, value: dict[str, Any]) -> Part:
        """The part that a JSON object in the store stands for."""
        name = value.get("sha256")
        if value.get("type") != "image" or name is None:
            return part_from_json(value)
        data = self.read(str(name))
        if data is None:
            return TextPart(MISSING_TEXT)
        return ImagePart(data, str(value.get("media_type", "")), str(value.get("name", "")))

    def remove_unused(self, connection: sqlite3.Connection) -> int:
        """Remove files that no message names; how many those were."""
        used = {row["hash"] for row in connection.execute("SELECT DISTINCT hash FROM message_attachments")}
        removed = 0
        for path in list(self.folder.glob("??/*")):
            try:
                if path.name not in used and time.time() - path.stat().st_mtime > _GRACE:
                    path.unlink()
                    removed += 1
            except OSError:  # another process was first, or the file is not ours: it stays until the next time
                continue
        return removed


def _is_hash(name: str) -> bool:
    return len(name) == 64 and all(character in "0123456789abcdef" for character in name)


def _write_whole(path: Path, data: bytes) -> None:
    """Put a file in its place so that nobody ever sees a half of it, not even after a power cut."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{new_id()}")
    descriptor = os.open(written, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(written, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Put the folder's new entry on disk; Windows does that by itself and cannot open folders."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
