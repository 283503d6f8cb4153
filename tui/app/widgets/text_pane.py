"""A pane of text that scrolls: lines with roles, or Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.app.actions import bindings_for
from tui.app.transcript.palette import COMPONENT_CLASSES, palette_of
from tui.app.widgets.row_list import wrap

Line = Sequence[tuple[str, str]]
"""Texts of a line, each with a role: empty, or the last word of a component class."""


class TextPane(ScrollView, can_focus=True, inherit_bindings=False):
    """Wraps what it is given to its width, with the keys of a list."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "text--quiet", "text--bold", "text--live", "text--problem", *COMPONENT_CLASSES,
    }  # fmt: skip
    BINDINGS = bindings_for("lists")

    def __init__(self, title: str, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="pane")
        self.border_title = title
        self._lines: Sequence[Line] = ()
        self._markdown = ""
        self._rows: list[list[Segment]] | None = None

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines from where it was scrolled to."""
        if self._markdown or list(lines) != list(self._lines):
            self._lines, self._markdown = lines, ""
            self._draw()

    def show_markdown(self, text: str) -> None:
        """Show a Markdown text from its beginning."""
        self._lines, self._markdown = (), text or "*It says nothing of itself.*"
        self._draw()
        self.scroll_home(animate=False, force=True)

    def _draw(self) -> None:
        self._rows = None
        self.virtual_size = Size(0, len(self._all_rows()))
        self.refresh()

    def on_resize(self, _: events.Resize) -> None:
        self._draw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._rows = None

    def _all_rows(self) -> list[list[Segment]]:
        if self._rows is None:
            width = max(8, self.scrollable_content_region.width - 2)
            self._rows = self._markdown_rows(width) if self._markdown else self._line_rows(width)
        return self._rows

    def _markdown_rows(self, width: int) -> list[list[Segment]]:
        from tui.app.transcript.blocks import parse
        from tui.app.transcript.render import render_all
        from tui.app.transcript.text import clean

        rows = render_all(parse(clean(self._markdown)), width, palette_of(self))
        return [[Segment(text, style) for text, style in row.spans] for row in rows]

    def _line_rows(self, width: int) -> list[list[Segment]]:
        rows = []
        for line in self._lines:
            styled = [(text, self.get_component_rich_style(f"text--{role}") if role else None) for text, role in line]
            if sum(len(text) for text, _ in styled) <= width or not styled:
                rows.append([Segment(text, style) for text, style in styled])
                continue
            # A line with several roles is short; one that is long has the role of its first text.
            whole = "".join(text for text, _ in styled)
            rows += [[Segment(part, styled[0][1])] for part in wrap(whole, width)]
        return rows

    def action_move(self, rows: int) -> None:
        self.scroll_relative(y=rows, animate=False, force=True)

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        self.scroll_home(animate=False, force=True)

    def action_last(self) -> None:
        self.scroll_end(animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        width, ground = self.scrollable_content_region.width, self.rich_style
        rows, number = self._all_rows(), self.scroll_offset.y + y
        if number >= len(rows):
            return Strip.blank(width, ground)
        segments = [Segment(" ", ground)]
        segments += [Segment(one.text, ground + one.style if one.style else ground) for one in rows[number]]
        return Strip(segments).adjust_cell_length(width, ground)
