"""Snapshots of conversations whose memory cannot be cut back, and where in a prompt they are worth having.

A recurrent state or a sliding window knows only the end of what was read. When a conversation goes on from an
earlier point, because its last message was edited, answered again or written differently by the template, the
nearest snapshot before that point saves reading everything again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

BEFORE_PROMPT_END = 8
"""Tokens. Templates end a prompt with a few tokens (start of the answer, an empty thought) that they leave out or
write differently when the answer has become history; the snapshot lies before them."""

APART = 64
"""Tokens between two snapshots at least: reading so few is not worth a snapshot, nor the step that it takes."""

EVERY = 2048
"""Tokens between snapshots of a long prompt."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The part of a sequence's state that cannot be cut, as it was behind its first `length` tokens."""

    length: int
    state: bytearray


def newest(checkpoints: list[Checkpoint], length: int) -> Checkpoint | None:
    """The longest of the checkpoints, which are in order, that has at most `length` tokens."""
    return next((checkpoint for checkpoint in reversed(checkpoints) if checkpoint.length <= length), None)


def usable(lengths: Iterable[int], common: int, held: int, shortest_cut: int) -> int:
    """How many tokens of a conversation can be taken over by one that shares its first `common` tokens.

    It is `held` tokens long, can be cut back to `shortest_cut` as it is, and has checkpoints of these lengths.
    """
    if common == held or common >= shortest_cut:
        return common
    return max((length for length in lengths if length <= common), default=0)


def stops(start: int, prompt_tokens: int, fork: int) -> list[int]:
    """Lengths at which reading a prompt from `start` should pause for a checkpoint, in order.

    `fork` is where another conversation that has the same beginning goes its own way: others may branch off there.
    """
    end = prompt_tokens - BEFORE_PROMPT_END
    regular = range((start // EVERY + 1) * EVERY, end - APART, EVERY)
    chosen: list[int] = []
    for length in sorted({*regular, *((fork,) if fork <= end else ()), end}):
        if length - (chosen[-1] if chosen else start) >= APART:
            chosen.append(length)
    return chosen


def add_stop(chosen: list[int], start: int, length: int) -> None:
    """Pause at `length` too, unless that is where reading is already, or almost a stop."""
    at = bisect_left(chosen, length)
    before = chosen[at - 1] if at else start
    if length - before >= APART // 2 and (at == len(chosen) or chosen[at] != length):
        chosen.insert(at, length)


def thin(checkpoints: list[Checkpoint], most: int) -> list[Checkpoint]:
    """At most `most` of the checkpoints: those go first that leave the smallest gap. The newest stays."""
    kept = list(checkpoints)
    while len(kept) > most:
        gaps = [kept[i + 1].length - (kept[i - 1].length if i else 0) for i in range(len(kept) - 1)]
        kept.pop(gaps.index(min(gaps)) if gaps else 0)
    return kept
