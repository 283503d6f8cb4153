"""Attachments of LM Studio's conversations, which lie in a folder beside them and are named by an identifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tui.domain import FilePart, ImagePart

USER_FILES = "user-files"
"""The folder for attachments; it stands beside the folder `conversations`."""

FindFile = Callable[[str], ImagePart | FilePart | None]
"""Looks an attachment up by its `fileIdentifier`; `None` where it is gone, or no picture and no text."""

_ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif"}


@dataclass(slots=True)
class FileShelf:
    """The attachments that go with a conversation which is being written, by identifier."""

    made_at: int
    """Milliseconds since the epoch that new identifiers begin with, as LM Studio's do."""
    files: dict[str, ImagePart | FilePart] = field(default_factory=dict)

    def put(self, file: ImagePart | FilePart, identifier: str = "") -> str:
        """Add a file and give its identifier: the one it came with, unless another file has taken that."""
        number = len(self.files)
        while not identifier or self.files.get(identifier, file) != file:
            number += 1
            identifier = f"{self.made_at} - {number}{_ending(file)}"
        self.files[identifier] = file
        return identifier


def content_of(file: ImagePart | FilePart) -> bytes:
    """What stands in the file on disk."""
    return file.data if isinstance(file, ImagePart) else file.text.encode("utf-8", "replace")


def file_type(file: ImagePart | FilePart) -> str:
    """LM Studio's `fileType` for a file."""
    if isinstance(file, ImagePart):
        return "image"
    return "text/plain" if _ending(file) == ".txt" else "text/other"


def _ending(file: ImagePart | FilePart) -> str:
    name, dot, ending = file.name.rpartition(".")
    if dot and name and ending.isalnum() and len(ending) <= 8:
        return f".{ending}"
    return _ENDINGS.get(file.media_type, "") if isinstance(file, ImagePart) else ".txt"
