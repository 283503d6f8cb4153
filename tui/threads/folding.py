"""Making an answer whole: from the chunks that were saved while it came to the parts of its message."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

from tui.domain import GenerationStats
from tui.threads.records import MessageStatus
from tui.threads.rows import ChunkKind, add_chunks, chunks_of, parts_from_column, parts_to_column, stats_to_column
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
    parts = add_chunks(parts_from_column(row["parts"]), [*chunks_of(connection, message_id), *unsaved])
    connection.execute(
        "UPDATE messages SET parts = ?, status = ?, error = ?, stats = ?, writer = '' WHERE id = ?",
        (parts_to_column(parts), status, error, stats_to_column(stats), message_id),
    )
    connection.execute("DELETE FROM chunks WHERE message_id = ?", (message_id,))
    connection.execute("UPDATE threads SET updated = ? WHERE id = ?", (time.time(), row["thread_id"]))


def unfinished_answers(connection: sqlite3.Connection, database: Path) -> list[str]:
    """The answers whose writer has died, by message id."""
    rows = connection.execute("SELECT id, writer FROM messages WHERE status = 'streaming'").fetchall()
    alive = {writer: is_alive(database, writer) for writer in {row["writer"] for row in rows}}
    return [row["id"] for row in rows if not alive[row["writer"]]]
