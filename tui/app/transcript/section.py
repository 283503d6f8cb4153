"""One message as lines on the screen: header, reasoning, text and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tui.app.transcript.attachments import attachment_rows
from tui.app.transcript.blocks import parse
from tui.app.transcript.growing import GrowingBody
from tui.app.transcript.growing_plain import GrowingPlain
from tui.app.transcript.header import COLUMN, HEADER_MARGIN, Line, header_lines, to_lines
from tui.app.transcript.message import TranscriptMessage
from tui.app.transcript.palette import Palette
from tui.app.transcript.render import BLANK, render_all
from tui.app.transcript.text import ALL_GUTTER, Row, Span, clean, prefixed, wrap

BODY_MARGIN = 3

PREVIEW_ROWS = 6
"""How much of the reasoning shows while there is no answer yet."""


MOST_DRAWN = 50_000
"""Characters of a message that somebody pasted. Megabytes of it would hold the screen up for seconds."""


class Section:
    """A message that is complete."""

    def __init__(self, message: TranscriptMessage, *, unfolded: bool = False) -> None:
        self.message = message
        self.unfolded = unfolded

    def render(self, width: int, palette: Palette, *, plain: bool = False) -> list[Line]:
        """All its lines, for a view of `width` cells; `plain` shows the text as it was written."""
        message = self.message
        body = _body_width(width)
        typed = message.role != "assistant"
        shown = message.text[:MOST_DRAWN] if typed else message.text
        if plain:
            text = wrap([(clean(shown).strip("\n"), palette.text)], body) if shown.strip() else []
        else:
            text = render_all(parse(clean(shown), keep_lines=typed), body, palette)
        if len(shown) < len(message.text):
            more = f"… {len(message.text) - len(shown):,} more characters are kept and sent, but not drawn."
            text.extend([BLANK, *wrap([(more, palette.dim)], body)])
        rows = reasoning_rows(message, self.unfolded, body, palette)
        rows.extend([BLANK] if self.unfolded and rows and text else [])
        for attachment in message.attachments:
            rows.extend(attachment_rows(attachment, body, palette))
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
        plain: bool = False,
    ) -> None:
        self.message = message
        self.unfolded = unfolded
        self._before = before
        self._width = width
        self._palette = palette
        self._text: list[str] = []
        self._reasoning: list[str] = []
        body = _body_width(width)
        self._thought = GrowingPlain(body - 2, palette.reasoning)
        self._body = GrowingPlain(body, palette.text) if plain else GrowingBody(body, palette)
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


def _body_width(width: int) -> int:
    return max(8, min(width - 1 - HEADER_MARGIN, COLUMN) - (BODY_MARGIN - HEADER_MARGIN))
