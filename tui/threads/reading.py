"""Reading threads and the branches of their trees, inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tui.threads.attachments import Attachments
from tui.threads.changes import missing
from tui.threads.records import StoredMessage, ThreadSummary
from tui.threads.rows import chunks_of, message_from_row, summary_from_row

SUMMARIES = """
    SELECT *, (
        SELECT COUNT(*) FROM messages WHERE thread_id = threads.id AND deleted_at IS NULL
    ) AS message_count FROM threads
"""

# Versions are counted by id, which sorts by the time of making.
_VERSIONS = """
    (SELECT COUNT(*) FROM messages AS other WHERE other.thread_id = messages.thread_id
        AND other.parent_id IS messages.parent_id AND other.deleted_at IS NULL AND other.id <= messages.id) AS version,
    (SELECT COUNT(*) FROM messages AS other WHERE other.thread_id = messages.thread_id
        AND other.parent_id IS messages.parent_id AND other.deleted_at IS NULL) AS versions
"""

MESSAGES = f"SELECT messages.*, {_VERSIONS} FROM messages"

# The count bounds the way up also in a damaged file, where it could lead in a circle.
_UP = """
    WITH RECURSIVE branch (id, parent_id, depth) AS (
        SELECT id, parent_id, 0 FROM messages WHERE id = :start
        UNION ALL
        SELECT messages.id, messages.parent_id, depth + 1
        FROM messages JOIN branch ON messages.id = branch.parent_id WHERE depth + 1 < :count
    )
"""

_BRANCH_UP = f"{_UP} SELECT messages.*, {_VERSIONS} FROM branch JOIN messages USING (id) ORDER BY depth DESC"

_TEXTS_UP = f"""
    {_UP} SELECT branch.id, text FROM branch JOIN search_texts ON search_texts.message_id = branch.id
    ORDER BY depth DESC
"""

_BRANCH_DOWN = """
    WITH RECURSIVE branch (id, depth) AS (
        SELECT :start, 0
        UNION ALL
        SELECT (
            SELECT messages.id FROM messages
            WHERE messages.thread_id = :thread AND messages.parent_id = branch.id AND deleted_at IS NULL
            ORDER BY chosen DESC, messages.id DESC LIMIT 1
        ), depth + 1 FROM branch WHERE branch.id IS NOT NULL AND depth < :count
    )
    SELECT id FROM branch WHERE id IS NOT NULL ORDER BY depth DESC LIMIT 1
"""

_BELOW = """
    WITH RECURSIVE below (id) AS (
        SELECT :start
        UNION
        SELECT messages.id FROM messages JOIN below ON messages.parent_id = below.id
        WHERE messages.thread_id = :thread AND messages.deleted_at IS NULL
    )
    SELECT id FROM below
"""

_ALL = f"{MESSAGES} WHERE thread_id = ? AND deleted_at IS NULL ORDER BY id"


def summary_of(connection: sqlite3.Connection, thread_id: str) -> ThreadSummary | None:
    """One thread; `None` if there is no such thread."""
    row = connection.execute(f"{SUMMARIES} WHERE id = ?", (thread_id,)).fetchone()
    return None if row is None else summary_from_row(row)


def leaf_of(connection: sqlite3.Connection, thread_id: str) -> str | None:
    """The last message of the active branch."""
    row = connection.execute("SELECT leaf_id FROM threads WHERE id = ?", (thread_id,)).fetchone()
    return None if row is None else row["leaf_id"]


def message_of(connection: sqlite3.Connection, attachments: Attachments, message_id: str) -> StoredMessage | None:
    """One message that is not deleted."""
    row = connection.execute(f"{MESSAGES} WHERE id = ? AND deleted_at IS NULL", (message_id,)).fetchone()
    return None if row is None else _message(connection, attachments, row)


def require_message(connection: sqlite3.Connection, path: Path, message_id: str, thread_id: str = "") -> sqlite3.Row:
    """The row of a message that must be there, and in that thread if one is named. Raises StorageFailed."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM messages WHERE id = ? AND deleted_at IS NULL", (message_id,)
    ).fetchone()
    if row is None or (thread_id and row["thread_id"] != thread_id):
        raise missing("messages", path)
    return row


