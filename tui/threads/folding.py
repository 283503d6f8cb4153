"""Making an answer whole: from the chunks that were saved while it came to the parts of its message."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tui.domain import Busy, GenerationStats
from tui.threads.records import MessageStatus
from tui.threads.rows import ChunkKind, chunks_of, grown_column, snapshot_to_column, stats_to_column
from tui.threads.writers import is_alive


def fold(
    connection: sqlite3.Connection,
    message_id: str,
    status: MessageStatus,
    *,
    unsaved: Iterable[tuple[ChunkKind, str]] = (),
    error: str = "",
    stats: GenerationStats | None = None,
) -> None:
    """End an answer, inside the caller's transaction: its chunks, and those not yet saved, become its parts.

    Nothing that an earlier folding has put there is lost.
    """
    row = connection.execute("SELECT thread_id, parts FROM messages WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        return
    parts = grown_column(row["parts"], [*chunks_of(connection, message_id), *unsaved])
    connection.execute(
        "UPDATE messages SET parts = ?, status = ?, error = ?, stats = ?, writer = '' WHERE id = ?",
        (parts, status, error, stats_to_column(stats), message_id),
    )
    connection.execute("DELETE FROM chunks WHERE message_id = ?", (message_id,))
    connection.execute("UPDATE threads SET updated = ? WHERE id = ?", (time.time(), row["thread_id"]))


def unfinished_answers(connection: sqlite3.Connection, database: Path) -> list[str]:
    """The answers whose writer has died, by message id."""
    rows = connection.execute("SELECT id, writer FROM messages WHERE status = 'streaming'").fetchall()
    alive = {writer: is_alive(database, writer) for writer in {row["writer"] for row in rows}}
    return [row["id"] for row in rows if not alive[row["writer"]]]


def end_answers_of_dead_writers(connection: sqlite3.Connection, database: Path) -> None:
    """Make the answers whole whose process has died, inside the caller's transaction."""
    for message_id in unfinished_answers(connection, database):
        fold(connection, message_id, "interrupted")


def require_ended(connection: sqlite3.Connection, database: Path, message_ids: Iterable[str]) -> None:
    """Raise Busy if one of the messages is an answer that somebody is still writing."""
    end_answers_of_dead_writers(connection, database)
    running = connection.execute("SELECT id FROM messages WHERE status = 'streaming'")
    if {row["id"] for row in running} & set(message_ids):
        raise Busy("This answer is still being written.", "Stop it first.")


def reopen(
    connection: sqlite3.Connection,
    database: Path,
    message_id: str,
    model: str,
    settings: Mapping[str, Any] | None,
    writer: str,
) -> None:
    """Let an answer that has ended be written on by `writer`, inside the caller's transaction. Raises Busy."""
    require_ended(connection, database, [message_id])
    connection.execute(
        "UPDATE messages SET status = 'streaming', error = '', writer = ?, model = ?, settings = ? WHERE id = ?",
        (writer, model, snapshot_to_column(settings), message_id),
    )
