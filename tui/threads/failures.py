"""SQLite's errors in words that a person can act on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui.domain import StorageFailed

# SQLite's result codes (https://sqlite.org/rescode.html) keep their kind in the lowest byte.
_KIND_MASK = 0xFF

_BY_KIND: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: (
        "The disk is full: {path} cannot grow.",
        "Free some space on that disk; what is already saved is safe.",
    ),
    sqlite3.SQLITE_READONLY: (
        "The thread store {path} cannot be written to.",
        "Check that the file and its folder belong to you and that the disk is not mounted read-only.",
    ),
    sqlite3.SQLITE_BUSY: (
        "Another program keeps the thread store {path} locked.",
        "Close the program that has it open and try again.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "The thread store {path} is damaged.",
        "Move it away and start lmdeck again, which makes a new one; `sqlite3 FILE .recover` saves what can be read.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "{path} is not a thread store: it is no SQLite database.",
        "Move the file away and start lmdeck again, which makes a new one.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "The thread store {path} cannot be opened.",
        "Check that its folder exists and that you may write there.",
    ),
    sqlite3.SQLITE_IOERR: (
        "The disk failed while the thread store {path} was read or written.",
        "Check that the disk has room and is in order.",
    ),
    sqlite3.SQLITE_CONSTRAINT: (
        "The thread or message does not exist in {path}.",
        "It may have been removed by another lmdeck; open the thread list again.",
    ),
}
_BY_KIND[sqlite3.SQLITE_LOCKED] = _BY_KIND[sqlite3.SQLITE_BUSY]
_BY_KIND[sqlite3.SQLITE_PERM] = _BY_KIND[sqlite3.SQLITE_READONLY]


def storage_failure(error: sqlite3.Error | OSError, path: Path) -> StorageFailed:
    """The StorageFailed that says what `error` means for the store at `path`."""
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return StorageFailed(
            f"The thread store {path} cannot be opened: {reason}.",
            "Check that its folder exists, that you may write there and that the disk has room.",
        )
    kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _KIND_MASK
    if kind in _BY_KIND:
        message, advice = _BY_KIND[kind]
        return StorageFailed(message.format(path=path), advice)
    return StorageFailed(f"The thread store {path} failed: {error}.", "Start lmdeck again and try once more.")


@contextmanager
def failures_of(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise inside the block into StorageFailed."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise storage_failure(error, path) from error
