"""The threads of one installation, in one SQLite file."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from tui.domain import Message, StorageFailed
from tui.threads.database import Database
from tui.threads.failures import failures_of
from tui.threads.folding import fold, unfinished_answers
from tui.threads.identifiers import new_id
from tui.threads.recorder import AnswerRecorder
from tui.threads.records import MessageStatus, StoredMessage, ThreadSummary
from tui.threads.rows import chunks_of, message_from_row, parts_to_column, storable, summary_from_row
from tui.threads.titles import title_from
from tui.threads.writers import Writer, remove_files_of_dead_writers

_SUMMARIES = """
    SELECT *, (SELECT COUNT(*) FROM messages WHERE thread_id = threads.id) AS message_count FROM threads
"""

_ACTIVE_BRANCH = """
    WITH RECURSIVE branch (id, parent_id, depth) AS (
        SELECT messages.id, messages.parent_id, 0
        FROM messages JOIN threads ON messages.id = threads.leaf_id WHERE threads.id = ?
        UNION ALL
        SELECT messages.id, messages.parent_id, depth + 1
        FROM messages JOIN branch ON messages.id = branch.parent_id
    )
    SELECT messages.* FROM branch JOIN messages USING (id) ORDER BY depth DESC
"""


class ThreadStore:
    """Threads, their trees of messages, and drafts.

    Opening creates or migrates the file and makes answers whole whose process died. Safe to use from several
    threads, and several processes may have the same file open. Everything raises StorageFailed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Writer | None = None
        self._recorders: list[AnswerRecorder] = []
        self._database = Database(path)
        self.read_only = self._database.read_only
        """Whether a newer lmdeck has written the file, so that this one must not."""
        if not self.read_only:
            self._end_answers_of_dead_writers()

    def list_threads(self) -> list[ThreadSummary]:
        """All threads but those in the trash, the most recently used first."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_SUMMARIES} WHERE trashed_at IS NULL ORDER BY updated DESC, id DESC")
            return [summary_from_row(row) for row in rows]

    def thread(self, thread_id: str) -> ThreadSummary | None:
        """One thread, also when it is in the trash; `None` if there is no such thread."""
        with self._database.reading() as connection:
            row = connection.execute(f"{_SUMMARIES} WHERE id = ?", (thread_id,)).fetchone()
            return None if row is None else summary_from_row(row)

    def create_thread(self, title: str = "") -> ThreadSummary:
        """A new, empty thread. Without a title it takes one from its first user message."""
        now = time.time()
        summary = ThreadSummary(new_id(), storable(title), now, now, 0, "")
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO threads (id, title, created, updated) VALUES (?, ?, ?, ?)",
                (summary.id, summary.title, now, now),
            )
        return summary

    def rename_thread(self, thread_id: str, title: str) -> None:
        """Give a thread another title."""
        self._change_thread("UPDATE threads SET title = ? WHERE id = ?", storable(title), thread_id)

    def trash_thread(self, thread_id: str) -> None:
        """Put a thread into the trash, from where `restore_thread` brings it back whole."""
        self._change_thread("UPDATE threads SET trashed_at = ? WHERE id = ?", time.time(), thread_id)

    def restore_thread(self, thread_id: str) -> None:
        """Bring a thread back from the trash."""
        self._change_thread("UPDATE threads SET trashed_at = NULL WHERE id = ?", thread_id)

    def draft(self, thread_id: str) -> str:
        """What the person has typed into a thread but not sent."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT draft FROM threads WHERE id = ?", (thread_id,)).fetchone()
            return "" if row is None else str(row["draft"])

    def save_draft(self, thread_id: str, text: str) -> None:
        """Keep what the person has typed but not sent."""
        self._change_thread("UPDATE threads SET draft = ? WHERE id = ?", storable(text), thread_id)

    def messages(self, thread_id: str) -> list[StoredMessage]:
        """The active branch, from the first message to the last; of a running answer what is on disk so far."""
        with self._database.reading() as connection:
            rows = connection.execute(_ACTIVE_BRANCH, (thread_id,)).fetchall()
            return [
                message_from_row(row, chunks_of(connection, row["id"]) if row["status"] == "streaming" else ())
                for row in rows
            ]

    def add_message(
        self, thread_id: str, message: Message, *, parent_id: str | None = None, model: str = ""
    ) -> StoredMessage:
        """Add a message behind `parent_id`, or behind the last one of the active branch, and make it the last one.

        It is on disk, safe from a power cut, when this returns.
        """
        with self._database.writing() as connection:
            return self._insert(connection, thread_id, message, parent_id, model, "complete", "")

    def begin_answer(self, thread_id: str, *, parent_id: str | None = None, model: str) -> AnswerRecorder:
        """Add an empty answer of a model, as `add_message` does, and hand out what fills it."""
        with self._database.writing() as connection:
            if self._writer is None:
                with failures_of(self._path):
                    self._writer = Writer(self._path)
            answer = self._insert(
                connection, thread_id, Message("assistant", ()), parent_id, model, "streaming", self._writer.id
            )
            recorder = AnswerRecorder(self._database, answer.id)
            self._recorders = [*(other for other in self._recorders if not other.ended), recorder]
        return recorder

    def close(self) -> None:
        """End running answers as interrupted, keeping what came, and close the file."""
        for recorder in self._recorders:
            recorder.interrupt()
        self._recorders = []
        self._database.close()
        if self._writer is not None:
            self._writer.release()
            self._writer = None

    def _insert(
        self,
        connection: sqlite3.Connection,
        thread_id: str,
        message: Message,
        parent_id: str | None,
        model: str,
        status: MessageStatus,
        writer: str,
    ) -> StoredMessage:
        now = time.time()
        if parent_id is None:
            row = connection.execute("SELECT leaf_id FROM threads WHERE id = ?", (thread_id,)).fetchone()
            parent_id = None if row is None else row["leaf_id"]
        message_id = new_id()
        connection.execute(
            "INSERT INTO messages (id, thread_id, parent_id, role, parts, model, status, writer, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                message_id,
                thread_id,
                parent_id,
                message.role,
                parts_to_column(message.parts),
                model,
                status,
                writer,
                now,
            ),
        )
        connection.execute(
            "UPDATE threads SET leaf_id = ?, updated = ?, model = COALESCE(NULLIF(?, ''), model) WHERE id = ?",
            (message_id, now, model, thread_id),
        )
        if message.role == "user":
            title = storable(title_from(message.text))
            connection.execute("UPDATE threads SET title = ? WHERE id = ? AND title = ''", (title, thread_id))
        return StoredMessage(message_id, thread_id, parent_id, message, model, status, "", None, now)

    def _change_thread(self, statement: str, *values: str | float) -> None:
        with self._database.writing() as connection:
            if connection.execute(statement, values).rowcount == 0:
                raise StorageFailed(
                    f"The thread does not exist in {self._path}.",
                    "It may have been removed by another lmdeck; open the thread list again.",
                )

    def _end_answers_of_dead_writers(self) -> None:
        with self._database.reading() as connection:
            unfinished = unfinished_answers(connection, self._path)
        if unfinished:
            try:
                with self._database.writing() as connection:
                    # Asked again: another process may have opened the store at the same moment and done it.
                    for message_id in unfinished_answers(connection, self._path):
                        fold(connection, message_id, "interrupted")
            except StorageFailed:
                # A full disk must not keep people from reading; their text is shown from its chunks.
                return
        remove_files_of_dead_writers(self._path)
