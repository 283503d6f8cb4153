"""The log drawer: a view over the log ring that keeps nothing but the lines it draws."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.app.actions import bindings_for
from tui.app.figures import one_line

if TYPE_CHECKING:
    from tui.engine import LogLine

CAPACITY = 2000
LOOK_EVERY = 0.25
"""Seconds between two looks at the ring while the drawer is open."""


class LogView(ScrollView, can_focus=True):
    """The newest lines; it follows the end until someone scrolls up."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"log--quiet", "log--problem"}
    BINDINGS = bindings_for("log")

    def __init__(self, read: Callable[[int], Sequence[LogLine]], *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self._read = read
        self._lines: deque[LogLine] = deque(maxlen=CAPACITY)

    def on_mount(self) -> None:
        self.border_title = "Log"
        self.border_subtitle = "^l hide"
        self.look()
        self.set_interval(LOOK_EVERY, self.look)

    def look(self) -> None:
        """Take over what has been written since the last look."""
        lines = self._read(self._lines[-1].number if self._lines else 0)
        if not lines:
            return
        following = self.scroll_offset.y >= self.max_scroll_y
        self._lines.extend(lines)
        self.virtual_size = Size(0, len(self._lines))
        if following:
            self.call_after_refresh(self.scroll_end, animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        ground = self.rich_style
        number = self.scroll_offset.y + y
        if number >= len(self._lines):
            text = " Nothing has been logged yet." if not self._lines and y == 0 else ""
            return Strip([Segment(text, self.get_component_rich_style("log--quiet"))]).adjust_cell_length(width, ground)
        line = self._lines[number]
        quiet = self.get_component_rich_style("log--quiet")
        loud = line.level in ("warn", "warning", "error", "critical")
        text_style = self.get_component_rich_style("log--problem") if loud else ground
        clock = time.strftime(" %H:%M:%S ", time.localtime(line.time))
        segments = [Segment(clock + f"{line.source:<8} ", quiet), Segment(one_line(line.text), text_style)]
        return Strip(segments).adjust_cell_length(width, ground)
