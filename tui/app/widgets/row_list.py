"""A list of one-line rows with a cursor and a filter, drawn line by line.

It costs the same with ten rows as with ten thousand, and is the ground for the lists of threads, models and
load parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.app.actions import bindings_for
from tui.app.figures import fit

Item = TypeVar("Item")
Pieces = list[tuple[str, str]]
"""Texts of a row from left to right, each with a role: empty, or the last word of a component class."""


class RowList(ScrollView, Generic[Item], can_focus=True, inherit_bindings=False):
    """Rows made from items. A kind of list says how to name, search and draw one item."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rows--cursor", "rows--bold", "rows--quiet", "rows--focus", "rows--live",
    }  # fmt: skip
    BINDINGS = bindings_for("lists")
    cursor: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Highlighted(Message):
        """The cursor came to another row, or to none (`key` is empty)."""

        rows: RowList[Any]
        key: str

    @dataclass
    class Chosen(Message):
        """Enter was pressed on a row, or it was clicked."""

        rows: RowList[Any]
        key: str

    def __init__(self, title: str, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.title = title
        self.items: list[Item] = []
        self.empty_text = ""
        self.filter_text = ""
        self.filtering = False
        self._shown: list[Item] = []
        self._empty_lines: list[str] = []
        self._ground: Style | None = None

    def key_of(self, item: Item) -> str:
        """What identifies an item when the list changes."""
        raise NotImplementedError

    def search_text(self, item: Item) -> str:
        """What the filter looks into."""
        return self.key_of(item)

    def pieces(self, item: Item, width: int, *, at_cursor: bool) -> Pieces:
        """The texts of a row that is `width` cells wide, without the cursor's mark."""
        raise NotImplementedError

    @property
    def current(self) -> Item | None:
        """The item under the cursor."""
        return self._shown[self.cursor] if 0 <= self.cursor < len(self._shown) else None

    @property
    def in_use(self) -> bool:
        """Whether keys move the cursor, which is drawn accordingly."""
        return self.has_focus

    def set_items(self, items: Sequence[Item]) -> None:
        """Show other items; the cursor stays on the item it was on, if that is still there."""
        self.items = list(items)
        self._refilter()

    def highlight(self, key: str) -> None:
        """Put the cursor on the item with this key, if it is shown."""
        for index, item in enumerate(self._shown):
            if self.key_of(item) == key:
                self.cursor = index

    def _refilter(self) -> None:
        before = self.key_of(self.current) if self.current is not None else ""
        wanted = self.filter_text.casefold().split()
        self._shown = [item for item in self.items if all(part in self.search_text(item).casefold() for part in wanted)]
        keys = [self.key_of(item) for item in self._shown]
        # Whoever looks for something means what comes first.
        nearest = 0 if self.filtering else min(self.cursor, max(0, len(keys) - 1))
        position = keys.index(before) if before in keys else nearest
        self.virtual_size = Size(0, len(keys))
        self.set_reactive(RowList.cursor, position)
        self._scroll_to_cursor()
        after = keys[position] if keys else ""
        if after != before:
            self.post_message(self.Highlighted(self, after))
        self._empty_lines = []
        self.refresh()
        self._show_title()

    def _show_title(self) -> None:
        mark = "▏" if self.filtering else ""
        looking = f"/{self.filter_text}{mark}" if self.filtering or self.filter_text else ""
        self.border_title = Content(" · ".join(part for part in (self.title, looking) if part))

    def on_mount(self) -> None:
        self._show_title()

    def watch_cursor(self, old: int, new: int) -> None:
        self.refresh_lines(min(old, new), abs(new - old) + 1)
        self._scroll_to_cursor()
        if self.current is not None:
            self.post_message(self.Highlighted(self, self.key_of(self.current)))

    def _scroll_to_cursor(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)

    def action_move(self, rows: int) -> None:
        self.cursor = max(0, min(len(self._shown) - 1, self.cursor + rows))

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        self.action_move(-len(self._shown))

    def action_last(self) -> None:
        self.action_move(len(self._shown))

    def action_open(self) -> None:
        if self.current is not None:
            self.post_message(self.Chosen(self, self.key_of(self.current)))

    def action_filter(self) -> None:
        self.filtering = True
        self._show_title()
        self.refresh_bindings()

    def clear_filter(self) -> bool:
        """Show all rows again; false if all were shown and nobody was typing."""
        if not self.filtering and not self.filter_text:
            return False
        self.filtering, self.filter_text = False, ""
        self._refilter()
        self.refresh_bindings()
        return True

    def check_consume_key(self, key: str, character: str | None = None) -> bool:  # noqa: ARG002
        return self.filtering and character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" and self.clear_filter():
            event.stop()
            event.prevent_default()
        if not self.filtering:
            return
        if event.key == "enter":
            self.filtering = False
            self._show_title()
            self.refresh_bindings()
        elif event.key == "backspace":
            self.filter_text = self.filter_text[:-1]
            self._refilter()
        elif event.is_printable and event.character:
            self.filter_text += event.character
            self._refilter()
        else:
            return
        event.stop()
        event.prevent_default()

    def on_click(self, event: events.Click) -> None:
        row = self.scroll_offset.y + event.get_content_offset_capture(self).y
        if 0 <= row < len(self._shown):
            self.cursor = row
            self.action_open()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self) -> None:
        self._empty_lines = []
        self.call_after_refresh(self._scroll_to_cursor)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if self._ground is None:
            # Textual works it out anew for each line, from all that lies beneath.
            self._ground = self.rich_style
        ground = self._ground
        row = self.scroll_offset.y + y
        if not self._shown and (self.items or self.empty_text):
            return self._empty_line(y, width, ground)
        if row >= len(self._shown):
            return Strip.blank(width, ground)
        at_cursor = row == self.cursor
        line = ground
        if at_cursor and self.in_use:
            line = self.get_component_rich_style("rows--cursor")
        mark = ("▌", "focus" if self.in_use else "quiet") if at_cursor else (" ", "")
        pieces = [mark, *self.pieces(self._shown[row], width - 1, at_cursor=at_cursor)]
        return Strip([Segment(text, self._style(role, line)) for text, role in pieces]).adjust_cell_length(width, line)

    def _style(self, role: str, line: Style) -> Style:
        """The style of a role on a line; the line keeps its own ground."""
        if not role:
            return line
        style = self.get_component_rich_style(f"rows--{role}")
        return line + Style(color=style.color, bold=style.bold or line.bold)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._ground = None

    def _empty_line(self, y: int, width: int, ground: Style) -> Strip:
        if not self._empty_lines:
            text = f"Nothing matches “{self.filter_text}”." if self.items else self.empty_text
            self._empty_lines = [""] + [part for line in text.split("\n") for part in wrap(line, width - 2)]
        text = self._empty_lines[y] if y < len(self._empty_lines) else ""
        style = self.get_component_rich_style("rows--quiet")
        return Strip([Segment(" " + fit(text, width - 2), style)]).adjust_cell_length(width, ground)


def wrap(text: str, width: int) -> list[str]:
    """Text in lines of at most `width` cells, broken at spaces, and inside a word that is too long for a line."""
    lines, line = [], ""
    for word in text.split(" "):
        while cell_len(word) > width > 0:
            room = width - cell_len(line) - 1 if line else width
            if room < width // 3:
                lines.append(line)
                line = ""
                continue
            lines.append(f"{line} {word[:room]}" if line else word[:room])
            word, line = word[room:], ""
        if line and cell_len(line) + 1 + cell_len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]
