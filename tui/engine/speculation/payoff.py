"""Whether guessing pays on this machine and for this text, found out while it runs."""

from __future__ import annotations

# Weight of the newest measurement in the running averages.
_WEIGHT = 0.25
# How likely a guess is held to be right before anything is known. Optimistic, since only trying can tell.
_FIRST_ACCEPTANCE = 0.7
# Tokens of the first guess; twice as many after each that was all right.
_FIRST_LIMIT = 2
# Guesses must promise this much more speed than none; less is lost in what the estimate does not see.
_LEAST_GAIN = 1.05
# Steps without guesses after which a text that was not worth it is tried again; doubled each time, up to the last.
_FIRST_PAUSE, _LONGEST_PAUSE = 8, 256
# What one more row adds to a step, as a part of it, before any was measured: little, because reading the weights
# costs most.
_FIRST_ROW_COST = 0.1


class Payoff:
    """Learns what steps of different sizes cost, and how often the guesses for each sequence are right."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._step_times: dict[int, float] = {}
        """Seconds of a step, by its rows."""
        self._sequences: dict[int, _Luck] = {}

    def most_tokens(self, number: int, rows: int) -> int:
        """How many tokens to guess for a sequence, beside `rows` others in the step; 0 for none."""
        luck = self._sequences.setdefault(number, _Luck())
        if luck.pause:
            luck.pause -= 1
            return 0
        plain = self._step_times.get(rows)
        if plain is None:  # nothing to compare with yet
            return 0
        best, best_gain = 0, _LEAST_GAIN
        expected, chance = 1.0, 1.0
        for count in range(1, min(luck.limit, self._most) + 1):
            chance *= luck.acceptance
            expected += chance
            # More rows never cost less, and what looks like it may be a plain step that was slow by chance.
            gain = expected * plain / max(plain, self._step_time(rows + count))
            if gain > best_gain:
                best, best_gain = count, gain
        if not best:
            luck.rest()
        return best

    def verified(self, number: int, offered: int, accepted: int) -> None:
        """Note how many of the guessed tokens were right."""
        luck = self._sequences.setdefault(number, _Luck())
        # Each right token is one success; the first wrong one is the only failure that was seen.
        rate = accepted / min(offered, accepted + 1)
        luck.acceptance += _WEIGHT * (rate - luck.acceptance)
        luck.limit = 2 * offered if accepted == offered else max(_FIRST_LIMIT, accepted + 1)
        if accepted == offered:
            luck.next_pause = _FIRST_PAUSE

    def stepped(self, seconds: float, sequences: int, drafted: int) -> None:
        """Note what a step cost that had no prompts in it, the time that guessing took included."""
        rows = sequences + drafted
        known = self._step_times.get(rows)
        self._step_times[rows] = seconds if known is None else known + _WEIGHT * (seconds - known)

    def forget(self, number: int) -> None:
        """Another text begins in the sequence."""
        self._sequences.pop(number, None)

    def _step_time(self, rows: int) -> float:
        """Measured, or between the nearest sizes that were."""
        known = self._step_times
        if rows in known:
            return known[rows]
        below = max((size for size in known if size < rows), default=0)
        above = min((size for size in known if size > rows), default=0)
        if not below:
            return known[above]
        if not above:
            return known[below] * (1 + _FIRST_ROW_COST * (rows - below))
        part = (rows - below) / (above - below)
        return known[below] + part * (known[above] - known[below])


class _Luck:
    """How guessing went for one sequence."""

    __slots__ = ("acceptance", "limit", "next_pause", "pause")

    def __init__(self) -> None:
        self.acceptance = _FIRST_ACCEPTANCE
        self.limit = _FIRST_LIMIT
        self.pause = 0
        self.next_pause = _FIRST_PAUSE

    def rest(self) -> None:
        """Leave it for a while, longer each time, and then believe in it again, though not as much."""
        self.pause = self.next_pause
        self.next_pause = min(self.next_pause * 2, _LONGEST_PAUSE)
        self.acceptance = max(self.acceptance, _FIRST_ACCEPTANCE / 2)
