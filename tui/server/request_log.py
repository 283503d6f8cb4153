"""Every request that came in: the last ones in memory, more of them on disk."""

from __future__ import annotations

import json
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tui.domain import GenerationStats, RequestRecord, RequestTotals, ToolCallPart
from tui.server.records import RequestEntry

_IN_MEMORY = 200
MOST_REQUESTS = 5_000
MOST_BYTES = 256 * 2**20
"""Of the file. Beyond either the oldest requests go."""
_TRIM_EVERY = 50
# Seconds that are waited for the figures of an answer whose client went away.
_LAST_FIGURES = 1.0

_TABLE = """
    CREATE TABLE IF NOT EXISTS requests (
        id TEXT PRIMARY KEY,
        started REAL NOT NULL,
        searchable TEXT NOT NULL,
        size INTEGER NOT NULL,
        record TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS requests_by_time ON requests (started);
"""


_NO_TEXTS: dict[str, Any] = {"body": "", "prompt": "", "output": "", "reasoning": "", "tool_calls": ()}


class RequestLog:
    """Safe to use from any thread; nothing that serves a request waits for the disk.

    A disk that refuses costs the old requests, never an answer; `problem` then says why.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._entries: deque[RequestEntry] = deque(maxlen=_IN_MEMORY)
        self._watchers: list[Callable[[RequestEntry], None]] = []
        self._waiting: queue.SimpleQueue[RequestEntry | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self.problem = ""
        """Why requests are not kept on disk, as a sentence; empty while all is well."""
        self._totals = RequestTotals()

    def begin(self, entry: RequestEntry) -> None:
        """A request came in."""
        with self._lock:
            self._entries.append(entry)
            self._totals = replace(self._totals, requests=self._totals.requests + 1)
        self._tell(entry)

    def end(self, entry: RequestEntry) -> None:
        """It was answered, and will not change any more."""
        with self._lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_all, name="lmdeck-requests", daemon=True)
                self._writer.start()
        self._waiting.put(entry)
        self._tell(entry)

    def watch(self, watcher: Callable[[RequestEntry], None]) -> Callable[[], None]:
        """Hear, from any thread, of requests that come and end; the answer of this ends it."""
        with self._lock:
            self._watchers.append(watcher)

        def stop() -> None:
            with self._lock, suppress(ValueError):
                self._watchers.remove(watcher)

        return stop

    def latest(self, most: int = _IN_MEMORY) -> list[RequestRecord]:
        """The last requests as they stand now, the newest first."""
        with self._lock:
            entries = list(self._entries)
        return [entry.record() for entry in reversed(entries[-most:])]

    def totals(self) -> RequestTotals:
        """What was done since the program began."""
        return self._totals

    def running(self) -> int:
        """Requests that are being answered."""
        with self._lock:
            return sum(not entry.over for entry in self._entries)

    def find(self, request_id: str) -> RequestRecord | None:
        """One request with all its texts. Blocks for the disk."""
        with self._lock:
            present = next((entry for entry in self._entries if entry.id == request_id), None)
        if present is not None:
            return present.record()
        if not self._path.exists():
            return None
        try:
            with closing(self._connect()) as connection:
                row = connection.execute("SELECT record FROM requests WHERE id = ?", (request_id,)).fetchone()
        except sqlite3.Error:
            return None
        return None if row is None else _from_json(row[0])

    def search(self, text: str = "", most: int = 500) -> list[RequestRecord]:
        """Ended requests, the newest first, in which all the words occur; without their texts, which may be long.

        Blocks for the disk.
        """
        if not self._path.exists():
            return []
        words = [f"%{_escaped(word.casefold())}%" for word in text.split()]
        condition = " AND ".join("searchable LIKE ? ESCAPE '\\'" for _ in words) or "1"
        try:
            with closing(self._connect()) as connection:
                rows = connection.execute(
                    f"SELECT record FROM requests WHERE {condition} ORDER BY started DESC LIMIT ?", (*words, most)
                )
                records = (_from_json(row[0]) for row in rows)
                return [replace(record, **_NO_TEXTS) for record in records if record is not None]
        except sqlite3.Error:
            return []

    def clear(self) -> None:
        """Forget every request that has ended."""
        with self._lock:
            self._entries = deque((entry for entry in self._entries if not entry.over), maxlen=_IN_MEMORY)
        if not self._path.exists():
            return
        with suppress(sqlite3.Error), closing(self._connect()) as connection:
            connection.execute("DELETE FROM requests")
            connection.commit()
            connection.execute("VACUUM")

    def close(self) -> None:
        """Write down what still waits."""
        with self._lock:
            writer, self._writer = self._writer, None
        if writer is not None:
            self._waiting.put(None)
            writer.join()

    def _tell(self, entry: RequestEntry) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher(entry)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=3.0)
        connection.executescript(_TABLE)
        return connection

    def _write_all(self) -> None:
        written = 0
        while (entry := self._waiting.get()) is not None:
            entry.settled(_LAST_FIGURES)
            record = entry.record()
            with self._lock:
                self._totals = _with_ended(self._totals, record)
            try:
                if not self._path.exists():
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    self._path.touch(mode=0o600)
                with closing(self._connect()) as connection:
                    if written == 0:
                        connection.execute("PRAGMA journal_mode=WAL")
                    _insert(connection, record)
                    if written % _TRIM_EVERY == 0:
                        _trim(connection)
                    connection.commit()
                written += 1
                self.problem = ""
            except (OSError, sqlite3.Error) as refused:
                self.problem = f"Requests cannot be kept in {self._path.name}: {refused}."


def _with_ended(totals: RequestTotals, record: RequestRecord) -> RequestTotals:
    """The sums with one more request that has ended."""
    stats = record.stats or GenerationStats()
    return replace(
        totals,
        failed=totals.failed + (record.state == "failed"),
        prompt_tokens=totals.prompt_tokens + stats.prompt_tokens,
        cached_prompt_tokens=totals.cached_prompt_tokens + stats.cached_prompt_tokens,
        generated_tokens=totals.generated_tokens + stats.generated_tokens,
        seconds=totals.seconds + record.seconds,
    )


def _insert(connection: sqlite3.Connection, record: RequestRecord) -> None:
    text = json.dumps(asdict(record), ensure_ascii=False, default=list)
    words = (record.path, record.model, record.client, record.token, record.error, record.body, record.output)
    searchable = " ".join((*words, record.prompt, str(record.status))).casefold()
    connection.execute(
        "INSERT OR REPLACE INTO requests VALUES (?, ?, ?, ?, ?)",
        (_storable(record.id), record.started, _storable(searchable), len(text), _storable(text)),
    )


def _trim(connection: sqlite3.Connection) -> None:
    """Drop the oldest requests beyond the limits of number and size."""
    kept, size = 0, 0
    for started, length in connection.execute("SELECT started, size FROM requests ORDER BY started DESC").fetchall():
        kept, size = kept + 1, size + 2 * length
        if kept > MOST_REQUESTS or size > MOST_BYTES:
            connection.execute("DELETE FROM requests WHERE started <= ?", (started,))
            return


def _storable(text: str) -> str:
    """Lone surrogates, which JSON may bring in, cannot be stored."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _from_json(text: str) -> RequestRecord | None:
    """The record, or nothing for one that another version of lmdeck has written in its own way."""
    try:
        values: dict[str, Any] = json.loads(text)
        stats = values["stats"]
        return RequestRecord(
            **{
                **values,
                "tool_calls": tuple(ToolCallPart(**call) for call in values["tool_calls"]),
                "stats": None if stats is None else GenerationStats(**stats),
            }
        )
    except (ValueError, TypeError, KeyError):
        return None
