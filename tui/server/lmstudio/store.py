"""The conversations behind `response_id`: every answer is a point from which others can go on.

Each row is one turn with the turn that it follows, so that branches share what they have in common.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tui.domain import Message, StorageFailed, part_from_json, part_to_json
from tui.server.lmstudio.errors import Mistake

LONGEST_KEPT = 30 * 86_400.0
"""Seconds after its last use that a conversation is kept; LM Studio's own limit."""
MOST_TURNS = 20_000
_TRIM_EVERY = 50
MOST_BYTES = 1024 * 2**20
"""Of all turns together; images count in base64. Beyond either the conversations go that were unused the longest."""

_TABLE = """
    CREATE TABLE IF NOT EXISTS turns (
        id TEXT PRIMARY KEY,
        parent TEXT NOT NULL,
        depth INTEGER NOT NULL,
        used REAL NOT NULL,
        size INTEGER NOT NULL,
        system_prompt TEXT NOT NULL,
        messages TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS turns_by_use ON turns (used);
"""
_CHAIN = """
    WITH RECURSIVE chain(id, parent, depth, system_prompt, messages) AS (
        SELECT id, parent, depth, system_prompt, messages FROM turns WHERE id = ?
        UNION ALL
        SELECT turns.id, turns.parent, turns.depth, turns.system_prompt, turns.messages
        FROM turns JOIN chain ON turns.id = chain.parent
    )
"""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said up to an answer."""

    id: str = ""
    """The response id of that answer; empty where nothing was said."""
    turns: int = 0
    system_prompt: str = ""
    messages: tuple[Message, ...] = ()


class ChatStore:
    """Conversations on disk. Safe to use from any thread; every method blocks for the disk."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._added = 0

    def conversation(self, response_id: str) -> Conversation:
        """What was said up to that answer. Raises Mistake if it is not known, StorageFailed."""
        if not response_id.startswith("resp_"):
            raise Mistake(
                'A response id starts with "resp_".',
                "Send the response_id of an earlier answer.",
                field="previous_response_id",
                wire_code="invalid_value",
            )
        try:
            with closing(self._connect()) as connection:
                rows = connection.execute(
                    f"{_CHAIN} SELECT parent, system_prompt, messages FROM chain ORDER BY depth", (response_id,)
                ).fetchall()
        except (OSError, sqlite3.Error) as problem:
            raise _refused(problem) from problem
        if not rows or rows[0][0]:
            raise Mistake(
                f"There is no response {response_id[:100]!r}.",
                "Only answers that were stored can be gone on from, and they are kept for 30 days.",
                field="previous_response_id",
                wire_code="previous_response_not_found",
            )
        said = [message for row in rows for message in json.loads(row[2])]
        messages = tuple(Message(one["role"], tuple(map(part_from_json, one["parts"]))) for one in said)
        return Conversation(response_id, len(rows), rows[-1][1], messages)

    def add(self, previous: Conversation, system_prompt: str, messages: Sequence[Message]) -> str:
        """Keep one more turn, and give the response id to go on from it. Raises StorageFailed."""
        response_id = f"resp_{secrets.token_hex(24)}"
        parts = [{"role": one.role, "parts": list(map(part_to_json, one.parts))} for one in messages]
        now = self._clock()
        text = json.dumps(parts)
        row = (response_id, previous.id, previous.turns, now, len(text), _storable(system_prompt), text)
        try:
            with closing(self._connect()) as connection:
                connection.execute("INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                # What a conversation in use goes back to is in use as well, so that no chain loses its beginning.
                connection.execute(
                    f"{_CHAIN} UPDATE turns SET used = ? WHERE id IN (SELECT id FROM chain)", (previous.id, now)
                )
                if self._added % _TRIM_EVERY == 0:
                    _trim(connection, now)
                connection.commit()
        except (OSError, sqlite3.Error) as problem:
            raise _refused(problem) from problem
        self._added += 1
        return response_id

    def _connect(self) -> sqlite3.Connection:
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
        connection = sqlite3.connect(self._path, timeout=5.0)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(_TABLE)
        return connection


def _trim(connection: sqlite3.Connection, now: float) -> None:
    """Drop what was unused for too long, or is too much: of equal age the later turns first."""
    connection.execute("DELETE FROM turns WHERE used < ?", (now - LONGEST_KEPT,))
    count, size = connection.execute("SELECT COUNT(*), SUM(size) FROM turns").fetchone()
    if count <= MOST_TURNS and (size or 0) <= MOST_BYTES:
        return
    oldest = connection.execute("SELECT id, size FROM turns ORDER BY used, depth DESC").fetchall()
    for turn, length in oldest:
        if count <= MOST_TURNS and size <= MOST_BYTES:
            return
        connection.execute("DELETE FROM turns WHERE id = ?", (turn,))
        count, size = count - 1, size - length


def _storable(text: str) -> str:
    """Lone surrogates, which JSON may bring in, cannot be stored as they are."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _refused(problem: Exception) -> StorageFailed:
    return StorageFailed(f"The conversation could not be kept or read: {problem}.", "Free some room on the disk.")
