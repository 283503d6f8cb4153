"""Between the rows of the database and the types of the program."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, Literal

from tui.domain import GenerationStats, Message, Part, ReasoningPart, TextPart, part_from_json, part_to_json
from tui.threads.records import StoredMessage, ThreadSummary

ChunkKind = Literal["text", "reasoning"]
_PART_OF: dict[ChunkKind, type[TextPart] | type[ReasoningPart]] = {"text": TextPart, "reasoning": ReasoningPart}


def storable(text: str) -> str:
    """The text without lone surrogates, which a terminal or a model can produce and SQLite refuses."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def parts_to_column(parts: Sequence[Part]) -> str:
    """The JSON text of a message's parts."""
    return storable(json.dumps([part_to_json(part) for part in parts], ensure_ascii=False))


def parts_from_column(column: str) -> tuple[Part, ...]:
    """The parts that a JSON text stands for; anything else in there becomes text, so that it can be read."""
    try:
        values = json.loads(column)
        return tuple(part_from_json(value) for value in values)
    except (ValueError, TypeError, AttributeError):
        return (TextPart(column),)


def join_neighbours(chunks: Iterable[tuple[ChunkKind, str]]) -> list[tuple[ChunkKind, str]]:
    """The chunks with neighbours of one kind made into one."""
    runs: list[tuple[ChunkKind, list[str]]] = []
    for kind, text in chunks:
        if runs and runs[-1][0] == kind:
            runs[-1][1].append(text)
        else:
            runs.append((kind, [text]))
    return [(kind, "".join(texts)) for kind, texts in runs]


def add_chunks(parts: Sequence[Part], chunks: Iterable[tuple[ChunkKind, str]]) -> tuple[Part, ...]:
    """The parts with what the chunks say behind them."""
    grown = list(parts)
    for kind, text in join_neighbours(chunks):
        last = grown[-1] if grown else None
        if isinstance(last, _PART_OF[kind]):
            grown[-1] = replace(last, text=last.text + text)
        else:
            grown.append(_PART_OF[kind](text))
    return tuple(grown)


def chunks_of(connection: sqlite3.Connection, message_id: str) -> list[tuple[ChunkKind, str]]:
    """What has been saved of an answer that is still being written, in order."""
    rows = connection.execute("SELECT kind, text FROM chunks WHERE message_id = ? ORDER BY number", (message_id,))
    return [(row["kind"], row["text"]) for row in rows]


def stats_to_column(stats: GenerationStats | None) -> str | None:
    """The JSON text of an answer's figures."""
    return None if stats is None else json.dumps(asdict(stats))


def stats_from_column(column: str | None) -> GenerationStats | None:
    """The figures that a JSON text stands for, without those that this version does not know."""
    if column is None:
        return None
    try:
        values: dict[str, Any] = dict(json.loads(column))
    except (ValueError, TypeError):
        return None
    known = {field.name for field in fields(GenerationStats)}
    return GenerationStats(**{name: value for name, value in values.items() if name in known})


def summary_from_row(row: sqlite3.Row) -> ThreadSummary:
    """A line of the thread list."""
    return ThreadSummary(
        id=row["id"],
        title=row["title"],
        created=row["created"],
        updated=row["updated"],
        message_count=row["message_count"],
        model=row["model"],
    )


def message_from_row(row: sqlite3.Row, chunks: Iterable[tuple[ChunkKind, str]] = ()) -> StoredMessage:
    """A message, with the chunks that have not been folded into it yet."""
    return StoredMessage(
        id=row["id"],
        thread_id=row["thread_id"],
        parent_id=row["parent_id"],
        message=Message(row["role"], add_chunks(parts_from_column(row["parts"]), chunks)),
        model=row["model"],
        status=row["status"],
        error=row["error"],
        stats=stats_from_column(row["stats"]),
        created=row["created"],
    )
