"""Tables in cells: columns as wide as their text where there is room, and shared out fairly where there is not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.style import Style

from tui.app.transcript.blocks import Fragments, Table
from tui.app.transcript.inline import BOLD
from tui.app.transcript.palette import Palette
from tui.app.transcript.text import ALL_GUTTER, Row, Span, cells, wrap

SEPARATOR = " │ "
MIN_COLUMN = 5
"""Cells. With less than this for each column, every row is drawn as a list of "name: value" instead."""

MAX_UNBROKEN = 16
"""Cells. Words up to this width are kept whole where the columns allow it."""

_SPACES = re.compile(r"[ \n]+")


class TableView:
    """The rows of a table that may still grow. A new row costs its own drawing unless it changes the widths."""

    def __init__(self, table: Table, width: int, palette: Palette, base: Style) -> None:
        self._aligns = table.aligns
        self._header = table.header
        self._width = width
        self._palette = palette
        self._base = base
        self._rows: list[tuple[Fragments, ...]] = []
        self._natural = [1] * len(table.header)
        self._words = [1] * len(table.header)
        self._widths: list[int] = []
        self.drawn: list[Row] = []
        """Header and rows, as they look now."""
        self._measure(table.header)
        for row in table.rows:
            self._rows.append(row)
            self._measure(row)
        self._redraw()

    def add(self, row: tuple[Fragments, ...]) -> bool:
        """Add a finished row. Returns whether that changed the rows before it."""
        self._rows.append(row)
        self._measure(row)
        if self._share() != self._widths:
            self._redraw()
            return True
        self.drawn.extend(self._draw(row, 0))
        return False

    def preview(self, row: tuple[Fragments, ...]) -> list[Row]:
        """What a row looks like that has not ended yet; it never changes the widths."""
        return self._draw(row, 0)

    def _measure(self, row: tuple[Fragments, ...]) -> None:
        for column, fragments in enumerate(row):
            text = "".join(part for part, _ in fragments)
            if text.isascii() and len(text) <= self._words[column]:
                continue
            for line in text.split("\n"):
                self._natural[column] = max(self._natural[column], cells(line))
            longest = max(map(cells, _SPACES.split(text)))
            self._words[column] = max(self._words[column], min(longest, MAX_UNBROKEN))

    def _share(self) -> list[int]:
        """The width of each column, or nothing when there are too many for this width.

        Narrow columns keep what they need; the widest give way first, down to their longest word.
        """
        room = self._width - len(SEPARATOR) * (len(self._natural) - 1)
        if room < MIN_COLUMN * len(self._natural) and sum(self._natural) > room:
            return []
        least = [min(words, natural) for words, natural in zip(self._words, self._natural, strict=True)]
        if sum(least) > room:
            least = [1] * len(least)
        widths = list(least)
        open_columns = [column for column, width in enumerate(widths) if width < self._natural[column]]
        spare = room - sum(widths)
        while open_columns and spare > 0:
            lowest = min(widths[column] for column in open_columns)
            lowest_columns = [column for column in open_columns if widths[column] == lowest]
            higher = [widths[column] for column in open_columns if widths[column] > lowest]
            goal = min([self._natural[column] for column in lowest_columns] + higher)
            step = min(goal - lowest, spare // len(lowest_columns))
            if not step:
                for column in lowest_columns[:spare]:
                    widths[column] += 1
                break
            for column in lowest_columns:
                widths[column] += step
            spare -= step * len(lowest_columns)
            open_columns = [column for column in open_columns if widths[column] < self._natural[column]]
        return widths

    def _redraw(self) -> None:
        self._widths = self._share()
        rule = self._palette.rule
        if self._widths:
            line = "─┼─".join("─" * width for width in self._widths)
            self.drawn = [*self._draw(self._header, BOLD), Row([(line, rule)], gutter=ALL_GUTTER)]
        else:
            self.drawn = []
        for row in self._rows:
            self.drawn.extend(self._draw(row, 0))

    def _draw(self, row: tuple[Fragments, ...], mark: int) -> list[Row]:
        return self._draw_cells(row, mark) if self._widths else self._draw_record(row)

    def _draw_cells(self, row: tuple[Fragments, ...], mark: int) -> list[Row]:
        columns = [
            wrap(self._spans(fragments, mark), width) for fragments, width in zip(row, self._widths, strict=True)
        ]
        result: list[Row] = []
        for number in range(max(map(len, columns))):
            spans: list[Span] = []
            for column, lines in enumerate(columns):
                if column:
                    spans.append((SEPARATOR, self._palette.rule))
                line = lines[number].spans if number < len(lines) else []
                spans.extend(self._aligned(line, column, last=column == len(columns) - 1))
            result.append(Row(spans))
        return result

    def _aligned(self, spans: Sequence[Span], column: int, *, last: bool) -> list[Span]:
        spare = self._widths[column] - sum(cells(text) for text, _ in spans)
        left = {"right": spare, "center": spare // 2}.get(self._aligns[column], 0)
        right = 0 if last else spare - left
        before: list[Span] = [(" " * left, self._base)] if left > 0 else []
        after: list[Span] = [(" " * right, self._base)] if right > 0 else []
        return [*before, *spans, *after]

    def _draw_record(self, row: tuple[Fragments, ...]) -> list[Row]:
        result: list[Row] = [Row([("─" * min(self._width, 20), self._palette.rule)], gutter=ALL_GUTTER)]
        for name, value in zip(self._header, row, strict=True):
            spans = [*self._spans(name, BOLD), (": ", self._base), *self._spans(value, 0)]
            result.extend(wrap(spans, self._width))
        return result

    def _spans(self, fragments: Fragments, mark: int) -> list[Span]:
        return [(text, self._palette.marked(bits | mark, self._base)) for text, bits in fragments]
