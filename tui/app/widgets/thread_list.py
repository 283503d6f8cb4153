"""The list of threads in their folders."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.message import Message

from tui.app.actions import bindings_for
from tui.app.figures import age_text, count_text, fit, one_line
from tui.app.widgets.row_list import Pieces, RowList

if TYPE_CHECKING:
    from tui.threads import Folder, ThreadSummary, TreeRow

WIDTH_FOR_COUNTS = 28
"""Cells from which on there is room for the number of messages."""

AGE_REFRESH = 30.0
"""Seconds between two looks at how old the threads are."""

DEEPEST = 6
"""Folders inside folders that are drawn further to the right."""


class ThreadList(RowList["TreeRow"]):
    """Folders that open and close; titles, how old they are, and a dot where a model is answering."""

    BINDINGS = bindings_for("threads")

    @dataclass
    class FolderToggled(Message):
        """A folder was opened or closed."""

        folder_id: str
        collapsed: bool

    def __init__(self, *, id: str, classes: str) -> None:
        super().__init__("Threads", id=id, classes=classes)
        self.running: frozenset[str] = frozenset()
        self.open_threads: tuple[str, ...] = ()
        self._rows: list[TreeRow] = []
        self._collapsed: set[str] = set()

    def on_mount(self) -> None:
        self.set_interval(AGE_REFRESH, self.refresh)

    def key_of(self, item: TreeRow) -> str:
        return item.thread.id if item.thread else item.folder.id if item.folder else ""

    def search_text(self, item: TreeRow) -> str:
        return item.thread.title if item.thread else ""

    @property
    def thread(self) -> ThreadSummary | None:
        """The thread under the cursor."""
        return self.current.thread if self.current else None

    @property
    def folder(self) -> Folder | None:
        """The folder under the cursor."""
        return self.current.folder if self.current else None

    @property
    def folder_id(self) -> str | None:
        """The folder under the cursor, or the one in which the thread under the cursor lies."""
        return self.folder.id if self.folder else self.thread.folder_id if self.thread else None

    def show_threads(self, rows: list[TreeRow], open_threads: tuple[str, ...]) -> None:
        """Show folders with all that is in them, some of the threads being open ones."""
        self.open_threads = open_threads
        self.empty_text = "No threads yet.\nType below and press enter."
        self._rows = rows
        self._collapsed = {row.folder.id for row in rows if row.folder and row.folder.collapsed}
        self._refilter()
        count = sum(1 for row in rows if row.thread)
        self.border_subtitle = str(count) if count else ""

    def highlight(self, key: str) -> None:
        """Put the cursor on a thread or folder, and open the folders around it."""
        path: list[TreeRow] = []
        for row in self._rows:
            del path[row.depth :]
            path.append(row)
            if self.key_of(row) == key:
                around = {other.folder.id for other in path[:-1] if other.folder}
                if around & self._collapsed:
                    self._collapsed -= around
                    self._refilter()
                break
        super().highlight(key)

    def show_running(self, running: frozenset[str]) -> None:
        """Put the dot on the threads in which a model is answering."""
        if running != self.running:
            self.running = running
            self.refresh()

    def action_open(self) -> None:
        if self.folder:
            self.action_toggle_folder()
        else:
            super().action_open()

    def action_toggle_folder(self) -> None:
        """Open or close the folder under the cursor, or the one in which the thread under the cursor lies."""
        folder_id = self.folder_id
        if folder_id is None:
            return
        self._collapsed ^= {folder_id}
        self.post_message(self.FolderToggled(folder_id, folder_id in self._collapsed))
        self._refilter()
        super().highlight(folder_id)

    def _refilter(self) -> None:
        self.items = self._unhidden()
        super()._refilter()

    def _unhidden(self) -> list[TreeRow]:
        """What no closed folder hides; the filter looks into those too."""
        if self.filter_text:
            return self._rows
        shown: list[TreeRow] = []
        closed_at: int | None = None
        for row in self._rows:
            if closed_at is None or row.depth <= closed_at:
                closed_at = row.depth if row.folder and row.folder.id in self._collapsed else None
                shown.append(row)
        return shown

    def pieces(self, item: TreeRow, width: int, *, at_cursor: bool) -> Pieces:  # noqa: ARG002
        before = "" if self.filter_text else "  " * min(item.depth, DEEPEST)
        if item.folder:
            arrow = "▸ " if item.folder.id in self._collapsed else "▾ "
            return [(before + arrow, "quiet"), (fit(one_line(item.folder.title), width - len(before) - 2), "bold")]
        thread = item.thread
        assert thread is not None
        age = f" {age_text(max(0.0, time.time() - thread.updated)):>3} "
        counts = f" {count_text(thread.message_count):>4}" if width >= WIDTH_FOR_COUNTS else ""
        title = one_line(thread.title) or "Untitled"
        mark = ("● ", "live") if thread.id in self.running else ("★ ", "quiet") if thread.pinned else ("  ", "")
        room = width - len(before) - 2 - len(counts) - len(age)
        return [
            (before, ""),
            mark,
            (_fit_title(title, room), "bold" if thread.id in self.open_threads else ""),
            (counts + age, "quiet"),
        ]


_LEAST_TITLE = 5
"""So many cells of a title are left beside the mark of a copy; where there are fewer, the mark is cut."""


def _fit_title(title: str, width: int) -> str:
    """A title in exactly `width` cells. What tells a copy from its original stays when it is cut."""
    from tui.threads import copy_mark

    bare, mark = copy_mark(title)
    room = width - len(mark)
    return fit(bare, room) + mark if room >= _LEAST_TITLE and cell_len(bare) > room else fit(title, width)
