"""What one step up or down makes of a number."""

from __future__ import annotations

from typing import Any

from tui.config import Parameter

WIDE_RANGE = 512
"""Values from which on a step doubles or halves instead of counting."""
_DIGITS = 6


def stepped(parameter: Parameter, value: Any, limit: float | None, direction: int) -> Any:
    """The next value of a parameter; below the least and above the greatest lies "auto", where it has that.

    `limit` is the greatest value that this model can take, where it knows one.
    """
    greatest = limit if limit is not None else parameter.maximum
    if parameter.kind == "number":
        return _number(parameter, value, greatest, direction)
    return _whole(parameter, value, None if greatest is None else int(greatest), direction)


def _whole(parameter: Parameter, value: int | None, greatest: int | None, direction: int) -> int | None:
    least = int(parameter.minimum or 0)
    doubling = greatest is None or greatest > WIDE_RANGE
    if value is None:
        start = max(least, WIDE_RANGE) if doubling else least
        return start if direction > 0 or greatest is None else greatest
    if not doubling:
        after = value + direction
    elif direction > 0:
        after = max(value + 1, value * 2)
        after = greatest if greatest is not None and value < greatest < after else after
    else:
        after = value // 2 if value & (value - 1) == 0 else 1 << (int(value).bit_length() - 1)
    if after < least or (greatest is not None and after > greatest):
        return None if parameter.default is None else value
    return after


def _number(parameter: Parameter, value: float | None, greatest: float | None, direction: int) -> float | None:
    least = parameter.minimum
    if value is None:
        return (least or 0.0) if direction > 0 or greatest is None else greatest
    step = 0.05 if greatest is not None and greatest <= 1 else 0.1
    # Frequencies and the like are large, and nobody counts through them.
    after = round(value * 2**direction if abs(value) > WIDE_RANGE else value + direction * step, _DIGITS)
    if (least is not None and after < least) or (greatest is not None and after > greatest):
        edge = least if direction < 0 else greatest
        return edge if value != edge else None if parameter.default is None else value
    return after
