"""The tree of folders."""

from __future__ import annotations

import sqlite3
import time

from tui.domain import BadRequest
from tui.threads.changes import Changes, Undo, missing
from tui.threads.database import Database
from tui.threads.identifiers import new_id
from tui.threads.inserting import insert_row
from tui.threads.ordering import place
from tui.threads.records import Folder
from tui.threads.rows import folder_from_row, storable
from tui.threads.thread_settings import ThreadSettings, settings_to_column

_FOLDERS = "SELECT * FROM folders WHERE deleted_at IS NULL ORDER BY position, created, id"

BELOW = """
    WITH RECURSIVE below (id) AS (
        SELECT id FROM folders WHERE id = ? AND deleted_at IS NULL
        UNION
        SELECT folders.id FROM folders JOIN below ON folders.parent_id = below.id WHERE deleted_at IS NULL
    )
    SELECT id FROM below
"""
"""A folder and all folders in it."""


class Folders:
    """Folders for threads, one in another. Everything raises StorageFailed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Folder]:
        """All folders in the order in which people see them, each behind the one that it lies in."""
        with self._database.reading() as connection:
            return folders_in_order(connection)

    def get(self, folder_id: str) -> Folder | None:
        """One folder; `None` if there is no such folder."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT * FROM folders WHERE id = ? AND deleted_at IS NULL", (folder_id,)
            ).fetchone()
            return None if row is None else folder_from_row(row)

    def create(self, title: str, *, parent_id: str | None = None) -> Folder:
        """A new, empty folder, below those that are there."""
        folder_id = new_id()
        with self._database.writing() as connection:
            if parent_id is not None:
                self._require(connection, parent_id)
            last = connection.execute("SELECT MAX(position) FROM folders WHERE parent_id IS ?", (parent_id,)).fetchone()
            insert_row(
                connection,
                "folders",
                id=folder_id,
                parent_id=parent_id,
                title=storable(title),
                position=0 if last[0] is None else last[0] + 1,
                created=time.time(),
            )
            return self._require(connection, folder_id)

    def rename(self, folder_id: str, title: str) -> Undo:
        """Give a folder another title."""
        return self._update(folder_id, "Renamed a folder", title=storable(title))

    def set_collapsed(self, folder_id: str, collapsed: bool) -> None:
        """Keep whether the folder's content is out of sight."""
        self._update(folder_id, "Folded", collapsed=int(collapsed))

    def save_settings(self, folder_id: str, settings: ThreadSettings) -> Undo:
        """Keep what the folder's threads take where they say nothing themselves."""
        return self._update(folder_id, "Changed the settings of a folder", settings=settings_to_column(settings))

    def move(self, folder_id: str, parent_id: str | None, *, before: str | None = None) -> Undo:
        """Put a folder into another one, above its folder `before` or below all. Raises BadRequest for a circle."""
        with self._database.writing() as connection:
            self._require(connection, folder_id)
            if parent_id is not None:
                self._require(connection, parent_id)
                if parent_id in ids_below(connection, folder_id):
                    raise BadRequest("A folder cannot lie in itself.", "Choose another folder.", field="parent_id")
            changes = Changes(connection, self._database.path)
            place(connection, changes, "folders", folder_id, parent_id, before)
            return changes.undo("Moved a folder")

    def delete(self, folder_id: str) -> Undo:
        """Delete a folder with all folders in it; their threads go to the trash."""
        now = time.time()
        with self._database.writing() as connection:
            folder = self._require(connection, folder_id)
            changes = Changes(connection, self._database.path)
            for below in ids_below(connection, folder_id):
                threads = connection.execute(
                    "SELECT id FROM threads WHERE folder_id = ? AND trashed_at IS NULL", (below,)
                ).fetchall()
                for thread in threads:
                    changes.update("threads", thread["id"], trashed_at=now)
                changes.update("folders", below, deleted_at=now)
            return changes.undo(f"Deleted the folder {folder.title}")

    def _update(self, folder_id: str, done: str, /, **columns: str | int) -> Undo:
        with self._database.writing() as connection:
            self._require(connection, folder_id)
            changes = Changes(connection, self._database.path)
            changes.update("folders", folder_id, **columns)
            return changes.undo(done)

    def _require(self, connection: sqlite3.Connection, folder_id: str) -> Folder:
        return require_folder(connection, self._database, folder_id)


def require_folder(connection: sqlite3.Connection, database: Database, folder_id: str) -> Folder:
    """A folder that must be there. Raises StorageFailed."""
    row = connection.execute("SELECT * FROM folders WHERE id = ? AND deleted_at IS NULL", (folder_id,)).fetchone()
    if row is None:
        raise missing("folders", database.path)
    return folder_from_row(row)


def ids_below(connection: sqlite3.Connection, folder_id: str) -> list[str]:
    """A folder and all folders in it."""
    return [row["id"] for row in connection.execute(BELOW, (folder_id,))]


def folders_in_order(connection: sqlite3.Connection) -> list[Folder]:
    """All folders, each behind the one that it lies in."""
    children: dict[str | None, list[Folder]] = {}
    for row in connection.execute(_FOLDERS):
        folder = folder_from_row(row)
        children.setdefault(folder.parent_id, []).append(folder)
    ordered: list[Folder] = []
    waiting = list(reversed(children.get(None, [])))
    while waiting:
        folder = waiting.pop()
        ordered.append(folder)
        waiting.extend(reversed(children.get(folder.id, [])))
    return ordered
