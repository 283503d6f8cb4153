"""Taking changes back."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from tui.threads.changes import Changes, RowBefore, Undo
from tui.threads.folding import require_ended
from tui.threads.reading import first_chosen, ids_below, last_below, leaf_of


def take_back(connection: sqlite3.Connection, path: Path, undo: Undo) -> Undo:
    """Undo a change inside the caller's transaction; returns what redoes it. Raises StorageFailed and Busy."""
    # On the way from one state to the other a row may hang for a moment on one that is written later.
    connection.execute("PRAGMA defer_foreign_keys = ON")
    changes = Changes(connection, path)
    for row in undo.rows:
        if _hides_message(row):
            _hide_below(connection, path, changes, undo.thread_id, row.id)
        changes.update(row.table, row.id, **dict(row.columns))
    for row in undo.rows:
        if row.table == "messages":
            _mend_parent(connection, changes, row.id)
    if undo.thread_id:
        _mend_leaf(connection, changes, undo.thread_id)
    return changes.undo(undo.title, undo.thread_id)


def _hides_message(row: RowBefore) -> bool:
    return row.table == "messages" and dict(row.columns).get("deleted_at") is not None


def _hide_below(connection: sqlite3.Connection, path: Path, changes: Changes, thread_id: str, message_id: str) -> None:
    """Hide what was written meanwhile behind a message that goes, since nothing leads there any more."""
    below = ids_below(connection, thread_id, message_id)
    require_ended(connection, path, below)
    now = time.time()
    for other in below:
        if other != message_id:
            changes.update("messages", other, deleted_at=now)


def _mend_parent(connection: sqlite3.Connection, changes: Changes, message_id: str) -> None:
    """Let a message that is there again hang on one that is there, if its own has been deleted meanwhile."""
    row = _place_of(connection, message_id)
    if row["deleted_at"] is None and row["parent_id"] is not None:
        parent_id = _living(connection, row["parent_id"])
        if parent_id != row["parent_id"]:
            changes.update("messages", message_id, parent_id=parent_id)


def _mend_leaf(connection: sqlite3.Connection, changes: Changes, thread_id: str) -> None:
    """Let the active branch end at a message that is there."""
    leaf_id = leaf_of(connection, thread_id)
    if leaf_id is None or _place_of(connection, leaf_id)["deleted_at"] is None:
        return
    parent_id = _living(connection, leaf_id)
    beside = first_chosen(connection, thread_id, parent_id)
    changes.update(
        "threads", thread_id, leaf_id=parent_id if beside is None else last_below(connection, thread_id, beside)
    )


def _living(connection: sqlite3.Connection, message_id: str) -> str | None:
    """The message itself, or the first one above it that is not deleted."""
    found: str | None = message_id
    passed: set[str] = set()  # in a damaged file the way up could lead in a circle
    while found is not None and found not in passed:
        row = _place_of(connection, found)
        if row["deleted_at"] is None:
            return found
        passed.add(found)
        found = row["parent_id"]
    return None


def _place_of(connection: sqlite3.Connection, message_id: str) -> sqlite3.Row:
    row: sqlite3.Row = connection.execute(
        "SELECT parent_id, deleted_at FROM messages WHERE id = ?", (message_id,)
    ).fetchone()
    return row
