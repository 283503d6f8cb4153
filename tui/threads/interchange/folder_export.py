"""Exporting a folder: the threads in it, each in a file, in folders like those of the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tui.threads.attachments import Attachments
from tui.threads.changes import missing
from tui.threads.database import Database
from tui.threads.folders import folders_in_order
from tui.threads.interchange.exported import Exported
from tui.threads.interchange.formats import ExportFormat, ending_of, write_as
from tui.threads.interchange.gathering import gather_thread
from tui.threads.interchange.names import file_name, free_name
from tui.threads.interchange.own_json import FOLDER_FILE, write_folder
from tui.threads.interchange.portable import PortableFolder, PortableThread
from tui.threads.interchange.targets import Folder, file_target, folder_target
from tui.threads.thread_settings import ThreadSettings

# Where LM Studio has its conversations; their attachments lie in a folder beside it.
_CONVERSATIONS = "conversations"


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder of the store, and where it goes."""

    id: str | None
    title: str
    settings: ThreadSettings
    path: tuple[str, ...]


class FolderExport:
    """Exports one folder, or all, thread by thread: memory holds one of them at a time."""

    def __init__(
        self, database: Database, attachments: Attachments, folder_id: str | None, chosen: ExportFormat
    ) -> None:
        self._database = database
        self._attachments = attachments
        self._chosen = chosen
        self._places = self._find_places(folder_id)
        self._taken: dict[tuple[str, ...], set[str]] = {}
        for place in self._places:
            self._taken.setdefault(place.path[:-1], set()).update(name.lower() for name in place.path[-1:])
        self._times: set[int] = set()
        self.threads = 0
        """How many have been written."""
        self.left_out: list[str] = []

    def write_files(self, target: Path, *, overwrite: bool) -> None:
        """Write each thread into a file of its own, in a folder or a ZIP file."""
        with folder_target(target, overwrite=overwrite) as folder:
            for place in self._places:
                if self._chosen == "json" and place.id is not None:
                    text = write_folder(PortableFolder(place.path, place.title, place.settings))
                    folder.write("/".join((*place.path, FOLDER_FILE)), text.encode())
                for thread in self._threads_in(place):
                    self._write_thread(folder, place, thread)

    def write_lines(self, target: Path, *, overwrite: bool) -> None:
        """Write all threads into one file, each on a line."""
        with file_target(target, overwrite=overwrite) as temporary, temporary.open("w", encoding="utf-8") as file:
            for place in self._places:
                for thread in self._threads_in(place):
                    file.write(self._note(thread, write_as(self._chosen, thread, "")).text)

    def _write_thread(self, folder: Folder, place: _Place, thread: PortableThread) -> None:
        ending = ending_of(self._chosen)
        name = self._name(place, thread, ending)
        exported = self._note(thread, write_as(self._chosen, thread, name.removesuffix(ending)))
        inside, beside = place.path, place.path
        if self._chosen == "lmstudio":
            inside, beside = (_CONVERSATIONS, *place.path), ()
        folder.write("/".join((*inside, name)), exported.text.encode("utf-8", "replace"))
        for path, data in exported.files.items():
            # Copies of a thread share their attachments.
            if not folder.has("/".join((*beside, path))):
                folder.write("/".join((*beside, path)), data)

    def _name(self, place: _Place, thread: PortableThread, ending: str) -> str:
        if self._chosen == "lmstudio":
            # Called by the time of its making in milliseconds, and by that told from all others.
            made_at = round(thread.created * 1000)
            while made_at in self._times:
                made_at += 1
            self._times.add(made_at)
            return f"{made_at}{ending}"
        taken = self._taken.setdefault(place.path, set())
        name = free_name(file_name(thread.title), ending, taken)
        taken.add(name.lower())
        return name

    def _note(self, thread: PortableThread, exported: Exported) -> Exported:
        self.threads += 1
        self.left_out += [f"{thread.title or 'Untitled'}: {what}" for what in exported.left_out]
        return exported

    def _threads_in(self, place: _Place) -> Iterator[PortableThread]:
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id FROM threads WHERE folder_id IS ? AND trashed_at IS NULL ORDER BY position, created DESC",
                (place.id,),
            ).fetchall()
        for row in rows:
            with self._database.reading() as connection:
                yield gather_thread(connection, self._attachments, self._database.path, row["id"])

    def _find_places(self, folder_id: str | None) -> list[_Place]:
        """The folder and those below it, each behind the one that it lies in. Raises StorageFailed."""
        places: dict[str | None, _Place] = {}
        taken: dict[tuple[str, ...], set[str]] = {}
        if folder_id is None:
            places[None] = _Place(None, "", ThreadSettings(), ())
        with self._database.reading() as connection:
            folders = folders_in_order(connection)
        for folder in folders:
            if folder.parent_id not in places and folder.id != folder_id:
                continue
            outer = places[folder.parent_id].path if folder.parent_id in places else ()
            name = free_name(file_name(folder.title, "folder"), "", taken.setdefault(outer, set()))
            taken[outer].add(name.lower())
            places[folder.id] = _Place(folder.id, folder.title, folder.settings, (*outer, name))
        if folder_id is not None and folder_id not in places:
            raise missing("folders", self._database.path)
        return list(places.values())
