"""Changing the messages of a thread: new versions, insertions, roles, deletions.

Every change can be undone, and nothing that a person or a model has written is removed before the trash is
emptied.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable

from tui.domain import Message, Role
from tui.threads.attachments import Attachments
from tui.threads.changes import Changes, Undo, missing
from tui.threads.database import Database
from tui.threads.folding import require_ended
from tui.threads.inserting import insert_message, note_attachments
from tui.threads.reading import first_chosen, ids_below, last_below, leaf_of, message_of, require_message, versions_of
from tui.threads.records import MessageKind, NewMessage, StoredMessage
from tui.threads.rows import parts_to_column, snapshot_from_column

# Messages above one that have others beside them: only there it matters which was shown last.
_FORKS_ABOVE = """
    WITH RECURSIVE above (id, parent_id) AS (
        SELECT id, parent_id FROM messages WHERE id = ?
        UNION
        SELECT messages.id, messages.parent_id FROM messages JOIN above ON messages.id = above.parent_id
    )
    SELECT id FROM above WHERE EXISTS (
        SELECT 1 FROM messages AS other WHERE other.thread_id = ? AND other.parent_id IS above.parent_id
        AND other.id != above.id AND other.deleted_at IS NULL
    )
"""


class Editor:
    """What people do to messages. Everything raises StorageFailed, and Busy where an answer is still being written."""

    def __init__(self, database: Database, attachments: Attachments) -> None:
        self._database = database
        self._attachments = attachments

    def edit(self, message_id: str, message: Message) -> tuple[StoredMessage, Undo]:
        """Put a new version beside a message, which becomes the last one of the active branch. The old one stays."""
        column = parts_to_column(message.parts, self._attachments)
        with self._database.writing() as connection:
            old = self._require(connection, message_id)
            changes = self._changes(connection)
            changes.update("threads", old["thread_id"], leaf_id=leaf_of(connection, old["thread_id"]))
            new = NewMessage(
                message,
                None,
                model=old["model"],
                settings=snapshot_from_column(old["settings"]),
                kind=old["kind"],
                edited=time.time(),
            )
            new_id = insert_message(connection, old["thread_id"], new, column, old["parent_id"])
            changes.added("messages", new_id)
            return self._stored(connection, new_id), changes.undo("Edited a message", old["thread_id"])

    def edit_in_place(self, message_id: str, message: Message) -> Undo:
        """Change what a message says and leave everything around it as it is."""
        column = parts_to_column(message.parts, self._attachments)
        with self._database.writing() as connection:
            old = self._require(connection, message_id, ended=True)
            changes = self._changes(connection)
            changes.update("messages", message_id, parts=column, role=message.role, edited=time.time())
            note_attachments(connection, message_id, column)
            return changes.undo("Edited a message", old["thread_id"])

    def set_role(self, message_id: str, role: Role) -> Undo:
        """Let a message be somebody else's."""
        with self._database.writing() as connection:
            old = self._require(connection, message_id, ended=True)
            changes = self._changes(connection)
            changes.update("messages", message_id, role=role)
            return changes.undo("Changed the role of a message", old["thread_id"])

    def insert(
        self, thread_id: str, message: Message, *, after: str | None, kind: MessageKind = "message"
    ) -> tuple[StoredMessage, Undo]:
        """Put a message between another one and what follows it; `None` is at the very beginning."""
        column = parts_to_column(message.parts, self._attachments)
        with self._database.writing() as connection:
            changes = self._changes(connection)
            leaf_id = leaf_of(connection, thread_id)
            at_end = leaf_id is None or leaf_id == after
            if at_end:
                changes.update("threads", thread_id, leaf_id=leaf_id)
            if after is not None:
                require_message(connection, self._database.path, after, thread_id)
            following = _children(connection, thread_id, after)
            new_id = insert_message(connection, thread_id, NewMessage(message, None, kind=kind), column, after)
            changes.added("messages", new_id)
            for child in following:
                changes.update("messages", child, parent_id=new_id)
            if not at_end:
                connection.execute("UPDATE threads SET leaf_id = ? WHERE id = ?", (leaf_id, thread_id))
            return self._stored(connection, new_id), changes.undo("Inserted a message", thread_id)

    def delete(self, message_id: str) -> Undo:
        """Delete a message with all that follows it."""
        with self._database.writing() as connection:
            row = self._require(connection, message_id)
            thread_id = row["thread_id"]
            doomed = ids_below(connection, thread_id, message_id)
            require_ended(connection, self._database.path, doomed)
            changes = self._changes(connection)
            now = time.time()
            for below in doomed:
                changes.update("messages", below, deleted_at=now)
            self._leave(connection, changes, row, doomed)
            what = "a message" if len(doomed) == 1 else f"{len(doomed)} messages"
            return changes.undo(f"Deleted {what}", thread_id)

    def delete_single(self, message_id: str) -> Undo:
        """Delete one message; what follows it moves up to the one before it."""
        with self._database.writing() as connection:
            row = self._require(connection, message_id, ended=True)
            thread_id = row["thread_id"]
            changes = self._changes(connection)
            for child in _children(connection, thread_id, message_id):
                changes.update("messages", child, parent_id=row["parent_id"])
            changes.update("messages", message_id, deleted_at=time.time())
            self._leave(connection, changes, row, [message_id])
            return changes.undo("Deleted a message", thread_id)

    def versions(self, message_id: str) -> list[StoredMessage]:
        """A message and those that stand in its place, the oldest first."""
        with self._database.reading() as connection:
            return versions_of(connection, self._attachments, message_id)

    def activate(self, message_id: str) -> Undo:
        """Put a message onto the active branch, and below it what was shown there last."""
        with self._database.writing() as connection:
            return self._activate(connection, message_id)

    def step_version(self, message_id: str, step: int) -> str | None:
        """Show the version that stands `step` places on; its id, or `None` if there is none."""
        with self._database.writing() as connection:
            row = self._require(connection, message_id)
            versions = _children(connection, row["thread_id"], row["parent_id"])
            place = versions.index(message_id) + step
            if not 0 <= place < len(versions):
                return None
            self._activate(connection, versions[place])
            return versions[place]

    def _activate(self, connection: sqlite3.Connection, message_id: str) -> Undo:
        row = self._require(connection, message_id)
        thread_id = row["thread_id"]
        changes = self._changes(connection)
        now = time.time()
        for fork in connection.execute(_FORKS_ABOVE, (message_id, thread_id)).fetchall():
            changes.update("messages", fork["id"], chosen=now)
        changes.update("threads", thread_id, leaf_id=last_below(connection, thread_id, message_id))
        return changes.undo("Changed the version", thread_id)

    def _leave(
        self, connection: sqlite3.Connection, changes: Changes, row: sqlite3.Row, deleted: Iterable[str]
    ) -> None:
        """Give the active branch another end if its own is among the messages that were deleted."""
        thread = connection.execute("SELECT leaf_id FROM threads WHERE id = ?", (row["thread_id"],)).fetchone()
        if thread["leaf_id"] not in set(deleted):
            return
        beside = first_chosen(connection, row["thread_id"], row["parent_id"])
        leaf_id = row["parent_id"] if beside is None else last_below(connection, row["thread_id"], beside)
        changes.update("threads", row["thread_id"], leaf_id=leaf_id)

    def _changes(self, connection: sqlite3.Connection) -> Changes:
        return Changes(connection, self._database.path)

    def _stored(self, connection: sqlite3.Connection, message_id: str) -> StoredMessage:
        stored = message_of(connection, self._attachments, message_id)
        if stored is None:
            raise missing("messages", self._database.path)
        return stored

    def _require(self, connection: sqlite3.Connection, message_id: str, *, ended: bool = False) -> sqlite3.Row:
        row = require_message(connection, self._database.path, message_id)
        if ended:
            require_ended(connection, self._database.path, [message_id])
        return row


def _children(connection: sqlite3.Connection, thread_id: str, parent_id: str | None) -> list[str]:
    """The messages behind one, or the first ones, the oldest first."""
    rows = connection.execute(
        "SELECT id FROM messages WHERE thread_id = ? AND parent_id IS ? AND deleted_at IS NULL ORDER BY id",
        (thread_id, parent_id),
    )
    return [row["id"] for row in rows]
