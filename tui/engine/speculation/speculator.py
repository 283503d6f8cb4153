"""Asks a drafter for guesses, as far as they pay."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from tui.engine.batch import Share
from tui.engine.speculation.payoff import Payoff


class Drafter(Protocol):
    """Whoever can guess."""

    def draft(self, wanted: Sequence[tuple[int, list[int], int]]) -> list[list[int]]:
        """For each sequence number, history and most tokens: what may come next, or nothing."""

    def computed(self, shares: Sequence[Share]) -> None:
        """The model has just computed these; what they gave is there until it computes again."""

    def forget(self, number: int) -> None:
        """The sequence has another conversation now."""

    def close(self) -> None:
        """Free what it holds."""


class Speculator:
    """One model's guesses. Used by the engine thread only."""

    def __init__(self, drafter: Drafter, payoff: Payoff, least: int) -> None:
        self._drafter = drafter
        self._payoff = payoff
        self._least = max(1, least)
        self._drafting_time = 0.0
        self._asked: set[int] = set()
        """The sequences that were guessed for in the last step."""
        self._caught_up = True
        """Whether the last guesses cost what all will: a drafter that is asked anew reads what it has missed first."""

    def propose(self, running: Sequence[tuple[int, list[int]]]) -> list[list[int]]:
        """Guesses for each sequence number and its history, the token that is not computed yet included."""
        started = time.perf_counter()
        wanted = [
            (number, history, most)
            for number, history in running
            if (most := self._payoff.most_tokens(number, len(running))) >= self._least
        ]
        asked = {number for number, _, _ in wanted}
        self._caught_up, self._asked = asked <= self._asked, asked
        drafts = (
            dict(zip((number for number, _, _ in wanted), self._drafter.draft(wanted), strict=True)) if wanted else {}
        )
        self._drafting_time = time.perf_counter() - started
        found = [drafts.get(number, []) for number, _ in running]
        return [draft if len(draft) >= self._least else [] for draft in found]

    def computed(self, shares: Sequence[Share]) -> None:
        """The model has just computed these shares of a step, and nobody has looked at the results yet."""
        self._drafter.computed(shares)

    def verified(self, number: int, offered: int, accepted: int) -> None:
        """How many of the tokens that were guessed for a sequence were right."""
        self._payoff.verified(number, offered, accepted)

    def stepped(self, seconds: float, sequences: int, drafted: int) -> None:
        """What the step cost that checked the guesses."""
        if self._caught_up:
            self._payoff.stepped(seconds + self._drafting_time, sequences, drafted)
        self._drafting_time, self._caught_up = 0.0, True  # the next step may go without being asked

    def forget(self, number: int) -> None:
        """The sequence has another conversation now."""
        self._asked.discard(number)
        self._payoff.forget(number)
        self._drafter.forget(number)

    def close(self) -> None:
        """Free what the drafter holds."""
        self._drafter.close()
