"""Why tokens of a prompt had to be read that one would expect in the cache, in words for people."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tui.engine.prefix import common_prefix
from tui.engine.states import Refusal

# Reading fewer tokens again than this is nothing to speak of.
_WORTH_A_WORD = 32
_REMEMBERED = 16

EVICTED = "it was evicted to make room"
NO_ROOM = "there was no room to bring it back"


@dataclass(frozen=True, slots=True)
class Closest:
    """The conversation in the cache that has the longest beginning in common with a prompt."""

    held: int = 0
    """Tokens of that conversation."""
    common: int = 0


class Evicted:
    """The tokens of the last conversations that were let go, so that their return can be explained."""

    def __init__(self) -> None:
        self._last: deque[list[int]] = deque(maxlen=_REMEMBERED)

    def add(self, tokens: list[int]) -> None:
        """Note a conversation that is in the cache no more."""
        self._last.append(tokens)

    def closest(self, history: list[int]) -> Closest:
        """The one that has most in common with a prompt."""
        found = [Closest(len(tokens), common_prefix(tokens, history, len(history) - 1)) for tokens in self._last]
        return max(found, key=lambda closest: closest.common, default=Closest())


def explain(history: list[int], reused: int, closest: Closest, evicted: Closest, refusal: Refusal) -> str:
    """One short reason, empty where nothing more than `reused` tokens could be expected.

    `closest` is what the cache had, `evicted` what it had once, `refusal` what is on disk and cannot be used.
    """
    expected = max(reused, closest.common)
    if refusal.reason and refusal.common - expected >= _WORTH_A_WORD:
        return refusal.reason
    if evicted.common - expected >= _WORTH_A_WORD and _continues(evicted, history):
        return EVICTED
    if closest.common - reused >= _WORTH_A_WORD:
        return f"this model's state cannot go back to token {closest.common + 1:,}"
    lost = min(closest.held, len(history) - 1) - closest.common
    if lost >= _WORTH_A_WORD and _continues(closest, history):
        return f"the conversation changed at token {closest.common + 1:,} of {closest.held:,}"
    return ""


def _continues(closest: Closest, history: list[int]) -> bool:
    """Whether the prompt is more likely the same conversation than another one with the same system prompt."""
    return 2 * closest.common >= min(closest.held, len(history))
