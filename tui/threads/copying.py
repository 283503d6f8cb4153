"""Making a thread out of another one: the whole of it, or one branch up to a message."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from tui.threads.changes import missing
from tui.threads.identifiers import new_id, new_ids
from tui.threads.inserting import insert_row, place_on_top
from tui.threads.rows import chunks_of, grown_column
from tui.threads.titles import copy_mark, title_of_copy

_BRANCH = """
    WITH RECURSIVE branch (id, parent_id) AS (
        SELECT id, parent_id FROM messages WHERE id = ?
        UNION
        SELECT messages.id, messages.parent_id FROM messages JOIN branch ON messages.id = branch.parent_id
    )
    SELECT messages.* FROM branch JOIN messages USING (id)
"""


def duplicate(connection: sqlite3.Connection, path: Path, thread_id: str) -> str:
    """Copy a thread with all its versions, drafts and settings; returns the id of the copy."""
    rows = connection.execute("SELECT * FROM messages WHERE thread_id = ? AND deleted_at IS NULL", (thread_id,))
    return _copy(connection, path, thread_id, rows.fetchall(), "copy", None)


def branch_off(connection: sqlite3.Connection, path: Path, message_id: str) -> str:
    """Copy a thread's messages up to one of them; returns the id of the new thread."""
    rows = connection.execute(_BRANCH, (message_id,)).fetchall()
    if not rows:
        raise missing("messages", path)
    return _copy(connection, path, rows[0]["thread_id"], rows, "branch", message_id)


def _copy(
    connection: sqlite3.Connection,
    path: Path,
    thread_id: str,
    messages: list[sqlite3.Row],
    kind: str,
    leaf_id: str | None,
) -> str:
    thread = connection.execute("SELECT * FROM threads WHERE id = ?", (thread_id,)).fetchone()
    if thread is None:
        raise missing("threads", path)
    # Ids sort by time and are what versions are counted by, so that the copies' must sort as the originals' do.
    originals = sorted(row["id"] for row in messages)
    copies = dict(zip(originals, new_ids(len(originals)), strict=True))
    now = time.time()
    copy_id = new_id()
    insert_row(
        connection,
        "threads",
        **{
            **dict(thread),
            "id": copy_id,
            "title": _title(connection, thread["title"], kind),
            "created": now,
            "updated": now,
            "draft": thread["draft"] if leaf_id is None else "",
            "leaf_id": None,
            "position": place_on_top(connection, thread["folder_id"]),
            "pinned": 0,
            "archived_at": None,
            "trashed_at": None,
        },
    )
    # A copy may come before the one that it hangs on.
    connection.execute("PRAGMA defer_foreign_keys = ON")
    for row in messages:
        changed = {"id": copies[row["id"]], "thread_id": copy_id, "parent_id": copies.get(row["parent_id"])}
        if row["status"] == "streaming":
            parts = grown_column(row["parts"], chunks_of(connection, row["id"]))
            changed |= {"parts": parts, "status": "stopped", "writer": ""}
        insert_row(connection, "messages", **{**dict(row), **changed})
        connection.execute(
            "INSERT INTO message_attachments (message_id, hash)"
            " SELECT ?, hash FROM message_attachments WHERE message_id = ?",
            (copies[row["id"]], row["id"]),
        )
        connection.execute(
            "INSERT INTO foreign_message_data (message_id, data)"
            " SELECT ?, data FROM foreign_message_data WHERE message_id = ?",
            (copies[row["id"]], row["id"]),
        )
    connection.execute(
        "INSERT INTO foreign_thread_data (thread_id, data) SELECT ?, data FROM foreign_thread_data WHERE thread_id = ?",
        (copy_id, thread_id),
    )
    connection.execute(
        "UPDATE threads SET leaf_id = ? WHERE id = ?", (copies.get(leaf_id or thread["leaf_id"]), copy_id)
    )
    return copy_id


def _title(connection: sqlite3.Connection, title: str, kind: str) -> str:
    """A title that no other thread has, since search and jumping show threads of all folders in one list.

    Those in the trash count too: they may come back. A thread without a title gets one from its first message.
    """
    if not title:
        return ""
    base, _ = copy_mark(title)
    rows = connection.execute("SELECT title FROM threads WHERE substr(title, 1, ?) = ?", (len(base), base))
    return title_of_copy(title, kind, {row["title"] for row in rows})
