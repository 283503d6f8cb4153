"""How much two token lists have in common at their start."""

from __future__ import annotations


def common_prefix(left: list[int], right: list[int], limit: int) -> int:
    """The number of equal tokens at the start of both, at most `limit`."""
    low, high = 0, min(len(left), len(right), limit)
    # Comparing slices runs in C; halving the range costs twice the length at most.
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
