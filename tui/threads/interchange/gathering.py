"""Threads out of the store, in the form that every format is written from; inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tui.threads.attachments import Attachments
from tui.threads.changes import missing
from tui.threads.interchange.portable import PortableMessage, PortableThread
from tui.threads.reading import all_messages, leaf_of, summary_of
from tui.threads.records import StoredMessage
from tui.threads.thread_settings import ThreadSettings, settings_from_column


def gather_thread(
    connection: sqlite3.Connection, attachments: Attachments, path: Path, thread_id: str, folder: tuple[str, ...] = ()
) -> PortableThread:
    """A whole thread. Raises StorageFailed if there is none of that id."""
    summary = summary_of(connection, thread_id)
    if summary is None:
        raise missing("threads", path)
    row = connection.execute("SELECT settings, draft FROM threads WHERE id = ?", (thread_id,)).fetchone()
    foreign = _foreign_of_messages(connection, thread_id)
    return PortableThread(
        title=summary.title,
        created=summary.created,
        updated=summary.updated,
        pinned=summary.pinned,
        archived=summary.archived,
        draft=row["draft"],
        model=summary.model,
        settings=settings_from_column(row["settings"]),
        messages=tuple(
            _portable(stored, foreign.get(stored.id, {})) for stored in all_messages(connection, attachments, thread_id)
        ),
        leaf=leaf_of(connection, thread_id),
        folder=folder,
        foreign=_foreign_of_thread(connection, thread_id),
    )


def only_message(thread: PortableThread, message_id: str, path: Path) -> PortableThread:
    """A thread with one message of another one, without what the thread says besides. Raises StorageFailed."""
    node = next((node for node in thread.messages if node.id == message_id), None)
    if node is None:
        raise missing("messages", path)
    alone = PortableMessage(
        node.id,
        None,
        node.message,
        kind=node.kind,
        model=node.model,
        status=node.status,
        error=node.error,
        stats=node.stats,
        created=node.created,
        edited=node.edited,
        settings=node.settings,
    )
    return PortableThread(
        title=thread.title,
        created=node.created,
        updated=node.created,
        settings=ThreadSettings(),
        messages=(alone,),
        leaf=node.id,
    )


def _portable(stored: StoredMessage, foreign: Mapping[str, Any]) -> PortableMessage:
    return PortableMessage(
        id=stored.id,
        parent=stored.parent_id,
        message=stored.message,
        kind=stored.kind,
        model=stored.model,
        status=stored.status,
        error=stored.error,
        stats=stored.stats,
        created=stored.created,
        edited=stored.edited,
        settings=stored.settings,
        foreign=foreign,
    )


def _foreign_of_messages(connection: sqlite3.Connection, thread_id: str) -> dict[str, Mapping[str, Any]]:
    rows = connection.execute(
        "SELECT message_id, data FROM foreign_message_data JOIN messages ON messages.id = message_id"
        " WHERE thread_id = ?",
        (thread_id,),
    )
    return {row["message_id"]: _object(row["data"]) for row in rows}


def _foreign_of_thread(connection: sqlite3.Connection, thread_id: str) -> Mapping[str, Any]:
    row = connection.execute("SELECT data FROM foreign_thread_data WHERE thread_id = ?", (thread_id,)).fetchone()
    return {} if row is None else _object(row["data"])


def _object(column: str) -> Mapping[str, Any]:
    """What a column holds; nothing where it is damaged, as a thread is still worth exporting without it."""
    try:
        value = json.loads(column)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
