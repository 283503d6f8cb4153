"""How fast bytes come: over the last seconds, so that it falls to nothing when nothing comes."""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOW: Final = 10.0
"""Seconds that the rate is an average of."""
_STEP: Final = 0.25
"""Seconds that share one entry."""


class Rate:
    """Counts bytes by the time at which they came, in seconds of any clock that does not go back."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._counts: deque[tuple[float, int]] = deque()

    def add(self, count: int, now: float) -> None:
        """Some bytes have come."""
        if self._began is None:
            self._began = now
        if self._counts and now - self._counts[-1][0] < _STEP:
            self._counts[-1] = (self._counts[-1][0], self._counts[-1][1] + count)
        else:
            self._counts.append((now, count))
        self._drop(now)

    def begin(self, now: float) -> None:
        """A transfer starts: what was before does not count."""
        self._began = now
        self._counts.clear()

    def per_second(self, now: float) -> float:
        """Bytes a second over the last seconds, or since it began where that is less long ago."""
        self._drop(now)
        if self._began is None:
            return 0.0
        span = min(WINDOW, max(now - self._began, _STEP))
        return sum(count for _, count in self._counts) / span

    def _drop(self, now: float) -> None:
        while self._counts and now - self._counts[0][0] > WINDOW:
            self._counts.popleft()
