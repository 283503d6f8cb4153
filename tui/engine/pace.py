"""How much of a prompt may go into one step without the running answers noticing."""

from __future__ import annotations

# A step with prompt tokens in it may take this many times as long as one without; the people who read along
# see a hesitation, not a halt.
_STRETCH = 4.0
_SMALLEST_CHUNK = 4
_FIRST_CHUNK = 64
# Weight of the newest measurement in the running averages.
_WEIGHT = 0.3
# Tokens in the cache at which attention to them costs about as much as all the rest. It only matters for sizes
# that were measured last beside a cache of another depth.
_DEPTH_SCALE = 1500


class Pace:
    """Learns from each step how long chunks of prompts take on this machine. All times in seconds.

    Every size is measured by itself, because cost does not grow evenly with it: on CPUs, ggml's flash attention takes
    a quicker way from 64 tokens on, so that 64 of them may be cheaper than 32.
    """

    def __init__(self, physical_batch: int) -> None:
        self._largest = physical_batch
        powers = (_SMALLEST_CHUNK << step for step in range(physical_batch.bit_length()))
        self._sizes = [size for size in powers if size < physical_batch] + [physical_batch]
        self._step_time = 0.0
        """A step of running answers only."""
        self._costs: dict[int, float] = {}
        """What a chunk of each size adds to a step, without what the cache's depth makes of it."""

    def prompt_room(self, *, running: int, depth: int) -> int:
        """Prompt tokens for the next step, beside `running` answers, with `depth` tokens in the cache."""
        if not running:
            return self._largest
        if not self._costs or not self._step_time:
            return min(_FIRST_CHUNK, self._largest)
        spare = self._step_time * (_STRETCH - 1)
        costs = {size: self._cost(size) * _weight(depth) for size in self._sizes}
        bearable = [size for size in self._sizes if costs[size] <= spare]
        return max(bearable, key=lambda size: size / (self._step_time + costs[size]), default=self._sizes[0])

    def measured(self, shares: int, prompt_tokens: int, depth: int, seconds: float) -> None:
        """Note how long a step took that had these many parts and prompt tokens, with `depth` tokens in the cache."""
        if not prompt_tokens:
            self._step_time = _blend(self._step_time, seconds)
            return
        size = min(self._sizes, key=lambda size: abs(size - prompt_tokens))
        others = self._step_time if shares > 1 else 0.0
        cost = max(0.0, seconds - others) * size / prompt_tokens / _weight(depth)
        cost = self._costs[size] = _blend(self._costs.get(size, 0.0), cost)
        for other, known in self._costs.items():
            # A larger chunk costs no more than several of this one, a smaller one no more than this one.
            self._costs[other] = min(known, cost * max(1.0, other / size))

    def _cost(self, size: int) -> float:
        """Measured, or in proportion to the nearest size that was."""
        nearest = min(self._costs, key=lambda known: max(known, size) / min(known, size))
        return self._costs[nearest] * size / nearest


def _weight(depth: int) -> float:
    return 1.0 + depth / _DEPTH_SCALE


def _blend(average: float, value: float) -> float:
    return value if not average else average + _WEIGHT * (value - average)
