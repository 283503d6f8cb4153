"""What the list of threads shows, read in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

if TYPE_CHECKING:
    from tui.threads import ThreadSort, ThreadStore, ThreadSummary, TreeRow


def sort_orders() -> tuple[ThreadSort, ...]:
    """The orders in which threads can stand, the usual one first."""
    from tui.threads import ThreadSort

    return get_args(ThreadSort)


@dataclass(frozen=True, slots=True)
class ThreadRows:
    """What was read."""

    rows: list[TreeRow]
    """All rows, also those in closed folders."""
    opened: list[ThreadSummary]
    """The open threads, which need not be among the rows."""
    models: dict[str, str]
    """The models that these or their folders want, where they want one."""


def read_rows(store: ThreadStore, sort: str, opened: Sequence[str]) -> ThreadRows:
    """Read the list and what there is to know about the open threads. Blocks."""
    order = next((order for order in sort_orders() if order == sort), sort_orders()[0])
    threads = [thread for thread_id in opened if (thread := store.thread(thread_id)) is not None]
    models = {thread.id: store.effective_settings(thread.id).model or "" for thread in threads}
    return ThreadRows(store.tree(sort=order, expand_all=True), threads, models)
