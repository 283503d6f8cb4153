"""Slow work for a value that keeps changing: only the newest one is worth it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Newest(Generic[Value]):
    """Works on one value at a time, and next on the newest that came meanwhile; those between are never begun.

    Work that runs in a thread cannot be cancelled, so that starting it anew with each value would pile it up.
    """

    def __init__(self, work: Callable[[Value], Awaitable[None]]) -> None:
        self._work = work
        self._waiting: list[Value] = []
        self._working = False

    @property
    def overtaken(self) -> bool:
        """Whether a newer value waits, so that what is being found out is out of date."""
        return bool(self._waiting)

    def take(self, value: Value) -> bool:
        """Put a value in the place of the one that waits; whether `run` must be called for it."""
        self._waiting = [value]
        return not self._working

    async def run(self) -> None:
        """Work until no value waits."""
        self._working = True
        try:
            while self._waiting:
                await self._work(self._waiting.pop())
        finally:
            self._working = False
