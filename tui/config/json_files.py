"""JSON files that people may edit: read with an explanation of what is wrong, written whole or not at all."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui.domain import StorageFailed

# A file of settings is a few kilobytes; anything far larger is something else under this name.
_LARGEST = 16 * 2**20


def read_object(path: Path) -> dict[str, Any]:
    """The object that a file holds. Raises StorageFailed that names the file, and FileNotFoundError."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"it is larger than {_LARGEST // 2**20} MB")
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it does not hold a JSON object")
    except FileNotFoundError:
        raise
    except OSError as refused:
        raise StorageFailed(f"{path} cannot be read: {refused.strerror or refused}.") from refused
    except (ValueError, RecursionError) as damage:
        raise StorageFailed(f"{path} is damaged: {damage}.", "Correct it, or take it away.") from damage
    return found


def write_object(path: Path, value: dict[str, Any]) -> None:
    """Put a new file in the place of the old one, which stays whole if that fails. Raises StorageFailed."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    temporary = path.with_name(f".{path.name[:200]}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as refused:
        with suppress(OSError):
            temporary.unlink()
        raise StorageFailed(f"{path} cannot be written: {refused.strerror or refused}.") from refused
