"""What is laid over a cached line at the moment it is drawn, and what a selection takes from the lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip

from tui.app.transcript.header import Line
from tui.app.transcript.layout import Layout
from tui.app.transcript.text import ALL_GUTTER

BAR = "▌"
CARET = "▂"

KEY_SHIFT = 20
"""Bits for the row in a message; the number of the message stands above them."""


def with_bar(strip: Strip, style: Style) -> Strip:
    """The line with the bar of the message cursor in its first cell."""
    _, *rest = strip
    return Strip([Segment(BAR, style), *rest], strip.cell_length)


def with_caret(strip: Strip, style: Style, width: int) -> Strip:
    """The line with the mark that more text is coming, if there is a cell left for it."""
    if strip.cell_length >= width:
        return strip
    return Strip([*strip, Segment(CARET, style)], strip.cell_length + 1)


def with_selection(line: Line, span: tuple[int, int] | None, style: Style) -> Strip:
    """The line with some of its characters drawn as selected; an end of -1 is the end of the line."""
    if span is None or line.gutter >= ALL_GUTTER:
        return line.strip
    start, end = max(span[0], line.gutter), len(line.strip.text) if span[1] == -1 else span[1]
    return restyled(line.strip, [(start, end)], style)


def restyled(strip: Strip, ranges: Sequence[tuple[int, int]], style: Style) -> Strip:
    """The strip with some of its characters drawn in another style on top of their own."""
    if not ranges:
        return strip
    borders = [border for pair in ranges for border in pair]
    segments: list[Segment] = []
    position = 0
    for text, own, _ in strip:
        cuts = sorted({0, len(text), *(min(max(0, cut - position), len(text)) for cut in borders)})
        for left, right in pairwise(cuts):
            inside = any(start <= position + left and position + right <= end for start, end in ranges)
            segments.append(Segment(text[left:right], (own or Style.null()) + style if inside else own))
        position += len(text)
    return Strip(segments, strip.cell_length)


def row_key(index: int, row: int) -> int:
    """The row number by which a selection knows a line of a message.

    Unlike a line number of the whole view it stays right while messages above are measured or an answer grows.
    """
    return index << KEY_SHIFT | row


def selected_text(layout: Layout, selection: Selection) -> str:
    """What is selected, without decoration and with wrapped rows joined again."""
    start, end = selection
    first = (0, 0) if start is None else divmod(start.y, 1 << KEY_SHIFT)
    last = (layout.count - 1, 1 << KEY_SHIFT) if end is None else divmod(end.y, 1 << KEY_SHIFT)
    parts: list[str] = []
    for index in range(first[0], min(last[0], layout.count - 1) + 1):
        for row, line in enumerate(layout.lines(index)):
            if not first <= (index, row) <= last or line.gutter >= ALL_GUTTER:
                continue
            begin = start.x if start is not None and (index, row) == first else 0
            stop = end.x if end is not None and (index, row) == last else None
            parts += [line.strip.text[max(begin, line.gutter) : stop], line.join]
    return "".join(parts[:-1])
