"""Between the rows of the database and the types of the program."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Literal

from tui.domain import GenerationStats, Message, Part
from tui.threads.attachments import Attachments
from tui.threads.records import Folder, StoredMessage, ThreadSummary
from tui.threads.thread_settings import settings_from_column

ChunkKind = Literal["text", "reasoning"]


def storable(text: str) -> str:
    """The text without lone surrogates, which a terminal or a model can produce and SQLite refuses."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def parts_to_column(parts: Sequence[Part], attachments: Attachments) -> str:
    """The JSON text of a message's parts; pictures go to the attachments."""
    return _values_to_column([attachments.to_json(part) for part in parts])


def parts_from_column(
    column: str, attachments: Attachments, chunks: Iterable[tuple[ChunkKind, str]] = ()
) -> tuple[Part, ...]:
    """The parts that a JSON text stands for, with what the chunks say behind them."""
    return tuple(attachments.from_json(value) for value in _grown(_values_of(column), chunks))


def grown_column(column: str, chunks: Iterable[tuple[ChunkKind, str]]) -> str:
    """The JSON text of a message's parts with what the chunks say behind them."""
    return _values_to_column(_grown(_values_of(column), chunks))


def hashes_in(column: str) -> set[str]:
    """The attachments that a message names."""
    return {str(value["sha256"]) for value in _values_of(column) if "sha256" in value}


def join_neighbours(chunks: Iterable[tuple[ChunkKind, str]]) -> list[tuple[ChunkKind, str]]:
    """The chunks with neighbours of one kind made into one."""
    runs: list[tuple[ChunkKind, list[str]]] = []
    for kind, text in chunks:
        if runs and runs[-1][0] == kind:
            runs[-1][1].append(text)
        else:
            runs.append((kind, [text]))
    return [(kind, "".join(texts)) for kind, texts in runs]


def chunks_of(connection: sqlite3.Connection, message_id: str) -> list[tuple[ChunkKind, str]]:
    """What has been saved of an answer that is still being written, in order."""
    rows = connection.execute("SELECT kind, text FROM chunks WHERE message_id = ? ORDER BY number", (message_id,))
    return [(row["kind"], row["text"]) for row in rows]


def stats_to_column(stats: GenerationStats | None) -> str | None:
    """The JSON text of an answer's figures."""
    return None if stats is None else json.dumps(asdict(stats))


def stats_from_column(column: str | None) -> GenerationStats | None:
    """The figures that a JSON text stands for, without those that this version does not know."""
    values = _object_of(column)
    known = {field.name for field in fields(GenerationStats)}
    return GenerationStats(**{name: value for name, value in values.items() if name in known}) if column else None


def snapshot_to_column(settings: Mapping[str, Any] | None) -> str | None:
    """The JSON text of the settings that an answer is written with."""
    return json.dumps(dict(settings)) if settings else None


def snapshot_from_column(column: str | None) -> dict[str, Any]:
    """The settings that a JSON text stands for; none where it is damaged."""
    return _object_of(column)


def summary_from_row(row: sqlite3.Row) -> ThreadSummary:
    """A line of the thread list."""
    return ThreadSummary(
        id=row["id"],
        title=row["title"],
        created=row["created"],
        updated=row["updated"],
        message_count=row["message_count"],
        model=row["model"],
        folder_id=row["folder_id"],
        position=row["position"],
        pinned=bool(row["pinned"]),
        archived=row["archived_at"],
        trashed=row["trashed_at"],
        title_origin=row["title_origin"],
    )


def folder_from_row(row: sqlite3.Row) -> Folder:
    """A folder."""
    return Folder(
        id=row["id"],
        parent_id=row["parent_id"],
        title=row["title"],
        position=row["position"],
        collapsed=bool(row["collapsed"]),
        settings=settings_from_column(row["settings"]),
        created=row["created"],
    )


def message_from_row(
    row: sqlite3.Row, attachments: Attachments, chunks: Iterable[tuple[ChunkKind, str]] = ()
) -> StoredMessage:
    """A message, with the chunks that have not been folded into it yet."""
    return StoredMessage(
        id=row["id"],
        thread_id=row["thread_id"],
        parent_id=row["parent_id"],
        message=Message(row["role"], parts_from_column(row["parts"], attachments, chunks)),
        model=row["model"],
        status=row["status"],
        error=row["error"],
        stats=stats_from_column(row["stats"]),
        created=row["created"],
        kind=row["kind"],
        version=row["version"],
        versions=row["versions"],
        settings=snapshot_from_column(row["settings"]),
        edited=row["edited"],
    )


def _values_of(column: str) -> list[dict[str, Any]]:
    """The JSON objects of a message's parts; anything else in there becomes text, so that it can be read."""
    try:
        values = json.loads(column)
    except ValueError:
        values = None
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        return [{"type": "text", "text": column}]
    return values


def _values_to_column(values: list[dict[str, Any]]) -> str:
    return storable(json.dumps(values, ensure_ascii=False))


def _grown(values: list[dict[str, Any]], chunks: Iterable[tuple[ChunkKind, str]]) -> list[dict[str, Any]]:
    for kind, text in join_neighbours(chunks):
        if values and values[-1].get("type") == kind:
            values[-1]["text"] = f"{values[-1].get('text', '')}{text}"
        else:
            values.append({"type": kind, "text": text})
    return values


def _object_of(column: str | None) -> dict[str, Any]:
    try:
        value = json.loads(column or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
