"""Keeping native memory alive for as long as some thread is inside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tui.domain import EngineFault


class Lifetime:
    """Lets many threads use a thing at once, and its owner wait until none does before freeing it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._users = 0
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether nobody is let in any more."""
        return self._ended

    @contextmanager
    def use(self) -> Iterator[None]:
        """Hold the thing for the length of a `with` block. Raises EngineFault if it is gone already."""
        with self._changed:
            if self._ended:
                raise EngineFault("The model was unloaded.", "Load it again.")
            self._users += 1
        try:
            yield
        finally:
            with self._changed:
                self._users -= 1
                self._changed.notify_all()

    def end(self) -> None:
        """Let nobody in any more, and wait until everybody is out."""
        with self._changed:
            self._ended = True
            self._changed.wait_for(lambda: self._users == 0)
