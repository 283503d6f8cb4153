"""The line above a message: who wrote it, when, which version it is, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from rich.segment import Segment
from textual.strip import Strip

from tui.app.transcript.message import TranscriptMessage
from tui.app.transcript.palette import Palette
from tui.app.transcript.text import Row, Span, clean, wrap

COLUMN = 100
"""Cells. Longer rows are hard to read."""

HEADER_MARGIN = 1
"""Cells before the header, for the bar of the message cursor."""

_BETWEEN = " · "
_NO_BREAK = "\xa0"


class Line(NamedTuple):
    """One line as it is drawn, and what of it is text; see `Row`."""

    strip: Strip
    gutter: int
    join: str

    @property
    def text(self) -> str:
        """What can be copied from it."""
        return self.strip.text[self.gutter :]


def header_lines(message: TranscriptMessage, width: int, palette: Palette) -> list[Line]:
    """Who, when, and figures; in a second line where one is too short."""
    room = min(width - HEADER_MARGIN - 1, COLUMN)
    spans: list[Span] = [(clean(message.author or message.role), palette.author)]
    if message.time:
        spans.append((f"  {_clock(message.time)}", palette.dim))
    if message.versions > 1:
        spans.append((f"  ◂ {message.version} of {message.versions} ▸", palette.marker))
    if message.note:
        # One figure stays in one row: `prompt 1 of` says little without what comes after it.
        parts = clean(message.note).split(_BETWEEN)
        held = [part.replace(" ", _NO_BREAK) if len(part) < room else part for part in parts]
        spans.append((f"  {_BETWEEN.join(held)}", palette.dim))
    rows = wrap(spans, room)
    breakable = [
        row._replace(spans=[(text.replace(_NO_BREAK, " "), style) for text, style in row.spans]) for row in rows
    ]
    return to_lines(breakable, HEADER_MARGIN, palette)


def _clock(time: float) -> str:
    moment = datetime.fromtimestamp(time)
    return f"{moment:%H:%M}" if moment.date() == datetime.now().date() else f"{moment:%Y-%m-%d %H:%M}"


def to_lines(rows: Iterable[Row], margin: int, palette: Palette) -> list[Line]:
    """Rows with the margin before them. Its first cell is a segment of its own, for the bar of the cursor."""
    before = [Segment(" " * size, palette.text) for size in (1, margin - 1) if size]
    return [
        Line(Strip([*before, *(Segment(text, style) for text, style in row.spans)]), row.gutter + margin, row.join)
        for row in rows
    ]
