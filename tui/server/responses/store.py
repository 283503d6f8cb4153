"""Responses with their items, kept on disk so that they can be continued, looked up and deleted."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tui.domain import BadRequest, StorageFailed
from tui.server.dialects import Refused
from tui.server.responses.items import Item
from tui.server.responses.resource import Response

LONGEST_KEPT = 30 * 24 * 3600.0
"""Seconds since a response was made or continued; what OpenAI and LM Studio keep too."""
MOST_RESPONSES = 20_000
MOST_BYTES = 512 * 2**20
"""Of all responses and items. Beyond either limit those go that were not used for longest."""

_TABLES = """
    CREATE TABLE IF NOT EXISTS responses (
        id TEXT PRIMARY KEY,
        previous TEXT,
        used REAL NOT NULL,
        size INTEGER NOT NULL,
        response TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS items (
        response TEXT NOT NULL REFERENCES responses ON DELETE CASCADE,
        place INTEGER NOT NULL,
        is_output INTEGER NOT NULL,
        id TEXT NOT NULL,
        item TEXT NOT NULL,
        PRIMARY KEY (response, place)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS responses_by_use ON responses (used);
    CREATE INDEX IF NOT EXISTS items_by_id ON items (id);
"""
_CHAIN = """
    WITH RECURSIVE chain(id, previous, depth) AS (
        SELECT id, previous, 0 FROM responses WHERE id = ?
        UNION ALL
        SELECT older.id, older.previous, depth + 1 FROM responses older JOIN chain ON older.id = chain.previous
    )
"""


class ResponseNotFound(Refused):
    """No response of that id is kept."""

    code = "response_not_found"

    def __init__(self, identifier: str) -> None:
        super().__init__(
            f"Response with id {identifier[:100]!r} not found.",
            'Was it deleted, too old, or made with "store": false?',
            status=404,
        )


class PreviousResponseNotFound(BadRequest):
    """What a request continues is not kept (any more). Clients know this code, and the status 400 with it."""

    code = "previous_response_not_found"

    def __init__(self, identifier: str) -> None:
        super().__init__(
            f"Previous response with id {identifier[:100]!r} not found.",
            "Send the whole conversation as input instead.",
            field="previous_response_id",
        )


class ResponseStore:
    """Every method blocks for the disk, may be called from any thread, and raises StorageFailed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._preparing = threading.Lock()

    def save(self, response: Response, given: Sequence[Item]) -> None:
        """Keep a response, in place of an earlier state of it, with the items that it was asked with."""
        identifier, previous = response["id"], response["previous_response_id"]
        rows = [
            (identifier, place, is_output, item["id"], json.dumps(item))
            for place, (is_output, item) in enumerate(
                [*((False, item) for item in given), *((True, item) for item in response["output"])]
            )
        ]
        text = json.dumps({**response, "output": []})
        size = len(text) + sum(len(row[-1]) for row in rows)
        with self._open() as connection:
            connection.execute("DELETE FROM responses WHERE id = ?", (identifier,))
            connection.execute(
                "INSERT INTO responses VALUES (?, ?, ?, ?, ?)", (identifier, previous, time.time(), size, text)
            )
            connection.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?)", rows)
            if previous is not None:
                # A conversation that goes on is kept as a whole.
                connection.execute(
                    f"{_CHAIN} UPDATE responses SET used = ? WHERE id IN (SELECT id FROM chain)",
                    (previous, time.time()),
                )
            _trim(connection)

    def get(self, identifier: str) -> Response | None:
        """A response with its output."""
        with self._open() as connection:
            row = connection.execute("SELECT response FROM responses WHERE id = ?", (identifier,)).fetchone()
            if row is None:
                return None
            output = connection.execute(
                "SELECT item FROM items WHERE response = ? AND is_output ORDER BY place", (identifier,)
            ).fetchall()
        return {**json.loads(row[0]), "output": [json.loads(item) for (item,) in output]}

    def delete(self, identifier: str) -> bool:
        """Forget a response; False if it was not there."""
        with self._open() as connection:
            return connection.execute("DELETE FROM responses WHERE id = ?", (identifier,)).rowcount > 0

    def conversation(self, identifier: str) -> list[Item]:
        """Everything that was said up to the end of a response. Raises PreviousResponseNotFound.

        Instructions are no items: each request brings its own.
        """
        with self._open() as connection:
            chain = connection.execute(f"{_CHAIN} SELECT previous FROM chain ORDER BY depth", (identifier,)).fetchall()
            if not chain:
                raise PreviousResponseNotFound(identifier)
            if chain[-1][0] is not None:
                raise PreviousResponseNotFound(chain[-1][0])
            return _items(connection, identifier, "TRUE")

    def input_items(self, identifier: str) -> list[Item] | None:
        """What a response answered: the items given, after those of the responses that it continues."""
        with self._open() as connection:
            if connection.execute("SELECT 1 FROM responses WHERE id = ?", (identifier,)).fetchone() is None:
                return None
            return _items(connection, identifier, "(chain.depth > 0 OR NOT is_output)")

    def items(self, identifiers: Sequence[str]) -> dict[str, Item]:
        """Single items of any response, by their ids."""
        found: dict[str, Item] = {}
        with self._open() as connection:
            for identifier in identifiers:
                row = connection.execute("SELECT item FROM items WHERE id = ? LIMIT 1", (identifier,)).fetchone()
                if row is not None:
                    found[identifier] = json.loads(row[0])
        return found

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            if not self._path.exists():
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.touch(mode=0o600)
            with closing(sqlite3.connect(self._path, timeout=5.0)) as connection:
                self._use_wal(connection)
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("PRAGMA foreign_keys = ON")
                connection.executescript(_TABLES)
                with connection:
                    yield connection
        except (OSError, sqlite3.Error) as problem:
            raise StorageFailed(
                f"Responses cannot be kept in {self._path.name}: {problem}.",
                'Is the disk full or the file damaged? With "store": false nothing is kept.',
            ) from problem

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        """Have the file use a write-ahead log, which it remembers.

        While one connection changes that, SQLite refuses others at once instead of waiting.
        """
        with self._preparing:
            if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                connection.execute("PRAGMA journal_mode = WAL")


def _items(connection: sqlite3.Connection, identifier: str, condition: str) -> list[Item]:
    rows: list[tuple[Any, ...]] = connection.execute(
        f"{_CHAIN} SELECT item FROM chain JOIN items ON items.response = chain.id"
        f" WHERE {condition} ORDER BY chain.depth DESC, place",
        (identifier,),
    ).fetchall()
    return [json.loads(item) for (item,) in rows]


def _trim(connection: sqlite3.Connection) -> None:
    """Drop what is too old, and what is too much, the longest unused first."""
    connection.execute("DELETE FROM responses WHERE used < ?", (time.time() - LONGEST_KEPT,))
    count, size = connection.execute("SELECT count(*), coalesce(sum(size), 0) FROM responses").fetchone()
    if count <= MOST_RESPONSES and size <= MOST_BYTES:
        return
    for identifier, its_size in connection.execute("SELECT id, size FROM responses ORDER BY used").fetchall():
        connection.execute("DELETE FROM responses WHERE id = ?", (identifier,))
        count, size = count - 1, size - its_size
        if count <= MOST_RESPONSES and size <= MOST_BYTES:
            return
