"""How much two token lists have in common at their start."""

from __future__ import annotations

from array import array
from typing import TypeVar

Tokens = TypeVar("Tokens", list[int], "array[int]")

# Most pairs of conversations differ within their first tokens, so little is looked at first.
_FIRST_LOOK = 16


def common_prefix(left: Tokens, right: Tokens, limit: int) -> int:
    """The number of equal tokens at the start of both, at most `limit`."""
    low, high = 0, min(len(left), len(right), limit)
    step = _FIRST_LOOK
    while low + step < high and left[low : low + step] == right[low : low + step]:
        low += step
        step *= 2
    high = min(high, low + step)
    # Comparing slices runs in C; halving the range costs twice its length at most.
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
