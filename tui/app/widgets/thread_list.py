"""The list of threads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tui.app.actions import bindings_for
from tui.app.figures import age_text, count_text, fit, one_line
from tui.app.widgets.row_list import Pieces, RowList

if TYPE_CHECKING:
    from tui.threads import ThreadSummary

WIDTH_FOR_COUNTS = 28
"""Cells from which on there is room for the number of messages."""

AGE_REFRESH = 30.0
"""Seconds between two looks at how old the threads are."""


class ThreadList(RowList["ThreadSummary"]):
    """Titles, how old they are, and a dot where a model is answering."""

    BINDINGS = bindings_for("threads")

    def __init__(self, *, id: str, classes: str) -> None:
        super().__init__("Threads", id=id, classes=classes)
        self.running: frozenset[str] = frozenset()
        self.open_thread = ""

    def on_mount(self) -> None:
        self.set_interval(AGE_REFRESH, self.refresh)

    def key_of(self, item: ThreadSummary) -> str:
        return item.id

    def search_text(self, item: ThreadSummary) -> str:
        return item.title

    def show_threads(self, threads: list[ThreadSummary], open_thread: str) -> None:
        """Show these threads, with one of them as the open one."""
        self.open_thread = open_thread
        self.empty_text = "No threads yet.\nType below and press enter."
        self.set_items(threads)
        self.border_subtitle = str(len(threads)) if threads else ""

    def show_running(self, running: frozenset[str]) -> None:
        """Put the dot on the threads in which a model is answering."""
        if running != self.running:
            self.running = running
            self.refresh()

    def pieces(self, item: ThreadSummary, width: int, *, at_cursor: bool) -> Pieces:  # noqa: ARG002
        age = f" {age_text(max(0.0, time.time() - item.updated)):>3} "
        counts = f" {count_text(item.message_count):>4}" if width >= WIDTH_FOR_COUNTS else ""
        title = one_line(item.title) or "Untitled"
        return [
            ("● ", "live") if item.id in self.running else ("  ", ""),
            (fit(title, width - 2 - len(counts) - len(age)), "bold" if item.id == self.open_thread else ""),
            (counts + age, "quiet"),
        ]
