"""One SQLite connection that several threads share: opening, locking, transactions."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tui.domain import StorageFailed
from tui.threads.failures import failures_of
from tui.threads.schema import SCHEMA_VERSION, migrate, version_of

BUSY_TIMEOUT = 3.0
"""Seconds to wait for another process's transaction, which takes milliseconds."""


class Database:
    """The open store. Every use goes through `reading` or `writing`, one thread at a time.

    Raises StorageFailed, also from the constructor. `read_only` is set when a newer lmdeck has written the file:
    what it says can be read, but changing it could spoil what this version does not know.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with failures_of(path):
            _make_private_file(path)
            self._connection = _connect(str(path))
            try:
                self.read_only = version_of(self._connection) > SCHEMA_VERSION
                if self.read_only:
                    self._connection.close()
                    self._connection = _connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
                else:
                    _use_write_ahead_log(self._connection)
                    migrate(self._connection)
            except BaseException:
                self._connection.close()
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction in which everything read belongs to one moment."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self, *, wait: float = BUSY_TIMEOUT) -> Iterator[sqlite3.Connection]:
        """A transaction that is on disk, safe from a power cut, when the block ends, or not at all.

        `wait` is how many seconds another process may keep the store before this fails.
        """
        if self.read_only:
            raise StorageFailed(
                f"The thread store {self.path} was written by a newer lmdeck, so this one only reads it.",
                "Update lmdeck to go on with these threads.",
            )
        with self._transaction("BEGIN IMMEDIATE", wait) as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str, wait: float = BUSY_TIMEOUT) -> Iterator[sqlite3.Connection]:
        with self._lock, failures_of(self.path):
            self._connection.execute(f"PRAGMA busy_timeout = {round(wait * 1000)}")
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite itself has already rolled back after some errors, such as a full disk.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def copy_to(self, target: Path) -> None:
        """Write what the store holds at this moment into a new file, while others go on using it."""
        with failures_of(self.path):
            _make_private_file(target)
            # A connection of its own: the shared one would keep everybody waiting.
            source = _connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)
            try:
                with closing(sqlite3.connect(target)) as copy:
                    source.backup(copy)
            finally:
                source.close()

    def replace_with(self, source: Path) -> None:
        """Put what another file holds in the place of everything, in one step that a power cut cannot split."""
        with self.writing():
            pass  # says so when this file must not be written
        with self._lock, failures_of(self.path), closing(sqlite3.connect(source)) as other:
            other.backup(self._connection)

    def close(self) -> None:
        """Close the file; later uses raise StorageFailed."""
        with self._lock, failures_of(self.path):
            self._connection.close()


def _make_private_file(path: Path) -> None:
    """Create the file, if there is none, so that only its owner can read it: it holds private conversations."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _connect(name: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, uri=uri)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    # In WAL mode the default of many builds, NORMAL, may lose the last commits in a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch to WAL, so that readers and the writer do not wait for each other.

    SQLite does not wait its busy time when two processes switch at once, so waiting is done here.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.02)
