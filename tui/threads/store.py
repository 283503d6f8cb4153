"""The threads of one installation, in one SQLite file and a folder of attachments."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tui.domain import Busy, Message, StorageFailed
from tui.threads import organizing, reading
from tui.threads.attachments import Attachments
from tui.threads.backup import back_up, restore
from tui.threads.changes import Undo, Value
from tui.threads.copying import branch_off, duplicate
from tui.threads.database import Database
from tui.threads.editor import Editor
from tui.threads.failures import failures_of
from tui.threads.folders import Folders
from tui.threads.folding import end_answers_of_dead_writers, reopen, unfinished_answers
from tui.threads.identifiers import new_id
from tui.threads.inserting import insert_message
from tui.threads.interchange import Interchange
from tui.threads.reader import ThreadReader
from tui.threads.recorder import AnswerRecorder
from tui.threads.records import (
    MessageKind,
    NewMessage,
    NewThread,
    StoredMessage,
    ThreadSummary,
)
from tui.threads.rows import parts_to_column, storable
from tui.threads.thread_settings import ThreadSettings, settings_to_column
from tui.threads.undoing import take_back
from tui.threads.writers import Writer, remove_files_of_dead_writers


class ThreadStore(ThreadReader):
    """Threads, their trees of messages, and drafts.

    Opening creates or migrates the file and makes answers whole whose process died. Safe to use from several
    threads, and several processes may have the same file open. Everything raises StorageFailed.
    """

    def __init__(self, path: Path, attachments: Path | None = None) -> None:
        super().__init__(Database(path), Attachments(attachments or path.parent / "attachments"))
        self._lock = threading.Lock()
        self._writer: Writer | None = None
        self._recorders: list[AnswerRecorder] = []
        self.read_only = self._database.read_only
        """Whether a newer lmdeck has written the file, so that this one must not."""
        self.folders = Folders(self._database)
        self.editor = Editor(self._database, self.attachments)
        self.interchange = Interchange(self._database, self.attachments)
        if not self.read_only:
            self._end_answers_of_dead_writers()

    def create_thread(
        self, title: str = "", *, folder_id: str | None = None, settings: ThreadSettings | None = None
    ) -> ThreadSummary:
        """A new, empty thread. Without a title it takes one from its first user message."""
        return self.put_thread(NewThread(title, folder_id=folder_id, settings=settings or ThreadSettings()))

    def put_thread(self, new: NewThread) -> ThreadSummary:
        """Store a whole thread, such as one that is imported, or nothing of it. Raises BadRequest."""
        columns = [parts_to_column(message.message.parts, self.attachments) for message in new.messages]
        with self._database.writing() as connection:
            return self._summary(connection, organizing.put_thread(connection, self._database, new, columns))

    def duplicate_thread(self, thread_id: str) -> ThreadSummary:
        """Copy a thread with all its versions and settings; attachments are shared."""
        with self._database.writing() as connection:
            return self._summary(connection, duplicate(connection, self._path, thread_id))

    def branch_thread(self, message_id: str) -> ThreadSummary:
        """Make a new thread of a message and those before it."""
        with self._database.writing() as connection:
            return self._summary(connection, branch_off(connection, self._path, message_id))

    def rename_thread(self, thread_id: str, title: str) -> Undo:
        """Give a thread another title."""
        return self._change(thread_id, "Renamed a thread", title=storable(title), title_origin="person")

    def set_title(self, thread_id: str, title: str, *, generated: bool = False) -> Undo | None:
        """Give a thread another title; `None` if it was generated and the thread has one of the person's."""
        with self._database.writing() as connection:
            return organizing.set_title(connection, self._database, thread_id, title, generated=generated)

    def pin_thread(self, thread_id: str, pinned: bool) -> Undo:
        """Keep a thread above the others."""
        return self._change(thread_id, "Pinned a thread" if pinned else "Unpinned a thread", pinned=int(pinned))

    def archive_thread(self, thread_id: str, archived: bool) -> Undo:
        """Put a thread away, where search still finds it, or bring it back."""
        title = "Archived a thread" if archived else "Brought a thread back"
        return self._change(thread_id, title, archived_at=time.time() if archived else None)

    def move_thread(self, thread_id: str, folder_id: str | None, *, before: str | None = None) -> Undo:
        """Put a thread into a folder, in the order of people above its thread `before` or below all."""
        with self._database.writing() as connection:
            return organizing.move(connection, self._database, thread_id, folder_id, before)

    def trash_thread(self, thread_id: str) -> Undo:
        """Put a thread into the trash, from where `restore_thread` brings it back whole."""
        return self._change(thread_id, "Deleted a thread", trashed_at=time.time())

    def restore_thread(self, thread_id: str) -> Undo:
        """Bring a thread back from the trash; to the top if its folder was deleted."""
        with self._database.writing() as connection:
            return organizing.restore(connection, self._database, thread_id)

    def empty_trash(self) -> int:
        """Remove for good what is in the trash and what was deleted; how many threads. Raises Busy."""
        with self._database.writing() as connection:
            return organizing.empty_trash(connection, self._database, self.attachments)

    def delete_thread(self, thread_id: str) -> None:
        """Remove a thread for good, without a way back. Raises Busy."""
        with self._database.writing() as connection:
            organizing.delete(connection, self._database, self.attachments, thread_id)

    def save_thread_settings(self, thread_id: str, settings: ThreadSettings) -> Undo:
        """Keep what a thread says about how its answers are made."""
        return self._change(thread_id, "Changed the settings of a thread", settings=settings_to_column(settings))

    def save_draft(self, thread_id: str, text: str) -> None:
        """Keep what the person has typed but not sent."""
        self._change(thread_id, "Typed", draft=storable(text))

    def add_message(
        self,
        thread_id: str,
        message: Message,
        *,
        parent_id: str | None = None,
        model: str = "",
        kind: MessageKind = "message",
    ) -> StoredMessage:
        """Add a message behind `parent_id`, or behind the last one of the active branch, and make it the last one.

        It is on disk, safe from a power cut, when this returns.
        """
        return self._add(thread_id, NewMessage(message, None, model=model, kind=kind), parent_id)

    def begin_answer(
        self,
        thread_id: str,
        *,
        parent_id: str | None = None,
        model: str,
        settings: Mapping[str, Any] | None = None,
    ) -> AnswerRecorder:
        """Add an empty answer of a model, as `add_message` does, and hand out what fills it.

        `settings` is what it is written with, as JSON values.
        """
        new = NewMessage(Message("assistant", ()), None, model=model, status="streaming", settings=settings or {})
        return self._record(self._add(thread_id, new, parent_id, writer=self._writer_id()).id)

    def continue_answer(
        self, message_id: str, *, model: str, settings: Mapping[str, Any] | None = None
    ) -> AnswerRecorder:
        """Hand out what adds to an answer that has ended; what it says already stays. Raises Busy."""
        writer = self._writer_id()
        with self._database.writing() as connection:
            reading.require_message(connection, self._path, message_id)
            reopen(connection, self._path, message_id, model, settings, writer)
        return self._record(message_id)

    def undo(self, undo: Undo) -> Undo:
        """Take a change back; returns what does it again. Raises Busy where an answer is being written."""
        with self._database.writing() as connection:
            return take_back(connection, self._path, undo)

    def back_up(self, target: Path) -> None:
        """Write the threads and their attachments into one ZIP file; the store can be used meanwhile."""
        back_up(self._database, self.attachments, target)

    def restore_backup(self, source: Path) -> Path:
        """Put a backup in the place of all threads. Returns where what was there before has been backed up to.

        Raises Busy while this process writes an answer.
        """
        if any(not recorder.ended for recorder in self._recorders):
            raise Busy("An answer is still being written.", "Stop it before restoring a backup.")
        moment = time.strftime("%Y%m%d-%H%M%S")
        before = self._path.with_name(f"before-restore-{moment}-{new_id()[-6:]}.zip")
        self.back_up(before)
        restore(self._database, self.attachments, source)
        self._end_answers_of_dead_writers()
        return before

    def close(self) -> None:
        """End running answers as interrupted, keeping what came, and close the file."""
        for recorder in self._recorders:
            recorder.interrupt()
        self._recorders = []
        self._database.close()
        if self._writer is not None:
            self._writer.release()
            self._writer = None

    def _add(self, thread_id: str, new: NewMessage, parent_id: str | None, *, writer: str = "") -> StoredMessage:
        column = parts_to_column(new.message.parts, self.attachments)
        with self._database.writing() as connection:
            if parent_id is None:
                parent_id = reading.leaf_of(connection, thread_id)
            else:
                reading.require_message(connection, self._path, parent_id, thread_id)
            message_id = insert_message(connection, thread_id, new, column, parent_id, writer=writer)
            stored = reading.message_of(connection, self.attachments, message_id)
        assert stored is not None
        return stored

    def _record(self, message_id: str) -> AnswerRecorder:
        recorder = AnswerRecorder(self._database, message_id)
        with self._lock:
            self._recorders = [*(other for other in self._recorders if not other.ended), recorder]
        return recorder

    def _writer_id(self) -> str:
        if self.read_only:
            return ""
        with self._lock, failures_of(self._path):
            if self._writer is None:
                self._writer = Writer(self._path)
            return self._writer.id

    def _change(self, thread_id: str, done: str, /, **columns: Value) -> Undo:
        with self._database.writing() as connection:
            return organizing.change(connection, self._database, thread_id, done, **columns)

    def _summary(self, connection: sqlite3.Connection, thread_id: str) -> ThreadSummary:
        summary = reading.summary_of(connection, thread_id)
        assert summary is not None
        return summary

    def _end_answers_of_dead_writers(self) -> None:
        with self._database.reading() as connection:
            unfinished = unfinished_answers(connection, self._path)
        if unfinished:
            try:
                with self._database.writing() as connection:
                    # Asked again: another process may have opened the store at the same moment and done it.
                    end_answers_of_dead_writers(connection, self._path)
            except StorageFailed:
                # A full disk must not keep people from reading; their text is shown from its chunks.
                return
        remove_files_of_dead_writers(self._path)
