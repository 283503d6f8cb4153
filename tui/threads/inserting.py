"""Putting threads and messages into their tables, inside the caller's transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tui.domain import BadRequest
from tui.threads.identifiers import new_id, new_ids
from tui.threads.records import NewMessage, NewThread
from tui.threads.rows import hashes_in, snapshot_to_column, stats_to_column, storable
from tui.threads.thread_settings import settings_to_column
from tui.threads.titles import title_from


def insert_thread(connection: sqlite3.Connection, new: NewThread) -> str:
    """Add a thread, without its messages, above all others of its folder; returns its id."""
    now = time.time()
    thread_id = new_id()
    insert_row(
        connection,
        "threads",
        id=thread_id,
        title=storable(new.title),
        title_origin=new.title_origin if new.title else "",
        created=now if new.created is None else new.created,
        updated=now if new.updated is None else new.updated,
        draft=storable(new.draft),
        folder_id=new.folder_id,
        position=place_on_top(connection, new.folder_id),
        pinned=int(new.pinned),
        settings=settings_to_column(new.settings),
    )
    return thread_id


def insert_messages(
    connection: sqlite3.Connection, thread_id: str, messages: Sequence[NewMessage], columns: Sequence[str]
) -> list[str]:
    """Add messages that hang on each other, none of them on the active branch yet; returns their ids.

    `columns` are their parts.
    """
    ids = new_ids(len(messages))
    for index, (message, column) in enumerate(zip(messages, columns, strict=True)):
        if message.parent is not None and not 0 <= message.parent < index:
            raise BadRequest(
                f"Message {index} has message {message.parent} for a parent, which does not come before it.",
                "Name each message behind its parent.",
                field=f"messages[{index}].parent",
            )
        parent_id = None if message.parent is None else ids[message.parent]
        _insert_message(connection, ids[index], thread_id, message, column, parent_id, chosen=0.0)
    return ids


def insert_message(
    connection: sqlite3.Connection,
    thread_id: str,
    message: NewMessage,
    column: str,
    parent_id: str | None,
    *,
    writer: str = "",
) -> str:
    """Add one message behind another one and make it the last of the active branch; returns its id."""
    message_id = new_id()
    now = time.time()
    if message.created is None:
        message = replace(message, created=now)
    _insert_message(connection, message_id, thread_id, message, column, parent_id, chosen=now, writer=writer)
    connection.execute(
        "UPDATE threads SET leaf_id = ?, updated = ?, model = COALESCE(NULLIF(?, ''), model) WHERE id = ?",
        (message_id, now, message.model, thread_id),
    )
    if message.message.role == "user" and message.kind == "message":
        connection.execute(
            "UPDATE threads SET title = ?, title_origin = 'first message' WHERE id = ? AND title = ''",
            (storable(title_from(message.message.text)), thread_id),
        )
    return message_id


def note_attachments(connection: sqlite3.Connection, message_id: str, column: str) -> None:
    """Let a message hold on to the attachments that it names."""
    connection.executemany(
        "INSERT OR IGNORE INTO message_attachments (message_id, hash) VALUES (?, ?)",
        [(message_id, name) for name in hashes_in(column)],
    )


def _insert_message(
    connection: sqlite3.Connection,
    message_id: str,
    thread_id: str,
    new: NewMessage,
    column: str,
    parent_id: str | None,
    *,
    chosen: float,
    writer: str = "",
) -> None:
    insert_row(
        connection,
        "messages",
        id=message_id,
        thread_id=thread_id,
        parent_id=parent_id,
        role=new.message.role,
        parts=column,
        model=storable(new.model),
        status=new.status,
        error=storable(new.error),
        stats=stats_to_column(new.stats),
        writer=writer,
        created=time.time() if new.created is None else new.created,
        kind=new.kind,
        settings=snapshot_to_column(new.settings),
        edited=new.edited,
        chosen=chosen,
    )
    note_attachments(connection, message_id, column)


def insert_row(connection: sqlite3.Connection, table: str, **columns: Any) -> None:
    """Add a row to a table."""
    marks = ", ".join("?" * len(columns))
    connection.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", tuple(columns.values()))


def place_on_top(connection: sqlite3.Connection, folder_id: str | None) -> int:
    """The position above all threads of a folder."""
    row = connection.execute("SELECT MIN(position) FROM threads WHERE folder_id IS ?", (folder_id,)).fetchone()
    return 0 if row[0] is None else int(row[0]) - 1
