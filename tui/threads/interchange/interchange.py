"""Import and export of the store's threads."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tui.domain import BadFile
from tui.threads.attachments import Attachments
from tui.threads.changes import Undo
from tui.threads.database import Database
from tui.threads.interchange.exported import Exported
from tui.threads.interchange.formats import ExportFormat, ending_of, format_for, holds_many, write_as
from tui.threads.interchange.gathering import gather_thread, only_message
from tui.threads.interchange.names import file_name, free_name
from tui.threads.interchange.portable import PortableThread


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import has brought."""

    thread_ids: tuple[str, ...]
    skipped: tuple[str, ...]
    """Files with a name like those that hold threads, which turned out to be something else."""
    undo: Undo
    """Takes all of it back."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export has written."""

    path: Path
    threads: int
    left_out: tuple[str, ...]
    """What the format has no room for, as people read it: `Trip: 3 messages on other branches`."""


class Interchange:
    """Import and export. Blocks for as long as the disk does; everything raises StorageFailed."""

    def __init__(self, database: Database, attachments: Attachments) -> None:
        self._database = database
        self._attachments = attachments

    def import_from(self, source: Path, *, folder_id: str | None = None) -> ImportReport:
        """Import all threads of a file, a folder or a ZIP file, or none of them. Raises BadFile.

        Folders in there become folders below `folder_id`; those that are there already are used.
        """
        from tui.threads.interchange.placing import place_all, waiting_room
        from tui.threads.interchange.reading import WHAT_IS_READ, NoConversation, may_hold_threads, read_file
        from tui.threads.interchange.sources import source_files

        skipped: list[str] = []
        several = source.is_dir()
        with waiting_room(self._attachments) as room:
            for file in source_files(source):
                several = several or len(file.path) > 1
                if not may_hold_threads(file):
                    continue
                try:
                    for item in read_file(file):
                        room.add(item)
                except NoConversation:
                    if not several:
                        raise
                    skipped.append(file.shown)
            if not room.count and not room.folders:
                raise BadFile(f"{source} holds no threads.", WHAT_IS_READ, file=str(source))
            # Through a connection of its own, so that the threads can be read while many come in.
            with closing(Database(self._database.path)) as database:
                placed = place_all(database, room, folder_id)
        return ImportReport(placed.thread_ids, tuple(skipped), placed.undo)

    def write(self, thread_id: str, chosen: ExportFormat, *, message_id: str | None = None) -> Exported:
        """A thread, or one message of it, in a format: for the clipboard, or for a pipe."""
        thread = self._gather(thread_id, message_id)
        return write_as(chosen, thread, file_name(thread.title))

    def export_thread(
        self,
        thread_id: str,
        target: Path,
        chosen: ExportFormat | None = None,
        *,
        message_id: str | None = None,
        overwrite: bool = False,
    ) -> ExportReport:
        """Write a thread, or one message of it, into a file; into a folder under its title. Raises BadRequest.

        Without a format the ending of the file's name decides.
        """
        from tui.threads.interchange.targets import file_target, write_beside

        thread = self._gather(thread_id, message_id)
        if target.is_dir():
            chosen = chosen or "markdown"
            taken = () if overwrite else {path.name.lower() for path in target.iterdir()}
            target = target / free_name(file_name(thread.title), ending_of(chosen), taken)
        chosen = chosen or format_for(target.name)
        exported = write_as(chosen, thread, target.name.removesuffix(ending_of(chosen)))
        with file_target(target, overwrite=overwrite) as temporary:
            temporary.write_bytes(_bytes(exported.text))
            write_beside(target, exported.files)
        return ExportReport(target, 1, exported.left_out)

    def export_folder(
        self, folder_id: str | None, target: Path, chosen: ExportFormat, *, overwrite: bool = False
    ) -> ExportReport:
        """Write a folder with all in it, or all threads, into a new folder or a ZIP file. Raises BadRequest.

        JSONL may go into one file: all threads, one on each line. What is in the trash stays there.
        """
        from tui.threads.interchange.folder_export import FolderExport

        export = FolderExport(self._database, self._attachments, folder_id, chosen)
        if holds_many(chosen) and target.suffix.lower() == ".jsonl":
            export.write_lines(target, overwrite=overwrite)
        else:
            export.write_files(target, overwrite=overwrite)
        return ExportReport(target, export.threads, tuple(export.left_out))

    def _gather(self, thread_id: str, message_id: str | None) -> PortableThread:
        with self._database.reading() as connection:
            thread = gather_thread(connection, self._attachments, self._database.path, thread_id)
        return thread if message_id is None else only_message(thread, message_id, self._database.path)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
