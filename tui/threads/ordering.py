"""The order that people give to threads and folders."""

from __future__ import annotations

import sqlite3
from typing import Literal

from tui.domain import BadRequest
from tui.threads.changes import Changes

_SIBLINGS = {
    "threads": "SELECT id, position FROM threads WHERE folder_id IS ? AND id != ?"
    " ORDER BY position, created DESC, id DESC",
    "folders": "SELECT id, position FROM folders WHERE parent_id IS ? AND id != ? AND deleted_at IS NULL"
    " ORDER BY position, created, id",
}


def place(
    connection: sqlite3.Connection,
    changes: Changes,
    table: Literal["threads", "folders"],
    row_id: str,
    folder_id: str | None,
    before: str | None,
) -> None:
    """Put a thread or folder into a folder, above the one called `before` or below all. Raises BadRequest."""
    rows = connection.execute(_SIBLINGS[table], (folder_id, row_id)).fetchall()
    order = [str(row["id"]) for row in rows]
    if before is not None and before not in order:
        raise BadRequest("There is nothing of that name in this folder to put it above.", field="before")
    order.insert(len(order) if before is None else order.index(before), row_id)
    positions = {row["id"]: row["position"] for row in rows}
    parent_column = "folder_id" if table == "threads" else "parent_id"
    for position, sibling in enumerate(order):
        if sibling == row_id:
            changes.update(table, row_id, **{parent_column: folder_id, "position": position})
        elif positions[sibling] != position:
            changes.update(table, sibling, position=position)
