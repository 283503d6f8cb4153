"""Taking changes back."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from tui.threads.changes import Changes, RowBefore, Undo
from tui.threads.folding import require_ended
from tui.threads.reading import first_chosen, ids_below, last_below


def take_back(connection: sqlite3.Connection, path: Path, undo: Undo) -> Undo:
    """Undo a change inside the caller's transaction; returns what redoes it. Raises StorageFailed and Busy."""
    # On the way from one state to the other a row may hang for a moment on one that is written later.
    connection.execute("PRAGMA defer_foreign_keys = ON")
    changes = Changes(connection, path)
    for row in undo.rows:
        if _hides_message(row):
            _hide_below(connection, path, changes, undo.thread_id, row.id)
        changes.update(row.table, row.id, **dict(row.columns))
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


def _mend_leaf(connection: sqlite3.Connection, changes: Changes, thread_id: str) -> None:
    """Let the active branch end at a message that is there."""
    row = connection.execute(
        "SELECT messages.parent_id, messages.deleted_at FROM threads JOIN messages ON messages.id = threads.leaf_id"
        " WHERE threads.id = ?",
        (thread_id,),
    ).fetchone()
    if row is None or row["deleted_at"] is None:
        return
    parent_id = row["parent_id"]
    while parent_id is not None:
        above = connection.execute("SELECT parent_id, deleted_at FROM messages WHERE id = ?", (parent_id,)).fetchone()
        if above["deleted_at"] is None:
            break
        parent_id = above["parent_id"]
    beside = first_chosen(connection, thread_id, parent_id)
    changes.update(
        "threads", thread_id, leaf_id=parent_id if beside is None else last_below(connection, thread_id, beside)
    )
