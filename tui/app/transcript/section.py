"""One message as lines on the screen: header, reasoning, text and what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from rich.segment import Segment
from textual.strip import Strip

from tui.app.transcript.blocks import parse
from tui.app.transcript.growing import GrowingBody
from tui.app.transcript.message import TranscriptMessage
from tui.app.transcript.palette import Palette
from tui.app.transcript.render import BLANK, render_all
from tui.app.transcript.text import ALL_GUTTER, TAB_SIZE, Row, Span, clean, prefixed, wrap

COLUMN = 100
"""Cells. Longer rows are hard to read."""

HEADER_MARGIN = 1
"""Cells before the header, for the bar of the message cursor."""

BODY_MARGIN = 3

PREVIEW_ROWS = 6
"""How much of the reasoning shows while there is no answer yet."""


MOST_DRAWN = 50_000
"""Characters of a message that somebody pasted. Megabytes of it would hold the screen up for seconds."""


class Line(NamedTuple):
    """One line as it is drawn, and what of it is text; see `Row`."""

    strip: Strip
    gutter: int
    join: str

    @property
    def text(self) -> str:
        """What can be copied from it."""
        return self.strip.text[self.gutter :]


class Section:
    """A message that is complete."""

    def __init__(self, message: TranscriptMessage, *, unfolded: bool = False) -> None:
        self.message = message
        self.unfolded = unfolded

    def render(self, width: int, palette: Palette) -> list[Line]:
        """All its lines, for a view of `width` cells."""
        message = self.message
        body = _body_width(width)
        typed = message.role != "assistant"
        shown = message.text[:MOST_DRAWN] if typed else message.text
        text = render_all(parse(clean(shown), keep_lines=typed), body, palette)
        if len(shown) < len(message.text):
            more = f"… {len(message.text) - len(shown):,} more characters are kept and sent, but not drawn."
            text.extend([BLANK, *wrap([(more, palette.dim)], body)])
        rows = reasoning_rows(message, self.unfolded, body, palette)
        rows.extend([BLANK] if self.unfolded and rows and text else [])
        rows.extend(text)
        if message.problem:
            mark: Span = ("✗ ", palette.problem)
            problem = wrap([(clean(message.problem), palette.problem)], body - 2)
            rows.extend([BLANK] if text or (self.unfolded and rows) else [])
            rows.extend(prefixed(problem, mark, ("  ", palette.problem)))
        return [*header_lines(message, width, palette), *to_lines(rows, BODY_MARGIN, palette)]


class LiveSection:
    """A message that is still coming. Its lines are made anew only from the first one that changed."""

    def __init__(
        self,
        message: TranscriptMessage,
        width: int,
        palette: Palette,
        *,
        before: Sequence[Line] = (),
        unfolded: bool = False,
    ) -> None:
        self.message = message
        self.unfolded = unfolded
        self._before = before
        self._width = width
        self._palette = palette
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._thought = _GrowingThought(_body_width(width) - 2, palette)
        self._body = GrowingBody(_body_width(width), palette)
        self._header: list[Line] = []
        self._thought_lines: list[Line] = []
        self._body_lines: list[Line] = []
        self.lines: list[Line] = []
        self.set_note(message.note)
        self.feed(message.text, message.reasoning)

    @property
    def received(self) -> tuple[str, str]:
        """The text and the reasoning so far."""
        return "".join(self._text), "".join(self._reasoning)

    @property
    def is_blank(self) -> bool:
        """Whether nothing has come yet."""
        return not self._text and not self._reasoning

    @property
    def ends_in_text(self) -> bool:
        """Whether the last line is one that text is being added to."""
        return bool(self._body.rows) and self._body.rows[-1].gutter != ALL_GUTTER

    def set_note(self, note: str) -> None:
        """Change what stands in the header."""
        self.message = replace(self.message, note=note)
        self._header = [*self._before, *header_lines(self.message, self._width, self._palette)]
        self._join()

    def feed(self, text: str, reasoning: str) -> int:
        """Take in what came. Returns the index of the first line that may not be as it was."""
        first = len(self.lines)
        starts = bool(text) and not self._text
        if reasoning:
            self._reasoning.append(reasoning)
        if text:
            self._text.append(text)
        if (reasoning and (self.unfolded or not self._text)) or (starts and self._reasoning):
            first = len(self._header)
            self._thought_lines = to_lines(self._thought_rows(reasoning), BODY_MARGIN, self._palette)
        elif reasoning:
            self._thought.feed(reasoning)
        if text:
            changed = self._body.feed(text)
            first = min(first, len(self._header) + len(self._thought_lines) + changed)
            self._body_lines[changed:] = to_lines(self._body.rows[changed:], BODY_MARGIN, self._palette)
        self._join()
        return first

    def _join(self) -> None:
        self.lines = [*self._header, *self._thought_lines, *self._body_lines]

    def _thought_rows(self, reasoning: str) -> list[Row]:
        self._thought.feed(reasoning)
        if self._text and not self.unfolded:
            return [_reasoning_label(self._told, self._palette, unfolded=False)]
        bar: Span = ("│ ", self._palette.rule)
        rows = list(self._thought.rows)
        while rows and not any(text.strip() for text, _ in rows[-1].spans):
            rows.pop()
        if self._text:
            return [_reasoning_label(self._told, self._palette, unfolded=True), *prefixed(rows, bar, bar), BLANK]
        rows = rows if self.unfolded else rows[-PREVIEW_ROWS:]
        return [Row([("▾ thinking…", self._palette.reasoning)], gutter=ALL_GUTTER), *prefixed(rows, bar, bar)]

    @property
    def _told(self) -> TranscriptMessage:
        return replace(self.message, reasoning=self.received[1])


class _GrowingThought:
    """Plain text that comes in pieces; only its last row is wrapped again."""

    def __init__(self, width: int, palette: Palette) -> None:
        self._width = width
        self._style = palette.reasoning
        self._last = ""
        self.rows: list[Row] = []

    def feed(self, delta: str) -> None:
        if not delta:
            return
        source = self._last + clean(delta).replace("\t", " " * TAB_SIZE)
        if not self.rows:
            source = source.lstrip("\n")
        del self.rows[-1:]
        self.rows.extend(wrap([(source, self._style)], self._width))
        shown = "".join(text for text, _ in self.rows[-1].spans).rstrip(" ")
        self._last = source[len(source.rstrip(" ")) - len(shown) :]


def reasoning_rows(message: TranscriptMessage, unfolded: bool, width: int, palette: Palette) -> list[Row]:
    """The reasoning of a complete message: one line while folded."""
    if not message.reasoning.strip():
        return []
    rows = [_reasoning_label(message, palette, unfolded=unfolded)]
    if unfolded:
        bar: Span = ("│ ", palette.rule)
        text = clean(message.reasoning).strip("\n")
        rows.extend(prefixed(wrap([(text, palette.reasoning)], width - 2), bar, bar))
    return rows


def _reasoning_label(message: TranscriptMessage, palette: Palette, *, unfolded: bool) -> Row:
    arrow = "▾" if unfolded else "▸"
    return Row([(f"{arrow} thought for {_amount(message)}", palette.reasoning)], gutter=ALL_GUTTER)


def _amount(message: TranscriptMessage) -> str:
    if message.reasoning_note:
        return clean(message.reasoning_note)
    words = len(message.reasoning.split())
    return "1 word" if words == 1 else f"{words:,} words"


def header_lines(message: TranscriptMessage, width: int, palette: Palette) -> list[Line]:
    """Who, when, and figures; in a second line where one is too short."""
    spans: list[Span] = [(clean(message.author or message.role), palette.author)]
    if message.time:
        spans.append((f"  {_clock(message.time)}", palette.dim))
    if message.note:
        spans.append((f"  {clean(message.note)}", palette.dim))
    return to_lines(wrap(spans, min(width - HEADER_MARGIN - 1, COLUMN)), HEADER_MARGIN, palette)


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


def _body_width(width: int) -> int:
    return max(8, min(width - 1 - HEADER_MARGIN, COLUMN) - (BODY_MARGIN - HEADER_MARGIN))
