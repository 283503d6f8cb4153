"""Reading threads: what can be done with any store, also with one that a newer lmdeck has written."""

from __future__ import annotations

from tui.threads import organizing, reading
from tui.threads.attachments import Attachments
from tui.threads.database import Database
from tui.threads.finder import Finder
from tui.threads.folders import folders_in_order
from tui.threads.records import SettingsLayer, StoredMessage, ThreadSet, ThreadSort, ThreadSummary
from tui.threads.rows import summary_from_row
from tui.threads.thread_settings import ThreadSettings, collapse
from tui.threads.tree import TreeRow, in_order, tree_rows

_SETS: dict[ThreadSet, str] = {
    "active": "trashed_at IS NULL AND archived_at IS NULL",
    "archived": "trashed_at IS NULL AND archived_at IS NOT NULL",
    "trashed": "trashed_at IS NOT NULL",
}


class ThreadReader:
    """Threads, messages, settings and drafts, to be looked at. Everything raises StorageFailed."""

    def __init__(self, database: Database, attachments: Attachments) -> None:
        self._database = database
        self._path = database.path
        self.attachments = attachments
        self.finder = Finder(database)

    def list_threads(self, which: ThreadSet = "active", *, sort: ThreadSort = "updated") -> list[ThreadSummary]:
        """Threads in an order, those that are pinned first; by default those in use, the newest use first."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{reading.SUMMARIES} WHERE {_SETS[which]}").fetchall()
        return in_order(map(summary_from_row, rows), sort)

    def tree(self, *, sort: ThreadSort = "updated", expand_all: bool = False) -> list[TreeRow]:
        """The threads in use, in their folders, as lines; without what lies in collapsed folders."""
        with self._database.reading() as connection:
            folders = folders_in_order(connection)
            rows = connection.execute(f"{reading.SUMMARIES} WHERE {_SETS['active']}").fetchall()
        return tree_rows(folders, map(summary_from_row, rows), sort, expand_all=expand_all)

    def thread(self, thread_id: str) -> ThreadSummary | None:
        """One thread, also when it is in the trash; `None` if there is no such thread."""
        with self._database.reading() as connection:
            return reading.summary_of(connection, thread_id)

    def thread_settings(self, thread_id: str) -> ThreadSettings:
        """What a thread itself says about how its answers are made."""
        return self.settings_layers(thread_id)[0].settings

    def settings_layers(self, thread_id: str) -> tuple[SettingsLayer, ...]:
        """The settings of a thread and of the folders that it lies in, the most specific first."""
        with self._database.reading() as connection:
            return organizing.settings_layers(connection, self._database, thread_id)

    def effective_settings(self, thread_id: str) -> ThreadSettings:
        """What holds for a thread when its folders are counted in."""
        return collapse(layer.settings for layer in self.settings_layers(thread_id))

    def draft(self, thread_id: str) -> str:
        """What the person has typed into a thread but not sent."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT draft FROM threads WHERE id = ?", (thread_id,)).fetchone()
            return "" if row is None else str(row["draft"])

    def input_history(self, limit: int = 200) -> list[str]:
        """What the person has sent in all threads, the newest first, each text once."""
        with self._database.reading() as connection:
            return organizing.input_history(connection, limit)

    def messages(self, thread_id: str) -> list[StoredMessage]:
        """The active branch, from the first message to the last; of a running answer what is on disk so far."""
        with self._database.reading() as connection:
            return reading.branch_above(connection, self.attachments, reading.leaf_of(connection, thread_id))

    def branch(self, message_id: str) -> list[StoredMessage]:
        """A message and all before it, the first one first, whether that is the active branch or another one."""
        with self._database.reading() as connection:
            return reading.branch_above(connection, self.attachments, message_id)

    def last_messages(self, thread_id: str, count: int, *, before: str | None = None) -> list[StoredMessage]:
        """The last messages of the active branch, or those above the one called `before`, the oldest first.

        Takes as long as they are many, however long the thread is.
        """
        with self._database.reading() as connection:
            if before is None:
                return reading.branch_above(connection, self.attachments, reading.leaf_of(connection, thread_id), count)
            parent_id = reading.require_message(connection, self._path, before, thread_id)["parent_id"]
            return reading.branch_above(connection, self.attachments, parent_id, count)

    def all_messages(self, thread_id: str) -> list[StoredMessage]:
        """Every message on every branch, each behind its parent."""
        with self._database.reading() as connection:
            return reading.all_messages(connection, self.attachments, thread_id)

    def message(self, message_id: str) -> StoredMessage | None:
        """One message; `None` if there is none of that id, or it was deleted."""
        with self._database.reading() as connection:
            return reading.message_of(connection, self.attachments, message_id)

    def leaf(self, thread_id: str) -> str | None:
        """The last message of the active branch; `None` in an empty thread."""
        with self._database.reading() as connection:
            return reading.leaf_of(connection, thread_id)
