"""A bounded, numbered record of what the program and its native libraries say."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from itertools import islice


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line. `number` counts from 1 and never repeats; `time` is in seconds since the epoch."""

    number: int
    time: float
    source: str
    level: str
    text: str


class LogRing:
    """The newest lines, for whoever wants to look. Safe to write to from any thread, native ones too."""

    def __init__(self, capacity: int = 5000) -> None:
        self._lines: deque[LogLine] = deque(maxlen=capacity)
        self._written = 0
        self._lock = threading.Lock()

    @property
    def written(self) -> int:
        """How many lines have ever been written; a cheap way to see whether there is something new."""
        return self._written

    def write(self, source: str, level: str, text: str) -> None:
        """Add a line, pushing out the oldest when the ring is full."""
        with self._lock:
            self._written += 1
            self._lines.append(LogLine(self._written, time.time(), source, level, text))

    def lines(self, after: int = 0) -> list[LogLine]:
        """The lines that are still held and have a number above `after`, oldest first."""
        with self._lock:
            skip = len(self._lines) - min(len(self._lines), max(0, self._written - after))
            return list(islice(self._lines, skip, None))
