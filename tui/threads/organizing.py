"""Changing threads as a whole, inside the caller's transaction: titles, places, trash, settings."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import replace

from tui.threads.attachments import Attachments
from tui.threads.changes import Changes, Undo, Value, missing
from tui.threads.database import Database
from tui.threads.folders import require_folder
from tui.threads.folding import require_ended
from tui.threads.inserting import insert_messages, insert_thread
from tui.threads.ordering import place
from tui.threads.records import NewThread, SettingsLayer
from tui.threads.rows import storable
from tui.threads.thread_settings import settings_from_column
from tui.threads.titles import title_from

_FOLDERS_ABOVE = """
    WITH RECURSIVE above (id, parent_id, title, settings, depth) AS (
        SELECT id, parent_id, title, settings, 0 FROM folders WHERE id = ? AND deleted_at IS NULL
        UNION
        SELECT folders.id, folders.parent_id, folders.title, folders.settings, depth + 1
        FROM folders JOIN above ON folders.id = above.parent_id WHERE deleted_at IS NULL AND depth < 1000
    )
    SELECT id, title, settings FROM above ORDER BY depth
"""

_SHOW_BRANCH = """
    WITH RECURSIVE branch (id, parent_id) AS (
        SELECT id, parent_id FROM messages WHERE id = :leaf
        UNION
        SELECT messages.id, messages.parent_id FROM messages JOIN branch ON messages.id = branch.parent_id
    )
    UPDATE messages SET chosen = :now WHERE id IN (SELECT id FROM branch)
"""

_SENT = """
    SELECT text FROM messages JOIN search_texts ON search_texts.message_id = messages.id
        JOIN threads ON threads.id = messages.thread_id
    WHERE role = 'user' AND kind = 'message' AND deleted_at IS NULL AND trashed_at IS NULL
    ORDER BY messages.id DESC LIMIT ?
"""


def put_thread(connection: sqlite3.Connection, database: Database, new: NewThread, columns: list[str]) -> str:
    """Store a whole thread; `columns` are its messages' parts. Returns its id. Raises BadRequest."""
    if new.folder_id is not None:
        require_folder(connection, database, new.folder_id)
    if not new.title:
        asked = (message.message.text for message in new.messages if message.message.role == "user")
        new = replace(new, title=title_from(next(asked, "")), title_origin="first message")
    thread_id = insert_thread(connection, new)
    ids = insert_messages(connection, thread_id, new.messages, columns)
    if ids:
        leaf_id = ids[-1 if new.leaf is None else new.leaf]
        connection.execute(_SHOW_BRANCH, {"leaf": leaf_id, "now": time.time()})
        models = [message.model for message in new.messages if message.model]
        connection.execute(
            "UPDATE threads SET leaf_id = ?, model = ? WHERE id = ?", (leaf_id, models[-1] if models else "", thread_id)
        )
    return thread_id


def change(connection: sqlite3.Connection, database: Database, thread_id: str, done: str, /, **columns: Value) -> Undo:
    """Write columns of a thread; `done` says what that does."""
    changes = Changes(connection, database.path)
    changes.update("threads", thread_id, **columns)
    return changes.undo(done, thread_id)


def set_title(
    connection: sqlite3.Connection, database: Database, thread_id: str, title: str, *, generated: bool
) -> Undo | None:
    """Give a thread a title; one that was generated never takes the place of the person's."""
    row = connection.execute("SELECT title_origin FROM threads WHERE id = ?", (thread_id,)).fetchone()
    if generated and (not title or (row is not None and row["title_origin"] == "person")):
        return None
    origin = "generated" if generated else "person" if title else ""
    return change(connection, database, thread_id, "Renamed a thread", title=storable(title), title_origin=origin)


def move(
    connection: sqlite3.Connection, database: Database, thread_id: str, folder_id: str | None, before: str | None
) -> Undo:
    """Put a thread into a folder, above its thread `before` or below all. Raises BadRequest."""
    if folder_id is not None:
        require_folder(connection, database, folder_id)
    changes = Changes(connection, database.path)
    place(connection, changes, "threads", thread_id, folder_id, before)
    return changes.undo("Moved a thread", thread_id)


def restore(connection: sqlite3.Connection, database: Database, thread_id: str) -> Undo:
    """Bring a thread back from the trash; to the top if its folder is not there any more."""
    columns: dict[str, Value] = {"trashed_at": None}
    row = connection.execute(
        "SELECT 1 FROM threads JOIN folders ON folders.id = folder_id WHERE threads.id = ? AND deleted_at IS NOT NULL",
        (thread_id,),
    ).fetchone()
    if row is not None:
        columns["folder_id"] = None
    return change(connection, database, thread_id, "Restored a thread", **columns)


def empty_trash(connection: sqlite3.Connection, database: Database, attachments: Attachments) -> int:
    """Remove for good what is in the trash, and messages and folders that were deleted; how many threads those were."""
    trashed = [row["id"] for row in connection.execute("SELECT id FROM threads WHERE trashed_at IS NOT NULL")]
    deleted = connection.execute(
        "SELECT id FROM messages WHERE thread_id IN (SELECT id FROM threads WHERE trashed_at IS NOT NULL)"
    )
    require_ended(connection, database.path, [row["id"] for row in deleted])
    connection.execute("PRAGMA defer_foreign_keys = ON")
    connection.execute("UPDATE threads SET leaf_id = NULL WHERE trashed_at IS NOT NULL")
    connection.execute("DELETE FROM threads WHERE trashed_at IS NOT NULL")
    connection.execute("DELETE FROM messages WHERE deleted_at IS NOT NULL")
    connection.execute("DELETE FROM folders WHERE deleted_at IS NOT NULL")
    attachments.remove_unused(connection)
    return len(trashed)


def delete(connection: sqlite3.Connection, database: Database, attachments: Attachments, thread_id: str) -> None:
    """Remove a thread for good, wherever it is. Raises Busy and StorageFailed."""
    if connection.execute("SELECT 1 FROM threads WHERE id = ?", (thread_id,)).fetchone() is None:
        raise missing("threads", database.path)
    messages = connection.execute("SELECT id FROM messages WHERE thread_id = ?", (thread_id,)).fetchall()
    require_ended(connection, database.path, [row["id"] for row in messages])
    connection.execute("PRAGMA defer_foreign_keys = ON")
    connection.execute("UPDATE threads SET leaf_id = NULL WHERE id = ?", (thread_id,))
    connection.execute("DELETE FROM threads WHERE id = ?", (thread_id,))
    attachments.remove_unused(connection)


def settings_layers(connection: sqlite3.Connection, database: Database, thread_id: str) -> tuple[SettingsLayer, ...]:
    """The settings of a thread and of the folders that it lies in, the most specific first."""
    thread = connection.execute(
        "SELECT id, title, settings, folder_id FROM threads WHERE id = ?", (thread_id,)
    ).fetchone()
    if thread is None:
        raise missing("threads", database.path)
    folders = connection.execute(_FOLDERS_ABOVE, (thread["folder_id"],)).fetchall()
    return (
        SettingsLayer("thread", thread["id"], thread["title"], settings_from_column(thread["settings"])),
        *(SettingsLayer("folder", row["id"], row["title"], settings_from_column(row["settings"])) for row in folders),
    )


def input_history(connection: sqlite3.Connection, limit: int) -> list[str]:
    """What people have sent, the newest first, each text once."""
    rows = connection.execute(_SENT, (limit * 2,))
    return list(dict.fromkeys(row["text"] for row in rows))[:limit]
