"""How much of a prompt may go into one step without the running answers noticing."""

from __future__ import annotations

# A step with prompt tokens in it may take this many times as long as one without; the people who read along
# see a hesitation, not a halt.
_STRETCH = 5.0
_SMALLEST_CHUNK = 16
# Weight of the newest measurement in the running averages.
_WEIGHT = 0.2


class Pace:
    """Learns from each step how long tokens take on this machine. All times in seconds."""

    def __init__(self, physical_batch: int) -> None:
        self._largest_chunk = physical_batch
        self._step_time = 0.0
        """A step of running answers only."""
        self._prompt_token_time = 0.0

    def prompt_room(self, *, running: int) -> int:
        """Prompt tokens for the next step, beside `running` answers."""
        if not running:
            return self._largest_chunk
        if not self._prompt_token_time:
            return min(_SMALLEST_CHUNK * 4, self._largest_chunk)
        spare = self._step_time * (_STRETCH - 1)
        return max(_SMALLEST_CHUNK, min(self._largest_chunk, int(spare / self._prompt_token_time)))

    def measured(self, shares: int, prompt_tokens: int, seconds: float) -> None:
        """Note how long a step took that had these many parts and prompt tokens."""
        if not prompt_tokens:
            self._step_time = _blend(self._step_time, seconds)
        elif prompt_tokens >= _SMALLEST_CHUNK:
            others = self._step_time if shares > 1 else 0.0
            self._prompt_token_time = _blend(self._prompt_token_time, max(0.0, seconds - others) / prompt_tokens)


def _blend(average: float, value: float) -> float:
    return value if not average else average + _WEIGHT * (value - average)
