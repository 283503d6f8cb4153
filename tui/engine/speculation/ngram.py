"""Guesses that come from the conversation itself: what followed the last time that these words were said."""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.batch import Share

LENGTH = 3
"""Tokens that must have been said before in this order. Shorter ones find more and mislead more."""


class NgramDrafter:
    """Looks up the end of each conversation in all of it. Costs the same for each token, however long it is."""

    def __init__(self) -> None:
        self._indices: dict[int, _Index] = {}

    def draft(self, wanted: Sequence[tuple[int, list[int], int]]) -> list[list[int]]:
        """For each sequence number, history and most tokens: what may come next, or nothing."""
        return [self._indices.setdefault(number, _Index()).guess(history, most) for number, history, most in wanted]

    def computed(self, shares: Sequence[Share]) -> None:
        """Nothing to do: it goes by the histories alone."""

    def forget(self, number: int) -> None:
        """The sequence has another conversation now."""
        self._indices.pop(number, None)

    def close(self) -> None:
        """Nothing to free."""


class _Index:
    """Where each run of tokens of one conversation was followed by another token, the last time."""

    def __init__(self) -> None:
        self._next: dict[tuple[int, ...], int] = {}
        self._read = LENGTH

    def guess(self, history: list[int], most: int) -> list[int]:
        for place in range(self._read, len(history)):
            self._next[tuple(history[place - LENGTH : place])] = place
        self._read = max(self._read, len(history))
        place = self._next.get(tuple(history[-LENGTH:]), 0) if len(history) >= LENGTH else 0
        return history[place : place + most] if place else []
