"""Small choices that outlive the program: theme, keys, what was open. A JSON file that people may edit."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any


class Settings:
    """A flat mapping of names to JSON values. Reading is cheap; every change goes to disk at once, atomically."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._values: dict[str, Any] | None = None
        self.problem = ""
        """Why the file could not be read or written, as a sentence; empty while all is well."""

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a setting, or `default` where it was never set."""
        with self._lock:
            return self._read().get(name, default)

    def set(self, name: str, value: Any) -> None:
        """Change a setting. Where the disk refuses, the change lasts until the program ends and `problem` says so."""
        with self._lock:
            values = self._read()
            if name in values and values[name] == value:
                return
            values[name] = value
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
                temporary.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
                temporary.replace(self._path)
            except OSError as refused:
                self.problem = f"Settings could not be saved to {self._path}: {refused.strerror or refused}."

    def _read(self) -> dict[str, Any]:
        if self._values is None:
            self._values = {}
            try:
                found = json.loads(self._path.read_text(encoding="utf-8"))
                if not isinstance(found, dict):
                    raise ValueError("it does not hold a JSON object")
                self._values = found
            except FileNotFoundError:
                pass
            except (OSError, ValueError) as damage:
                self.problem = f"{self._path} could not be read ({damage}); it was set aside and defaults are used."
                self._set_aside()
        return self._values

    def _set_aside(self) -> None:
        """Keep what a person may have written by hand before a new file takes its place."""
        try:
            self._path.replace(self._path.with_suffix(".damaged.json"))
        except OSError:
            return
