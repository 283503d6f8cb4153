"""Changing rows so that it can be undone.

A change remembers what stood in the columns that it writes. Undoing writes that back and remembers, in turn, what
stood there meanwhile, which is how to redo it. New rows are undone by hiding them, since nothing is really
removed before the trash is emptied.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tui.domain import StorageFailed

Table = Literal["threads", "messages", "folders"]
Value = str | int | float | None

_HIDING_COLUMN: dict[Table, str] = {"threads": "trashed_at", "messages": "deleted_at", "folders": "deleted_at"}


@dataclass(frozen=True, slots=True)
class RowBefore:
    """What stood in some columns of a row before they were changed."""

    table: Table
    id: str
    columns: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Undo:
    """What `ThreadStore.undo` needs to take a change back."""

    title: str
    """What was done, as people read it: `Deleted 3 messages`."""
    thread_id: str
    """The thread that was changed; empty for folders."""
    rows: tuple[RowBefore, ...] = field(default=(), repr=False)


class Changes:
    """Changes rows inside the caller's transaction, and makes the `Undo` for all of them together."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._before: list[RowBefore] = []

    def update(self, table: Table, row_id: str, **columns: Value) -> None:
        """Write columns of one row. Raises StorageFailed if there is no such row."""
        names = tuple(columns)
        row = self._connection.execute(f"SELECT {', '.join(names)} FROM {table} WHERE id = ?", (row_id,)).fetchone()
        if row is None:
            raise missing(table, self._path)
        self._before.append(RowBefore(table, row_id, tuple(zip(names, row, strict=True))))
        assignments = ", ".join(f"{name} = ?" for name in names)
        self._connection.execute(f"UPDATE {table} SET {assignments} WHERE id = ?", (*columns.values(), row_id))

    def added(self, table: Table, row_id: str) -> None:
        """Note that a row is new, so that undoing hides it."""
        self._before.append(RowBefore(table, row_id, ((_HIDING_COLUMN[table], time.time()),)))

    def undo(self, title: str, thread_id: str = "") -> Undo:
        """What takes all these changes back."""
        return Undo(title, thread_id, tuple(reversed(self._before)))


_NAMES: dict[Table, str] = {"threads": "thread", "messages": "message", "folders": "folder"}


def missing(table: Table, path: Path) -> StorageFailed:
    """What to say when a row is not there."""
    return StorageFailed(
        f"The {_NAMES[table]} does not exist in {path}.",
        "It may have been removed by another lmdeck; open the thread list again.",
    )
