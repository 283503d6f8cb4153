"""Threads in their folders, in the order of the side bar."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tui.threads.records import Folder, ThreadSort, ThreadSummary


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One line of the tree: a folder or a thread."""

    depth: int
    """How many folders it lies in."""
    folder: Folder | None = None
    thread: ThreadSummary | None = None


_NUMBER = re.compile(r"(\d+)")


def _by_title(thread: ThreadSummary) -> tuple[Any, ...]:
    """Numbers within titles count as numbers: `Part 9` comes before `Part 10`."""
    pieces = _NUMBER.split(thread.title.casefold())
    return (not thread.title, [(int(piece), "") if index % 2 else (0, piece) for index, piece in enumerate(pieces)])


_KEYS: dict[ThreadSort, Callable[[ThreadSummary], Any]] = {
    "updated": lambda thread: -thread.updated,
    "created": lambda thread: -thread.created,
    "title": _by_title,
    "manual": lambda thread: (thread.position, -thread.created),
}


def in_order(threads: Iterable[ThreadSummary], sort: ThreadSort) -> list[ThreadSummary]:
    """The threads in an order, those that are pinned before all others; of equals the newest comes first."""
    newest_first = sorted(threads, key=lambda thread: thread.id, reverse=True)
    key = _KEYS[sort]
    return sorted(newest_first, key=lambda thread: (not thread.pinned, key(thread)))


def tree_rows(
    folders: Sequence[Folder], threads: Iterable[ThreadSummary], sort: ThreadSort, *, expand_all: bool = False
) -> list[TreeRow]:
    """The lines of the tree: in each folder its folders, then its threads. Collapsed folders show nothing of theirs.

    `folders` come each behind the one that it lies in. A thread whose folder is not among them stands at the top.
    """
    known = {folder.id for folder in folders}
    subfolders: dict[str | None, list[Folder]] = {}
    for folder in folders:
        subfolders.setdefault(folder.parent_id, []).append(folder)
    contents: dict[str | None, list[ThreadSummary]] = {}
    for thread in in_order(threads, sort):
        contents.setdefault(thread.folder_id if thread.folder_id in known else None, []).append(thread)

    rows: list[TreeRow] = []

    def add(folder_id: str | None, depth: int) -> None:
        for folder in subfolders.get(folder_id, []):
            rows.append(TreeRow(depth, folder=folder))
            if expand_all or not folder.collapsed:
                add(folder.id, depth + 1)
        rows.extend(TreeRow(depth, thread=thread) for thread in contents.get(folder_id, []))

    add(None, 0)
    return rows
