"""How far extra heads have followed one sequence, and what they need for going on.

A head reads each token together with what the model made of the token before it (its hidden row). So a row waits
until the next token is known, and longer: heads read nothing while nobody wants their guesses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tui.engine.prefix import common_prefix


class Trail:
    """Of one sequence: what is said in it, what the heads hold of it, and the rows behind that."""

    __slots__ = ("_begin", "_nothing", "held", "history", "rows")

    def __init__(self, history: list[int], start: int, nothing: Any) -> None:
        """A trail that begins at token `start`. `nothing` is the row that stands for one that nobody knows."""
        self._nothing = nothing
        self.history = history
        """The list of the task itself, which grows."""
        self.held = self._begin = start + 1 if start else 0
        """Where the next token belongs that the heads read. Those before may be missing at the beginning."""
        self.rows: list[Any] = [] if start else [nothing]
        """The hidden rows of the token before that one, and of all behind it that are known."""

    @property
    def cells(self) -> int:
        """Tokens that the heads hold."""
        return self.held - self._begin

    @property
    def known(self) -> int:
        """Tokens up to which there is a hidden row for each that the heads have not read."""
        return self.held - 1 + len(self.rows)

    def change(self, history: list[int]) -> bool:
        """Go over to another conversation that begins like this one; False if there is nothing left of it."""
        common = common_prefix(self.history, history, self.known)
        if common < self.held:
            self.held, self.rows = common, []
        else:
            del self.rows[common - self.held + 1 :]
        self.history = history
        return common > self._begin

    def add(self, start: int, rows: Sequence[Any]) -> bool:
        """Take the rows of the tokens from `start` on; False if too many are missing before them."""
        if start > self.known + 1:
            return False
        if start > self.known:  # where a conversation was cut, the row before the cut is gone
            self.rows.append(self._nothing)
        place = start - (self.held - 1)
        self.rows = [*self.rows[:place], *rows] if place >= 0 else list(rows[-place:])
        return True

    def unread(self, limit: int) -> tuple[list[int], list[Any]]:
        """Tokens before `limit` that the heads can read now, and their rows."""
        count = max(0, min(self.known + 1, limit) - self.held)
        return self.history[self.held : self.held + count], self.rows[:count]

    def read(self, count: int) -> None:
        """The heads have read so many more."""
        self.held += count
        del self.rows[:count]
