"""Processes that use a store at the same time as the test, or die in the middle of using it.

Started by `start(name, *arguments)`; each prints a line when it is at work.
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tui.domain import Finished, GenerationStats, Message, ReasoningDelta, StorageFailed, TextDelta, text_message
from tui.threads import ThreadStore, Undo
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


def rearrange(store_path: str, count: str) -> None:
    """Do to the newest thread whatever people do to threads, as fast as it goes; others may be doing it, too."""
    store = ThreadStore(Path(store_path))
    _say_at_work()
    sys.stdin.read()
    chance = random.Random(os.getpid())
    thread = store.list_threads()[0]
    undone: list[Undo] = []
    for number in range(int(count)):
        place = chance.choice(store.all_messages(thread.id)).id
        # What the other process has just removed is not there: that is an answer, not a fault.
        with contextlib.suppress(StorageFailed):
            chance.choice(_ways_to_change(store, thread.id, place, user(number), undone))()
        if not store.all_messages(thread.id):
            store.add_message(thread.id, user(number))
    store.close()


def user(number: int) -> Message:
    return text_message("user", f"{os.getpid()} says {number}")


def _ways_to_change(
    store: ThreadStore, thread_id: str, place: str, message: Message, undone: list[Undo]
) -> list[Callable[[], object]]:
    return [
        lambda: store.editor.edit(place, message),
        lambda: store.editor.edit_in_place(place, message),
        lambda: undone.append(store.editor.insert(thread_id, message, after=place)[1]),
        lambda: undone.append(store.editor.delete(place)),
        lambda: undone.append(store.editor.delete_single(place)),
        lambda: store.undo(undone.pop(0)) if undone else None,
        lambda: undone.append(store.undo(undone.pop())) if undone else None,
        lambda: store.editor.activate(place),
        lambda: store.add_message(thread_id, message),
        lambda: store.move_thread(thread_id, store.folders.create("F").id),
        lambda: store.trash_thread(store.duplicate_thread(thread_id).id),
        lambda: store.finder.search("says"),
    ]


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
