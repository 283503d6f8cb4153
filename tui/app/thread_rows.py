"""What the list of threads shows, read in one go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

if TYPE_CHECKING:
    from tui.threads import ThreadSort, ThreadStore, ThreadSummary, TreeRow


def sort_orders() -> tuple[ThreadSort, ...]:
    """The orders in which threads can stand, the usual one first."""
    from tui.threads import ThreadSort

    return get_args(ThreadSort)


def rows_of(store: ThreadStore, sort: str, opened: Sequence[str]) -> tuple[list[TreeRow], list[ThreadSummary]]:
    """All rows, also those in closed folders, and the open threads, which need not be among them. Blocks."""
    order = next((order for order in sort_orders() if order == sort), sort_orders()[0])
    rows = store.tree(sort=order, expand_all=True)
    return rows, [thread for thread_id in opened if (thread := store.thread(thread_id)) is not None]
