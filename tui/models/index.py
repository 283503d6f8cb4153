"""Remembers what the headers of files say, so that a start need not read hundreds of them again.

Walking over a vocabulary is most of the time that a header takes; a record of one takes a few microseconds. The index
is made again whenever it is missing, damaged or of another version of the program.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from tui.models.describe import Abilities, Reading
from tui.models.gguf import GgufHeader
from tui.models.scan import FoundFile

_SKIPPED: Final = ("tensors", "arrays", "chat_template")
_PLAIN: Final = tuple(field.name for field in fields(GgufHeader) if field.name not in _SKIPPED)
_FORMAT: Final = [1, *_PLAIN]
"""Another layout of the header makes another format, so that an old index is never misread."""


class Index:
    """The descriptions of files by what identifies their content, and what templates can do. Not thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._records: dict[str, Any] = {}
        self._templates: dict[str, Any] = {}
        self._read()

    def reading(self, file: FoundFile) -> Reading | None:
        """What was found out about a file; `None` where nothing is known of it as it is now."""
        record = self._records.get(str(file.path))
        try:
            if record is None or record["file"] != _identity(file):
                return None
            template = self._templates[record["template"]]["text"] if record["template"] else ""
            arrays = {name: (int(kind), int(length)) for name, (kind, length) in record["arrays"].items()}
            plain = dict(zip(_PLAIN, record["header"], strict=True))
            return Reading(GgufHeader(**plain, tensors=(), arrays=arrays, chat_template=template))
        except (LookupError, TypeError, ValueError, AttributeError):
            return None

    def abilities(self) -> dict[str, Abilities]:
        """What templates can do, by their texts."""
        found = {}
        with contextlib.suppress(LookupError, TypeError, AttributeError):
            for record in self._templates.values():
                if record["can"] is not None:
                    found[str(record["text"])] = Abilities(bool(record["can"][0]), bool(record["can"][1]))
        return found

    def save(self, readings: Mapping[FoundFile, Reading], abilities: Mapping[str, Abilities]) -> None:
        """Keep all that is known now. A file with a problem is read again next time, since that may have gone.

        A disk that refuses costs time at the next start, and nothing else.
        """
        templates: dict[str, Any] = {}
        records: dict[str, Any] = {}
        for file, reading in readings.items():
            header = reading.header
            if header is None or not file.size:
                continue
            digest = _digest(header.chat_template) if header.chat_template else ""
            if digest and digest not in templates:
                can = abilities.get(header.chat_template)
                templates[digest] = {
                    "text": header.chat_template,
                    "can": None if can is None else [can.tools, can.thinks],
                }
            records[str(file.path)] = {
                "file": _identity(file),
                "header": [getattr(header, name) for name in _PLAIN],
                "arrays": {name: list(array) for name, array in header.arrays.items()},
                "template": digest,
            }
        self._records, self._templates = records, templates
        text = json.dumps({"format": _FORMAT, "templates": templates, "files": records})
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Names of files need not be Unicode.
            temporary.write_text(text, encoding="ascii")
            temporary.replace(self._path)

    def _read(self) -> None:
        try:
            value = json.loads(self._path.read_bytes())
            if value["format"] == _FORMAT and isinstance(value["files"], dict) and isinstance(value["templates"], dict):
                self._records, self._templates = value["files"], value["templates"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return


def _identity(file: FoundFile) -> list[int]:
    return [file.size, file.modified, file.changed, file.inode]


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
