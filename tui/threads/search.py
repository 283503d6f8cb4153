"""Finding words in all threads, by the full-text index."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from tui.threads.folders import ids_below
from tui.threads.query import index_query, needs_scan, words_of
from tui.threads.reading import SUMMARIES
from tui.threads.records import SearchHit
from tui.threads.rows import summary_from_row

_START, _END = "\x02", "\x03"
"""Around the words that were found, where no text has them."""

_SNIPPET_WORDS = 24

_ESCAPED = re.compile(r"[!%_]")
"""What means something in a pattern of LIKE."""

_COMMON = 2000
"""Words that stand in more messages than this say little about any of them, and ranking takes as long as reading all
of them: then the newest messages come first."""

# Words in a title count for more than in a message, and what a model thought for less. FTS5's bm25() is the smaller
# the better a row answers.
_RANKED = """
    SELECT search_index.rowid AS number, search_texts.thread_id, search_texts.message_id,
        bm25(search_index, 8.0, 1.0, 0.3) AS rank
    FROM search_index JOIN search_texts ON search_texts.number = search_index.rowid
        JOIN threads ON threads.id = search_texts.thread_id
    WHERE search_index MATCH :query AND {scope}
    ORDER BY rank, search_index.rowid DESC LIMIT :limit
"""

_NEWEST = """
    SELECT search_index.rowid AS number, search_texts.thread_id, search_texts.message_id
    FROM search_index CROSS JOIN search_texts ON search_texts.number = search_index.rowid
        CROSS JOIN threads ON threads.id = search_texts.thread_id
    WHERE search_index MATCH :query AND {scope}
    ORDER BY search_index.rowid DESC LIMIT :limit
"""

# The plus makes SQLite go through the matches once, which is quicker than asking for each row whether it is one.
_SNIPPETS = """
    SELECT rowid, snippet(search_index, -1, ?, ?, '…', ?) FROM search_index
    WHERE search_index MATCH ? AND rowid >= ? AND +rowid IN ({numbers})
"""

_ARE_COMMON = "SELECT 1 FROM search_index WHERE search_index MATCH ? LIMIT 1 OFFSET ?"

_SCANNED = """
    SELECT search_texts.number, search_texts.thread_id, search_texts.message_id,
        search_texts.title || search_texts.text AS content
    FROM search_texts JOIN threads ON threads.id = search_texts.thread_id
    WHERE {words} AND {scope} ORDER BY message_id IS NOT NULL, search_texts.number DESC LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to search."""

    folder_id: str | None = None
    """Only in this folder and those in it."""
    thread_id: str | None = None
    archived: bool = True
    """Whether to search in archived threads, too."""


def search(connection: sqlite3.Connection, text: str, scope: Scope, limit: int) -> list[SearchHit]:
    """The places that have the words, the best first; titles and messages on all branches."""
    condition, values = _condition(connection, scope)
    if needs_scan(text):
        return _scan(connection, text, condition, values, limit)
    query = index_query(text)
    if not query:
        return []
    in_titles, in_messages = f"title : ({query})", f"{{text reasoning}} : ({query})"
    common = connection.execute(_ARE_COMMON, (in_messages, _COMMON)).fetchone()
    titles = _found(connection, _RANKED, in_titles, condition, values, limit)
    rows = _found(connection, _NEWEST if common else _RANKED, in_messages, condition, values, limit)
    # Titles leave room for messages, as far as there are any.
    titles = titles[: max(limit // 3, limit - len(rows))]
    return [
        *_hits(connection, titles, in_titles),
        *_hits(connection, rows[: limit - len(titles)], in_messages),
    ]


def _found(
    connection: sqlite3.Connection, statement: str, query: str, condition: str, values: dict[str, Any], limit: int
) -> list[sqlite3.Row]:
    arguments = {**values, "query": query, "limit": limit}
    return connection.execute(statement.format(scope=condition), arguments).fetchall()


def _condition(connection: sqlite3.Connection, scope: Scope) -> tuple[str, dict[str, Any]]:
    """The SQL condition on `threads` that a scope means, and its values."""
    conditions, values = ["threads.trashed_at IS NULL"], dict[str, Any]()
    if not scope.archived:
        conditions.append("threads.archived_at IS NULL")
    if scope.thread_id is not None:
        conditions.append("threads.id = :thread")
        values["thread"] = scope.thread_id
    if scope.folder_id is not None:
        folders = ids_below(connection, scope.folder_id)
        names = [f"folder{number}" for number in range(len(folders))]
        conditions.append(f"threads.folder_id IN ({', '.join(f':{name}' for name in names)})")
        values |= dict(zip(names, folders, strict=True))
    return " AND ".join(conditions), values


def _hits(connection: sqlite3.Connection, rows: list[sqlite3.Row], query: str) -> list[SearchHit]:
    """What is shown of the rows that were found, in their order."""
    numbers = [row["number"] for row in rows]
    arguments = (_START, _END, _SNIPPET_WORDS, query, min(numbers, default=0), *numbers)
    found = connection.execute(_SNIPPETS.format(numbers=", ".join("?" * len(numbers))), arguments)
    snippets = dict(map(tuple, found))
    return [_hit(connection, row, snippets[row["number"]]) for row in rows]


def _hit(connection: sqlite3.Connection, row: sqlite3.Row, marked: str) -> SearchHit:
    thread = connection.execute(f"{SUMMARIES} WHERE id = ?", (row["thread_id"],)).fetchone()
    message = connection.execute("SELECT role FROM messages WHERE id = ?", (row["message_id"],)).fetchone()
    snippet, spans = _spans(marked)
    return SearchHit(summary_from_row(thread), row["message_id"], message["role"] if message else "", snippet, spans)


def _spans(marked: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A snippet on one line and without its marks, and where they were."""
    pieces: list[str] = []
    spans: list[tuple[int, int]] = []
    length = start = 0
    for character in " ".join(marked.split()):
        if character == _START:
            start = length
        elif character == _END:
            spans.append((start, length))
        else:
            pieces.append(character)
            length += 1
    return "".join(pieces), tuple(spans)


def _scan(
    connection: sqlite3.Connection, text: str, condition: str, values: dict[str, Any], limit: int
) -> list[SearchHit]:
    """Search without the index, for texts whose words it cannot tell apart."""
    words = words_of(text)
    names = {f"word{number}": f"%{_ESCAPED.sub(_escape, word)}%" for number, word in enumerate(words)}
    contains = " AND ".join(f"search_texts.title || search_texts.text LIKE :{name} ESCAPE '!'" for name in names)
    rows = connection.execute(
        _SCANNED.format(words=contains, scope=condition), {**values, **names, "limit": limit}
    ).fetchall()
    pattern = re.compile("|".join(map(re.escape, words)), re.IGNORECASE)
    return [_hit(connection, row, _excerpt(row["content"], pattern)) for row in rows]


def _escape(match: re.Match[str]) -> str:
    return f"!{match[0]}"


def _excerpt(content: str, words: re.Pattern[str]) -> str:
    """The text around the first of the words, with all of them marked."""
    content = content.replace(_START, "").replace(_END, "")
    first = words.search(content)
    start = max(0, first.start() - 30) if first else 0
    return words.sub(lambda match: f"{_START}{match[0]}{_END}", content[start : start + 120])
