"""Guesses that are right as often as a test wants, from answers that it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from tui.engine.batch import Share
from tui.engine.speculation import Speculator
from tui.engine.speculation.payoff import Payoff


class Oracle:
    """A drafter that knows what will be said behind each prompt, and is wrong at every `error`th token."""

    def __init__(self, known: Mapping[tuple[int, ...], Sequence[int]], error: int, longest: int) -> None:
        self._known = known
        self._error = error
        self._longest = longest
        self.calls = 0

    def draft(self, wanted: Sequence[tuple[int, list[int], int]]) -> list[list[int]]:
        """Guesses of varying length."""
        return [self._guess(number, history, most) for number, history, most in wanted]

    def computed(self, shares: Sequence[Share]) -> None:
        """It knows all that already."""

    def forget(self, number: int) -> None:
        """It does not care whom it tells."""

    def close(self) -> None:
        """Nothing to free."""

    def _guess(self, number: int, history: list[int], most: int) -> list[int]:
        self.calls += 1
        for prompt, said in sorted(self._known.items(), key=lambda known: -len(known[0])):
            if tuple(history[: len(prompt)]) == prompt:
                place = len(history) - len(prompt)
                length = min(most, 1 + (self.calls + number) % self._longest)
                guess = list(said[place : place + length])
                return [
                    (token + 1) % 100 if index % self._error == self._error - 1 else token
                    for index, token in enumerate(guess, start=place)
                ]
        return []


def consult(monkeypatch: pytest.MonkeyPatch, oracle: Oracle, most: int = 8) -> None:
    """Have every model that is loaded from now on ask the oracle in every step."""
    guess_always(monkeypatch)
    monkeypatch.setattr("tui.engine.loaded.open_speculator", lambda *_: Speculator(oracle, Payoff(most), 1))


def guess_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have guesses made in every step, whether they pay or not."""
    monkeypatch.setattr(Payoff, "most_tokens", lambda payoff, _number, _rows: payoff._most)
