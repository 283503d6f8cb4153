"""Remembers when each model was used last, and which ones a person pinned."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tui.domain import ModelInfo, StorageFailed

_WRITE_AFTER: Final = 60.0
"""Seconds between two notes of the same model: a chat uses it every few seconds."""


class Usage:
    """A small JSON file, read at the first question. Safe to use from several threads.

    Models are known by their files, because their names may change when other files come.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[str, float] = {}
        self._pinned: list[str] = []
        self._known = False

    def last_used(self, model: ModelInfo) -> float:
        """When it was used last, in seconds since the epoch; 0 for never."""
        with self._lock:
            self._read()
            return self._used.get(identity(model), 0.0)

    def pinned(self, model: ModelInfo) -> bool:
        """Whether it is to stand before the others."""
        with self._lock:
            self._read()
            return identity(model) in self._pinned

    def note(self, model: ModelInfo) -> None:
        """Remember that a model is used now. A disk that refuses is of no consequence here."""
        with self._lock:
            self._read()
            name, now = identity(model), self._clock()
            if abs(now - self._used.get(name, 0.0)) < _WRITE_AFTER:
                return
            self._used[name] = now
            with contextlib.suppress(StorageFailed):
                self._write()

    def pin(self, model: ModelInfo, value: bool) -> None:
        """Pin a model, or let it go. Raises StorageFailed where that cannot be kept."""
        with self._lock:
            self._read()
            name = identity(model)
            before = list(self._pinned)
            self._pinned = [other for other in self._pinned if other != name] + ([name] if value else [])
            try:
                if self._pinned != before:
                    self._write()
            except StorageFailed:
                self._pinned = before
                raise

    def _read(self) -> None:
        if self._known:
            return
        self._known = True
        try:
            value: Any = json.loads(self._path.read_text(encoding="utf-8"))
            used, pinned = value.get("used", {}), value.get("pinned", [])
            self._used = {str(name): float(when) for name, when in used.items()}
            self._pinned = [str(name) for name in pinned]
        except (OSError, ValueError, AttributeError, TypeError, RecursionError):
            # Nothing in it is worth a question: it fills again by itself.
            return

    def _write(self) -> None:
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({"used": self._used, "pinned": self._pinned}, indent=1), encoding="ascii")
            temporary.replace(self._path)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise StorageFailed(f"{self._path} could not be written: {reason}.", "Check the disk.") from error


def identity(model: ModelInfo) -> str:
    """What a model is known by however it is called: its file, or its own name where it is virtual."""
    return f"virtual:{model.key}" if model.base else str(model.path)
