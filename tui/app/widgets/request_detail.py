"""The details of one request, a section at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.app.actions import bindings_for
from tui.app.request_text import SECTIONS, Line


class RequestDetail(ScrollView, can_focus=True, inherit_bindings=False):
    """Draws the lines that it is given; the border names the sections."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "detail--quiet", "detail--bold", "detail--key", "detail--live", "detail--problem",
    }  # fmt: skip
    BINDINGS = [*bindings_for("request"), *bindings_for("lists")]
    SECTIONS: ClassVar[tuple[str, ...]] = SECTIONS
    FIRST: ClassVar[str] = "Answer"

    def __init__(self) -> None:
        super().__init__(classes="pane")
        self._lines: Sequence[Line] = ()
        self.section = self.FIRST

    def on_mount(self) -> None:
        self.show_section(self.section)

    @property
    def text_width(self) -> int:
        """Cells of a line."""
        return max(1, self.scrollable_content_region.width - 2)

    def show_section(self, section: str) -> None:
        """Name another section as the one that is shown."""
        self.section = section
        parts: list[str | tuple[str, str]] = []
        for name in self.SECTIONS:
            parts += [" · "] if parts else []
            parts.append((name, "bold reverse" if name == section else "not bold"))
        self.border_title = Content.assemble(*parts)

    def show(self, lines: Sequence[Line], *, keep: bool) -> None:
        """Draw these lines; with `keep` from where they were scrolled to, following the end if that was in sight."""
        following = keep and bool(self._lines) and 0 < self.max_scroll_y <= self.scroll_offset.y
        self._lines = lines
        self.virtual_size = Size(0, len(lines))
        if not keep:
            self.scroll_home(animate=False, force=True)
        elif following:
            self.call_after_refresh(self.scroll_end, animate=False, force=True)
        self.refresh()

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
        row = self.scroll_offset.y + y
        if row >= len(self._lines):
            return Strip.blank(width, ground)
        segments = [Segment(" ", ground)]
        for text, role in self._lines[row]:
            style = self.get_component_rich_style(f"detail--{role}") if role else ground
            segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(width, ground)
