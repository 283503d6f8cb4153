"""Threads that have been read, put into the store: all of them in one transaction, or none.

They wait in a temporary file, each on its line, until the last one has been read without a fault. So memory holds
one thread at a time, and the store is not kept from others while files are read.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO

from tui.domain import Message
from tui.threads.attachments import Attachments
from tui.threads.changes import Changes, Undo
from tui.threads.database import Database
from tui.threads.folders import require_folder
from tui.threads.identifiers import new_id
from tui.threads.inserting import insert_row
from tui.threads.interchange.own_json import thread_from_json, thread_to_json
from tui.threads.interchange.portable import PortableFolder, PortableMessage, PortableThread
from tui.threads.interchange.values import Place, written
from tui.threads.organizing import put_thread
from tui.threads.records import NewMessage, NewThread
from tui.threads.rows import parts_to_column, storable
from tui.threads.thread_settings import ThreadSettings, settings_to_column
from tui.threads.titles import title_from

# Below this many bytes the waiting threads stay in memory.
_IN_MEMORY = 2**24


@dataclass(frozen=True, slots=True)
class Placed:
    """What has been put into the store."""

    thread_ids: tuple[str, ...]
    undo: Undo


class WaitingRoom:
    """Threads that have been read and wait for the rest."""

    def __init__(self, file: IO[str], attachments: Attachments) -> None:
        self._file = file
        self._attachments = attachments
        self.count = 0
        self.folders: dict[tuple[str, ...], PortableFolder] = {}
        """The folders that the files say something about, by path."""

    def add(self, item: PortableThread | PortableFolder) -> None:
        """Take a thread or folder. Pictures go to the attachments now: writing them takes time."""
        if isinstance(item, PortableFolder):
            self.folders[item.path] = item
            return
        columns = [parts_to_column(node.message.parts, self._attachments) for node in item.messages]
        asked = (node.message.text for node in item.messages if node.message.role == "user")
        generated = "" if item.title else title_from(next(asked, ""))
        bare = replace(item, title=item.title or generated, messages=tuple(_without_parts(n) for n in item.messages))
        line = {"thread": thread_to_json(bare), "columns": columns, "generated": bool(generated)}
        # Escaped, so that a line break within it ends no line.
        self._file.write(json.dumps(line) + "\n")
        self.count += 1

    def leave(self) -> Iterator[tuple[PortableThread, list[str], bool]]:
        """The threads in the order in which they came: each without its parts, these as columns, whose title it is."""
        self._file.seek(0)
        for line in self._file:
            value = json.loads(line)
            yield thread_from_json(value["thread"], Place("")), value["columns"], value["generated"]


@contextmanager
def waiting_room(attachments: Attachments) -> Iterator[WaitingRoom]:
    """A place for threads to wait in, which goes with all that it holds."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="\n") as file:
        yield WaitingRoom(file, attachments)


def place_all(database: Database, room: WaitingRoom, folder_id: str | None) -> Placed:
    """Put all waiting threads into the store, below a folder. Raises StorageFailed and BadRequest."""
    thread_ids: list[str] = []
    with database.writing() as connection:
        if folder_id is not None:
            require_folder(connection, database, folder_id)
        changes = Changes(connection, database.path)
        folders = _Folders(connection, changes, folder_id, room.folders)
        for path in sorted(room.folders):
            folders.find_or_make(path)
        for thread, columns, generated in room.leave():
            new = _new_thread(thread, folders.find_or_make(thread.folder), generated=generated)
            thread_id = put_thread(connection, database, new, columns)
            _put_rest(connection, thread_id, thread)
            changes.added("threads", thread_id)
            thread_ids.append(thread_id)
        count = len(thread_ids)
        return Placed(tuple(thread_ids), changes.undo(f"Imported {count:,} thread{'' if count == 1 else 's'}"))


class _Folders:
    """Finds folders by their titles, and makes those that are not there."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        changes: Changes,
        root: str | None,
        described: Mapping[tuple[str, ...], PortableFolder],
    ) -> None:
        self._connection = connection
        self._changes = changes
        self._described = described
        self._known: dict[tuple[str, ...], str | None] = {(): root}

    def find_or_make(self, path: Iterable[str]) -> str | None:
        """The folder at a path. A new one gets the settings that the files bring; one that was there keeps its own."""
        at: tuple[str, ...] = ()
        for step in path:
            parent = self._known[at]
            at = (*at, step)
            if at not in self._known:
                folder = self._described.get(at) or PortableFolder(at)
                title = storable(folder.title or step)
                self._known[at] = self._find(parent, title) or self._make(parent, title, folder.settings)
        return self._known[at]

    def _find(self, parent: str | None, title: str) -> str | None:
        row = self._connection.execute(
            "SELECT id FROM folders WHERE parent_id IS ? AND title = ? AND deleted_at IS NULL ORDER BY position",
            (parent, title),
        ).fetchone()
        return None if row is None else str(row["id"])

    def _make(self, parent: str | None, title: str, settings: ThreadSettings) -> str:
        last = self._connection.execute("SELECT MAX(position) FROM folders WHERE parent_id IS ?", (parent,)).fetchone()
        folder_id = new_id()
        insert_row(
            self._connection,
            "folders",
            id=folder_id,
            parent_id=parent,
            title=title,
            position=0 if last[0] is None else last[0] + 1,
            settings=settings_to_column(settings),
            created=time.time(),
        )
        self._changes.added("folders", folder_id)
        return folder_id


def _new_thread(thread: PortableThread, folder_id: str | None, *, generated: bool) -> NewThread:
    places = {node.id: index for index, node in enumerate(thread.messages)}
    return NewThread(
        thread.title,
        tuple(_new_message(node, places) for node in thread.messages),
        None if thread.leaf is None else places[thread.leaf],
        folder_id,
        thread.settings,
        thread.pinned,
        thread.created or None,
        thread.updated or thread.created or None,
        thread.draft,
        "first message" if generated else "person",
    )


def _new_message(node: PortableMessage, places: dict[str, int]) -> NewMessage:
    return NewMessage(
        node.message,
        None if node.parent is None else places[node.parent],
        node.model,
        node.status,
        node.error,
        node.stats,
        node.settings,
        node.kind,
        node.created or None,
        node.edited,
    )


def _put_rest(connection: sqlite3.Connection, thread_id: str, thread: PortableThread) -> None:
    """Put what a `NewThread` has no place for: when it was archived, its last model, what its file said besides."""
    if thread.archived is not None:
        connection.execute("UPDATE threads SET archived_at = ? WHERE id = ?", (thread.archived, thread_id))
    if thread.model:
        connection.execute("UPDATE threads SET model = ? WHERE id = ?", (thread.model, thread_id))
    if thread.foreign:
        insert_row(connection, "foreign_thread_data", thread_id=thread_id, data=written(dict(thread.foreign)))
    if any(node.foreign for node in thread.messages):
        # Ids are given in the order of the messages, and sort by it.
        rows = connection.execute("SELECT id FROM messages WHERE thread_id = ? ORDER BY id", (thread_id,)).fetchall()
        connection.executemany(
            "INSERT INTO foreign_message_data (message_id, data) VALUES (?, ?)",
            [
                (row["id"], written(dict(node.foreign)))
                for row, node in zip(rows, thread.messages, strict=True)
                if node.foreign
            ],
        )


def _without_parts(node: PortableMessage) -> PortableMessage:
    return replace(node, message=Message(node.message.role, ()))
