"""Names for files, made from what people and models called things. None of them can lead out of a folder."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterable

MOST_BYTES = 120
"""Of one name, in UTF-8; file systems allow 255, and endings and numbers are added."""

# Names that mean a device on Windows, whatever their ending.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
_FORBIDDEN = '<>:"/\\|?*'


def file_name(title: str, otherwise: str = "untitled") -> str:
    """A name for a file or folder, as like the title as every file system allows, without an ending."""
    kept = "".join(
        " " if character in _FORBIDDEN or unicodedata.category(character)[0] in "CZ" else character
        for character in unicodedata.normalize("NFC", title)
    )
    name = " ".join(kept.split()).strip(". ")
    while len(name.encode()) > MOST_BYTES:
        name = name[:-1].rstrip(". ")
    if name.split(".")[0].strip().lower() in _DEVICES:
        name = f"_{name}"
    return name or otherwise


def free_name(name: str, ending: str, taken: Container[str]) -> str:
    """The name with its ending, with a number where it is taken; `taken` holds names in lower case."""
    candidate, number = f"{name}{ending}", 2
    # Case is ignored, as it is on many disks.
    while candidate.lower() in taken:
        candidate, number = f"{name} ({number}){ending}", number + 1
    return candidate


def inner_parts(path: str) -> tuple[str, ...] | None:
    """The steps of a relative path with slashes; `None` for one that could lead anywhere else than further in."""
    parts = tuple(path.replace("\\", "/").split("/"))
    return None if not _all_plain(parts) else parts


def is_plain(name: str) -> bool:
    """Whether a name is that of a file in the same folder, and nothing else."""
    return (
        bool(name)
        and name not in (".", "..")
        and not any(character in "/\\:" or ord(character) < 32 for character in name)
        and len(name.encode("utf-8", "replace")) <= 255
    )


def _all_plain(parts: Iterable[str]) -> bool:
    return all(is_plain(part) for part in parts)
