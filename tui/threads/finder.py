"""Finding threads and messages again."""

from __future__ import annotations

from tui.threads.database import Database
from tui.threads.jump import jump_hits
from tui.threads.reading import SUMMARIES, leaf_of, texts_on_branch
from tui.threads.records import FoundInThread, JumpHit, SearchHit
from tui.threads.rows import summary_from_row
from tui.threads.search import Scope, search


class Finder:
    """Searches threads. Everything raises StorageFailed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(
        self,
        text: str,
        *,
        limit: int = 50,
        folder_id: str | None = None,
        thread_id: str | None = None,
        archived: bool = True,
    ) -> list[SearchHit]:
        """Titles and messages that have all the words, titles first, then the best first. The trash is left out.

        The last word may be the beginning of a longer one; words in quotation marks stand one behind the other.
        """
        with self._database.reading() as connection:
            return search(connection, text, Scope(folder_id, thread_id, archived), limit)

    def jump(self, text: str, *, limit: int = 20) -> list[JumpHit]:
        """The threads whose titles have the typed letters in their order, the best first; without any the newest."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{SUMMARIES} WHERE trashed_at IS NULL").fetchall()
        return jump_hits(text, [summary_from_row(row) for row in rows], limit)

    def find_in_thread(self, thread_id: str, text: str) -> list[FoundInThread]:
        """The messages of the active branch that have the text, from the first to the last. Case does not matter."""
        wanted = text.casefold()
        if not wanted:
            return []
        with self._database.reading() as connection:
            texts = texts_on_branch(connection, leaf_of(connection, thread_id))
        counts = [(message_id, said.casefold().count(wanted)) for message_id, said in texts]
        return [FoundInThread(message_id, count) for message_id, count in counts if count]
