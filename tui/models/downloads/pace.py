"""Whether a file comes fast enough, or another connection should be tried.

A server may send a few bytes a second for hours: that is no silence, so no timeout ends it, while a fresh connection
often has the whole line again. On a line that is slow itself a fresh one helps nobody; trying finds that out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_BETTER: Final = 1.5
"""How many times as fast another connection has to be to count as an improvement: rates waver by less."""


class Pace:
    """Measures one file window by window, over all its attempts."""

    def __init__(
        self, wanted: float, window: float, most_tries: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`wanted` is in bytes a second, `window` in seconds. After `most_tries` connections that were no faster than
        those before, what the best of them gave is good enough."""
        self._wanted = wanted
        self._window = window
        self._most_tries = most_tries
        self._clock = clock
        self._enough = wanted
        self._best = 0.0
        self._tries = 0
        self._began = clock()
        self._count = 0

    def begin(self) -> None:
        """An attempt begins to bring bytes."""
        self._began, self._count = self._clock(), 0

    def add(self, count: int) -> float | None:
        """Some bytes have come. The rate, in bytes a second, when another connection should be tried because of it."""
        self._count += count
        elapsed = self._clock() - self._began
        if elapsed < self._window:
            return None
        rate = self._count / elapsed
        self.begin()
        return rate if self._is_too_slow(rate) else None

    def _is_too_slow(self, rate: float) -> bool:
        if rate >= self._enough:
            self._best, self._tries = 0.0, 0
            if rate >= self._wanted:
                self._enough = self._wanted
            return False
        if rate > _BETTER * self._best:
            self._best, self._tries = rate, 0
        else:
            self._tries += 1
        if self._tries < self._most_tries:
            return True
        # Half of the best, as the rate of a slow line wavers, too.
        self._enough = self._best / 2
        self._best, self._tries = 0.0, 0
        return rate < self._enough
