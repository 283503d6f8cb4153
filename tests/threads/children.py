"""Processes that use a store at the same time as the test, or die in the middle of using it.

Started by `start(name, *arguments)`; each prints a line when it is at work.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from tui.domain import Finished, GenerationStats, ReasoningDelta, TextDelta, text_message
from tui.threads import ThreadStore
from tui.threads.database import Database
from tui.threads.schema import MIGRATIONS

REPOSITORY = Path(__file__).parents[2]


def start(name: str, *arguments: object) -> subprocess.Popen[str]:
    """Start one of the functions below in a process of its own and wait until it is at work."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.threads.children", name, *map(str, arguments)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "at work\n"
    return child


def answer(store_path: str, thread_id: str, log_path: str) -> None:
    """Record an endless answer; the log says, before each piece is fed, when it was and which."""
    store = ThreadStore(Path(store_path))
    recorder = store.begin_answer(thread_id, model="m")
    log = os.open(log_path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    _say_at_work()
    for number in range(1_000_000):
        piece = f"{number} "
        os.write(log, f"{time.time()} {number}\n".encode())
        recorder.record([ReasoningDelta(piece) if number < 20 else TextDelta(piece)])
        time.sleep(0.002)


def add(store_path: str, count: str) -> None:
    """Add messages to the newest thread and end an answer after each, as fast as it goes."""
    store = ThreadStore(Path(store_path))
    _say_at_work()
    sys.stdin.read()
    thread = store.list_threads()[0]
    for number in range(int(count)):
        store.add_message(thread.id, text_message("user", f"{os.getpid()} {number}"))
        store.begin_answer(thread.id, model="m").record([TextDelta("yes"), Finished(GenerationStats())])
    store.close()


def create(store_path: str) -> None:
    """Open a store that may not exist yet, at the moment that standard input ends."""
    _say_at_work()
    sys.stdin.read()
    store = ThreadStore(Path(store_path))
    store.create_thread("one")
    store.close()


def die_while_migrating(store_path: str) -> None:
    """Die with half of the first migration done."""
    connection = sqlite3.connect(store_path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in MIGRATIONS[0][:2]:
        connection.execute(statement)
    # More than the cache holds, so that a part of it really is in the log.
    connection.execute("CREATE TABLE filler (text TEXT)")
    connection.execute("PRAGMA cache_size = 1")
    for _ in range(50):
        connection.execute("INSERT INTO filler VALUES (?)", ("x" * 100_000,))
    _say_at_work()
    os._exit(9)


def keep_locked(store_path: str) -> None:
    """Hold a write transaction until standard input ends."""
    database = Database(Path(store_path))
    with database.writing():
        _say_at_work()
        sys.stdin.read()


def _say_at_work() -> None:
    sys.stdout.write("at work\n")
    sys.stdout.flush()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
