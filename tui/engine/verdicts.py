"""What the probe and the self-test found out, kept on disk so that it is found out once."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

# Enough for every model of a large library with a few sets of parameters each; a small file all the same.
_MOST_ENTRIES = 1000


class VerdictStore:
    """A small persistent mapping of text keys to JSON values. Losing the file costs time, nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._entries: dict[str, Any] | None = None

    def get(self, key: str) -> Any:
        """The value that was put, or `None`."""
        with self._lock:
            return self._read().get(key)

    def put(self, key: str, value: Any) -> None:
        """Remember a JSON value. A disk that refuses is ignored: the verdict then lasts as long as the process."""
        with self._lock:
            entries = self._read()
            entries.pop(key, None)
            entries[key] = value
            for oldest in list(entries)[: max(0, len(entries) - _MOST_ENTRIES)]:
                del entries[oldest]
            with suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
                temporary.write_text(json.dumps(entries), encoding="utf-8")
                temporary.replace(self._path)

    def _read(self) -> dict[str, Any]:
        if self._entries is None:
            self._entries = {}
            with suppress(OSError, ValueError):
                found = json.loads(self._path.read_text(encoding="utf-8"))
                if isinstance(found, dict):
                    self._entries = found
        return self._entries
