"""Where the view and the message cursor go: functions over a layout.

Heights are guessed until somebody looks. `settle` measures what is in view and moves the view with it, so that the
text on the screen stays where it is while guesses become facts.
"""

from __future__ import annotations

from time import perf_counter

from tui.app.transcript.layout import Layout

SCROLLED_LINES = 3
"""How far one key scrolls in a message that is longer than the view."""


def settle(layout: Layout, top: int, height: int) -> int:
    """Measure all that a view of `height` lines shows from line `top`. Returns where the same text begins now."""
    while True:
        top = max(0, min(top, layout.height - height))
        seen = _seen(layout, top, height)
        guessed = [index for index in seen if not layout.is_measured(index)]
        if not guessed:
            return top
        anchor = next((index for index in seen if layout.is_measured(index)), None)
        if anchor is None:
            row = top - layout.top(seen[0])
            layout.measure(seen[0])
            top = layout.top(seen[0]) + min(row, layout.height_of(seen[0]) - 1)
            continue
        for index in guessed:
            grown = layout.measure(index)
            if index < anchor:
                top += grown


def settle_end(layout: Layout, height: int) -> int:
    """Measure all that a view of `height` lines shows of the end. Returns the line where that view begins."""
    index = layout.count
    while index > 0 and layout.height - layout.top(index) < height:
        index -= 1
        layout.measure(index)
    return max(0, layout.height - height)


def measure_some(layout: Layout, top: int, until: float) -> tuple[int, bool]:
    """Measure messages out of view until a moment of the performance counter, those above the view first.

    Returns the line where the same text begins now, and whether everything is measured.
    """
    found = layout.locate(top)
    seen = found[0] if found else 0
    while (index := layout.unmeasured(seen)) is not None and perf_counter() < until:
        grown = layout.measure(index)
        if index < seen:
            top += grown
    return top, index is None


def _seen(layout: Layout, top: int, height: int) -> list[int]:
    first, last = layout.locate(top), layout.locate(min(top + height, layout.height) - 1)
    if first is None or last is None:
        return []
    return [index for index in range(first[0], last[0] + 1) if index < layout.count]


def move_cursor(layout: Layout, cursor: int, top: int, height: int, step: int) -> tuple[int, int]:
    """Go `step` messages on from the one under the cursor, in a view of `height` lines that begins at line `top`.

    What is hidden of the message in that direction is scrolled into view first. Returns the message under the cursor
    and the first line of the view.
    """
    cursor = into_view(layout, cursor, top, height)
    begin, end = _extent(layout, cursor)
    hidden = end - (top + height) if step > 0 else top - begin
    if hidden > 0:
        return cursor, top + (1 if step > 0 else -1) * min(SCROLLED_LINES, hidden)
    target = max(0, min(cursor + step, layout.count - 1))
    if target == cursor:
        return cursor, top
    seen = layout.locate(top)
    grown = layout.measure(target)
    if seen is not None and target < seen[0]:
        top += grown
    return target, _reveal(layout, target, top, height, step)


def into_view(layout: Layout, cursor: int, top: int, height: int) -> int:
    """The message under the cursor, or the nearest one in view if that one is not."""
    first, last = layout.locate(top), layout.locate(min(top + height, layout.height) - 1)
    if first is None or last is None:
        return cursor
    # Of the last one only the blank line before it may be in view.
    lowest = last[0] if last[1] or last[0] == first[0] else last[0] - 1
    return max(first[0], min(cursor, lowest, layout.count - 1))


def _reveal(layout: Layout, index: int, top: int, height: int, step: int) -> int:
    begin, end = _extent(layout, index)
    if end - begin > height:
        return begin if step > 0 else end - height
    if begin < top:
        return begin
    return max(top, end - height)


def _extent(layout: Layout, index: int) -> tuple[int, int]:
    """The lines of a message without the blank one before it, and with what stands below the last message."""
    begin = layout.top(index)
    end = layout.height if index == layout.count - 1 else begin + layout.height_of(index)
    return begin + (1 if index else 0), end
