"""Saving an answer while it comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from tui.domain import Cancelled, Event, Failed, Finished, ReasoningDelta, StorageFailed, TextDelta
from tui.threads.database import Database
from tui.threads.folding import fold
from tui.threads.records import MessageStatus
from tui.threads.rows import ChunkKind, join_neighbours, storable

FLUSH_INTERVAL = 0.4
"""Seconds between two writes of one answer; each is a commit that waits for the disk."""

PATIENCE = 0.25
"""Seconds that a write waits for another process; the answer goes on meanwhile, and there is a next time."""


class AnswerRecorder:
    """Writes one answer to the store, from the events that make it.

    `record` never raises: an answer goes on when the disk does not. What could not be written stays in memory and
    is tried again at later calls; until then `problem` says what is wrong.
    """

    def __init__(self, database: Database, message_id: str) -> None:
        self.message_id = message_id
        self.problem: StorageFailed | None = None
        self.ended = False
        """Whether the whole answer is on disk and nothing more will come."""
        self._database = database
        # The store's `close` ends the answer while its thread may still be recording.
        self._lock = threading.Lock()
        self._unsaved: list[tuple[ChunkKind, str]] = []
        self._chunk_number = 0
        self._last_attempt = float("-inf")
        self._ending: Finished | Failed | None = None

    def record(self, events: Sequence[Event]) -> None:
        """Take what came; it is on disk at most half a second later.

        Called from one thread, also with no events, several times a second. Finished or Failed end the answer. If
        the end could not be written (`ended` is false), a later call tries again.
        """
        with self._lock:
            self._take(events)
            if not self.ended and time.monotonic() - self._last_attempt >= FLUSH_INTERVAL:
                if self._ending is not None:
                    self._try_to_end(*_outcome(self._ending))
                elif self._unsaved:
                    self._try_to_save()

    def interrupt(self) -> None:
        """End the answer as it is, because the store is being closed."""
        with self._lock:
            if not self.ended:
                self._try_to_end(*(_outcome(self._ending) if self._ending is not None else ("interrupted", "")))

    def _take(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case TextDelta(text) if text:
                    self._unsaved.append(("text", text))
                case ReasoningDelta(text) if text:
                    self._unsaved.append(("reasoning", text))
                case Finished() | Failed():
                    self._ending = event
                    self._last_attempt = float("-inf")
                case _:
                    pass

    def _try_to_save(self) -> None:
        chunks = join_neighbours(self._unsaved)
        rows = [
            (self.message_id, self._chunk_number + index, kind, storable(text))
            for index, (kind, text) in enumerate(chunks)
        ]
        try:
            with self._database.writing(wait=PATIENCE) as connection:
                connection.executemany("INSERT INTO chunks (message_id, number, kind, text) VALUES (?, ?, ?, ?)", rows)
        except StorageFailed as problem:
            self.problem = problem
            self._unsaved = chunks
        else:
            self.problem = None
            self._unsaved = []
            self._chunk_number += len(rows)
        self._last_attempt = time.monotonic()

    def _try_to_end(self, status: MessageStatus, error: str) -> None:
        chunks = join_neighbours(self._unsaved)
        stats = self._ending.stats if self._ending is not None else None
        try:
            with self._database.writing() as connection:
                fold(connection, self.message_id, status, unsaved=chunks, error=storable(error), stats=stats)
        except StorageFailed as problem:
            self.problem = problem
            self._unsaved = chunks
        else:
            self.problem = None
            self._unsaved = []
            self.ended = True
        self._last_attempt = time.monotonic()


def _outcome(ending: Finished | Failed) -> tuple[MessageStatus, str]:
    """The status of a message that ended so, and the error it keeps."""
    if isinstance(ending, Failed):
        return ("stopped" if isinstance(ending.error, Cancelled) else "failed"), str(ending.error)
    match ending.stats.stop_reason:
        case "userStopped":
            return "stopped", ""
        case "modelUnloaded":
            return "interrupted", ""
        case "failed":
            return "failed", ""
        case _:
            return "complete", ""
