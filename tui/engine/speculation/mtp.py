"""Guesses of extra heads that a model brings along (multi-token prediction, MTP).

The heads go by what the model itself has made of the text, so they must hear of everything that it computes. What
it took over from its cache instead, they have not seen: their guesses are worse then, and answers the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tui.engine.batch import Share
from tui.engine.loading import OpenModel
from tui.engine.speculation.head import Head, Part
from tui.engine.speculation.trail import Trail

# Hidden rows that a sequence may pile up while nobody asks for guesses. Reading many at once costs little more than
# reading one; each takes some 10 to 30 KB.
_MOST_UNREAD = 64


class MtpDrafter:
    """Follows every sequence and guesses greedily. Used by the engine thread only."""

    def __init__(self, opened: OpenModel, least_probability: float) -> None:
        import numpy

        self._head = Head(opened, least_probability)
        self._context_length = opened.context_length
        self._nothing = numpy.zeros(self._head.width, numpy.float32)
        self._trails: dict[int, Trail] = {}

    @property
    def longest(self) -> int | None:
        """Tokens of the longest guess that the heads can make; `None` for no limit."""
        return self._head.longest

    def draft(self, wanted: Sequence[tuple[int, list[int], int]]) -> list[list[int]]:
        """For each sequence number, history and most tokens: what may come next, or nothing."""
        limits = {number: self._limit(history, most) for number, history, most in wanted}
        going = {number: self._trails[number] for number, history, _ in wanted if self._can_guess(number, history)}
        drafts: dict[int, list[int]] = {number: [] for number, _, _ in wanted}
        unread = {number: len(trail.history) - 1 for number, trail in going.items()}
        if self._read(unread, reserve=sum(map(limits.__getitem__, going))):
            chains = {
                number: ([trail.history[-1]], trail.rows[:1]) for number, trail in going.items() if limits[number] > 0
            }
            self._guess(chains, drafts, limits)
        return [drafts[number] for number, _, _ in wanted]

    def computed(self, shares: Sequence[Share]) -> None:
        """Take what the model made of these tokens."""
        if any(share.chunk is not None for share in shares):  # images have no tokens that could be read
            for share in shares:
                self._drop(share.sequence.number)
            return
        hidden = self._head.hidden_rows(sum(share.size for share in shares))
        if hidden is None:
            return
        row, long = 0, {}
        for share in shares:
            rows = hidden[row : row + share.size]
            row += share.size
            trail = self._follow(share, list(rows) if share.reads_prompt else [each.copy() for each in rows])
            if trail is not None and (share.reads_prompt or len(trail.rows) > _MOST_UNREAD):
                long[share.sequence.number] = len(trail.history)
        self._read(long)
        for number in long:  # the model will write over these rows
            if number in self._trails:
                self._trails[number].rows = [each.copy() for each in self._trails[number].rows]

    def forget(self, number: int) -> None:
        """Another task has the sequence; whether it goes on with the same text is seen when it is computed."""

    def close(self) -> None:
        """Nothing to free: the context belongs to the model."""

    def _limit(self, history: list[int], most: int) -> int:
        longest = most if self._head.longest is None else min(most, self._head.longest)
        return max(0, min(longest, self._context_length - len(history)))

    def _can_guess(self, number: int, history: list[int]) -> bool:
        trail = self._trails.get(number)
        return trail is not None and trail.history is history and trail.held < len(history) <= trail.known + 1

    def _follow(self, share: Share, rows: list[Any]) -> Trail | None:
        """The trail of a sequence, with new rows behind it."""
        number, task, start = share.sequence.number, share.sequence.task, len(share.sequence.tokens)
        if task is None or share.sequence.media is not None:
            self._drop(number)
            return None
        trail = self._trails.get(number)
        if trail is not None and trail.history is not task.history:
            if not trail.change(task.history):
                self._drop(number)
                trail = None
            else:
                self._head.cut(number, trail.held)
        if trail is None or not trail.add(start, rows):
            self._drop(number)
            trail = self._trails[number] = Trail(task.history, start, self._nothing)
            trail.add(start, rows)
        return trail

    def _read(self, limits: dict[int, int], reserve: int = 0) -> bool:
        """Have the heads read what they can of these sequences, each before a limit. False if all is forgotten.

        `reserve` is how many cells must be free afterwards.
        """
        parts = []
        for number, limit in limits.items():
            tokens, rows = self._trails[number].unread(limit)
            parts.append(Part(number, self._trails[number].held, tokens, rows))
        taken = sum(trail.cells for trail in self._trails.values()) + sum(len(part.tokens) for part in parts)
        if taken + reserve > self._head.cells:
            for number in [number for number in self._trails if number not in limits]:
                self._drop(number)
        if not self._head.read(parts):
            self._drop_all()
            return False
        for part in parts:
            self._trails[part.number].read(len(part.tokens))
        return True

    def _guess(
        self, chains: dict[int, tuple[list[int], list[Any]]], drafts: dict[int, list[int]], limits: dict[int, int]
    ) -> None:
        """Add guesses to the drafts; a chain has the tokens from the last known one on, and their hidden rows."""
        begins = {number: len(self._trails[number].history) - 1 for number in chains}
        going = dict(chains)
        link = 0
        while going:
            parts = []
            for number, (tokens, rows) in going.items():
                first = 0 if self._head.chained else link
                parts.append(Part(number, begins[number] + first, tokens[first:], rows[first:]))
            found = self._head.guess(parts, link)
            if found is None:
                self._drop_all()
                return
            for number, (token, hidden) in zip(list(going), found, strict=True):
                if token < 0:
                    del going[number]
                    continue
                drafts[number].append(token)
                going[number][0].append(token)
                going[number][1].append(hidden)
                if len(drafts[number]) >= limits[number]:
                    del going[number]
            link += 1
        for number, begin in begins.items():
            # The first of a chain's heads alone has read the last token, a single head has read it for good.
            if not self._head.chained:
                self._trails[number].read(1)
            self._head.cut(number, begin if self._head.chained else begin + 1)

    def _drop(self, number: int) -> None:
        if self._trails.pop(number, None) is not None:
            self._head.cut(number, 0)

    def _drop_all(self) -> None:
        for number in list(self._trails):
            self._drop(number)