def branch_above(
    connection: sqlite3.Connection, attachments: Attachments, message_id: str | None, count: int | None = None
) -> list[StoredMessage]:
    """The `count` messages that end with this one, or all up to it, the first one first."""
    if message_id is None or count == 0:
        return []
    if count is None:
        count = _message_count(connection, message_id)
    rows = connection.execute(_BRANCH_UP, {"start": message_id, "count": count}).fetchall()
    return [_message(connection, attachments, row) for row in rows]


def texts_on_branch(connection: sqlite3.Connection, message_id: str | None) -> list[tuple[str, str]]:
    """What the messages of the branch that ends with this one say, without their reasoning, by id."""
    if message_id is None:
        return []
    count = _message_count(connection, message_id)
    rows = connection.execute(_TEXTS_UP, {"start": message_id, "count": count})
    return [(row["id"], row["text"]) for row in rows]


def all_messages(connection: sqlite3.Connection, attachments: Attachments, thread_id: str) -> list[StoredMessage]:
    """Every message of a thread on all branches, each behind its parent."""
    rows = connection.execute(_ALL, (thread_id,)).fetchall()
    # Ids sort by time, but a message that was inserted later stands above older ones.
    children: dict[str | None, list[sqlite3.Row]] = {}
    for row in rows:
        children.setdefault(row["parent_id"], []).append(row)
    ordered: list[StoredMessage] = []
    waiting = list(reversed(children.get(None, [])))
    while waiting:
        row = waiting.pop()
        ordered.append(_message(connection, attachments, row))
        waiting.extend(reversed(children.get(row["id"], [])))
    return ordered


def versions_of(connection: sqlite3.Connection, attachments: Attachments, message_id: str) -> list[StoredMessage]:
    """A message and those beside it, the oldest first."""
    row = connection.execute("SELECT thread_id, parent_id FROM messages WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        return []
    rows = connection.execute(
        f"{MESSAGES} WHERE thread_id = ? AND parent_id IS ? AND deleted_at IS NULL ORDER BY id", tuple(row)
    ).fetchall()
    return [_message(connection, attachments, version) for version in rows]


def ids_below(connection: sqlite3.Connection, thread_id: str, message_id: str) -> list[str]:
    """A message and all that follow it, on every branch."""
    rows = connection.execute(_BELOW, {"start": message_id, "thread": thread_id})
    return [row["id"] for row in rows]


def last_below(connection: sqlite3.Connection, thread_id: str, message_id: str) -> str:
    """The end of the branch that was shown last below a message; the message itself if nothing is below it."""
    count = _message_count(connection, message_id)
    row = connection.execute(_BRANCH_DOWN, {"start": message_id, "thread": thread_id, "count": count}).fetchone()
    return str(row["id"])


def first_chosen(connection: sqlite3.Connection, thread_id: str, parent_id: str | None) -> str | None:
    """Of the messages behind one, or of the first ones, that which was shown last."""
    row = connection.execute(
        "SELECT id FROM messages WHERE thread_id = ? AND parent_id IS ? AND deleted_at IS NULL"
        " ORDER BY chosen DESC, id DESC LIMIT 1",
        (thread_id, parent_id),
    ).fetchone()
    return None if row is None else str(row["id"])


def _message_count(connection: sqlite3.Connection, message_id: str) -> int:
    row = connection.execute(
        "SELECT COUNT(*) FROM messages WHERE thread_id = (SELECT thread_id FROM messages WHERE id = ?)", (message_id,)
    ).fetchone()
    return int(row[0])


def _message(connection: sqlite3.Connection, attachments: Attachments, row: sqlite3.Row) -> StoredMessage:
    return message_from_row(row, attachments, chunks_of(connection, row["id"]) if row["status"] == "streaming" else ())
