"""Power cuts: a process that writes an answer is killed, and of its write-ahead log only a part reaches the disk.

What SQLite asked the disk to keep, and the disk confirmed, survives a power cut; what was written since may be there,
be cut off anywhere, or be full of zeros. The format of the log: https://sqlite.org/fileformat2.html#walformat.
"""

from __future__ import annotations

import os
import random
import sqlite3
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tui.domain import ReasoningDelta, TextDelta, text_message
from tui.threads import ThreadStore

Damage = Literal["unsynced", "last commit", "anywhere"]
"""What of the log is lost: a part of what the disk had not confirmed; a part of the last transaction, as with a disk
that confirms too early; or everything behind any place."""

DAMAGES: tuple[Damage, ...] = ("unsynced", "last commit", "anywhere")

REPOSITORY = Path(__file__).parents[2]
LONGEST = 1.6
"""Seconds that a process may write: several commits."""

_FRAME_HEADER = 24
_LOG_HEADER = 32


@dataclass(frozen=True, slots=True)
class Cut:
    """What a store was after a power cut."""

    damage: Damage
    problem: str
    """What was wrong with the store; empty when it was whole."""
    lost_seconds: float
    """How long before the cut the first piece came that is lost; 0 when nothing is."""
    pieces: int
    """What was found again of the answer."""
    cut_bytes: int
    """How much of the log was lost."""


def cut_power(folder: Path, damage: Damage, chance: random.Random, longest: float = LONGEST) -> Cut:
    """Let a process write an answer into a new store in `folder`, cut its power within some seconds, and look."""
    path, journal = folder / "lmdeck.db", folder / "journal"
    store = ThreadStore(path)
    thread = store.create_thread("T")
    asked = store.add_message(thread.id, text_message("user", "Count."))
    store.close()
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.power", str(path), thread.id, str(journal)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(chance.uniform(0.0, longest))
    child.kill()
    killed = time.time()
    child.communicate()

    fed, durable, synced = _read_journal(journal)
    cut_bytes = _damage_log(path.with_name("lmdeck.db-wal"), damage, synced, chance)
    store = ThreadStore(path)
    messages = store.messages(thread.id)
    hits = store.finder.search("Count")
    store.close()
    answer = "".join(part.text for part in messages[-1].message.parts) if len(messages) > 1 else ""  # type: ignore[union-attr]
    pieces = answer.count(" ")
    lost = killed - fed[pieces] if pieces < len(fed) else 0.0
    problem = _damage_of(path)
    if messages[0].id != asked.id or [hit.message_id for hit in hits] != [asked.id]:
        problem = problem or "what was typed is gone"
    elif answer != "".join(f"{number} " for number in range(pieces)):
        problem = problem or "the answer is not a beginning of what came"
    elif len(messages) > 1 and messages[1].status != "interrupted":
        problem = problem or "the answer was not made whole"
    elif damage == "unsynced" and pieces < durable:
        problem = problem or "what the disk had confirmed is gone"
    return Cut(damage, problem, lost, pieces, cut_bytes)


def _read_journal(journal: Path) -> tuple[list[float], int, int]:
    """When each piece came, how many of them were certainly on disk, and how much of the log was."""
    fed: list[float] = []
    durable = synced = 0
    for line in journal.read_text().splitlines():
        kind, *values = line.split()
        if kind == "fed" and len(values) == 1:
            fed.append(float(values[0]))
        elif kind == "durable" and len(values) == 2:
            durable, synced = int(values[0]), int(values[1])
    return fed, durable, synced


def _damage_log(log: Path, damage: Damage, synced: int, chance: random.Random) -> int:
    """Cut or blank the log behind some place; how many bytes that lost."""
    content = log.read_bytes()
    if len(content) < _LOG_HEADER:
        return 0
    match damage:
        case "unsynced":
            start = min(synced, len(content))
        case "last commit":
            start = _start_of_last_commit(content)
        case "anywhere":
            start = 0
    place = chance.randint(start, len(content))
    if chance.random() < 0.5:
        log.write_bytes(content[:place])
    else:
        log.write_bytes(content[:place] + bytes(len(content) - place))
    return len(content) - place


def _start_of_last_commit(content: bytes) -> int:
    """Where in a log its last transaction begins, whether it was ended or not."""
    (page_size,) = struct.unpack(">I", content[8:12])
    salts = content[16:24]
    ends = [_LOG_HEADER]
    place = _LOG_HEADER
    while place + _FRAME_HEADER + page_size <= len(content) and content[place + 8 : place + 16] == salts:
        (size_after_commit,) = struct.unpack(">I", content[place + 4 : place + 8])
        place += _FRAME_HEADER + page_size
        if size_after_commit:
            ends.append(place)
    return ends[-1] if place > ends[-1] or len(ends) == 1 else ends[-2]


def _damage_of(path: Path) -> str:
    """What SQLite and the search index find wrong with a store; empty if nothing."""
    connection = sqlite3.connect(path)
    try:
        answers = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
        if answers != ["ok"]:
            return answers[0]
        if connection.execute("PRAGMA foreign_key_check").fetchall():
            return "a row hangs on one that is not there"
        connection.execute("INSERT INTO search_index (search_index, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        connection.close()
    return ""


def _write_until_killed(store_path: str, thread_id: str, journal_path: str) -> None:
    """Record an endless answer. The journal says when each piece came, and what was on disk when that was sure."""
    store = ThreadStore(Path(store_path))
    recorder = store.begin_answer(thread_id, model="m")
    log = Path(f"{store_path}-wal")
    journal = os.open(journal_path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    sys.stdout.write("at work\n")
    sys.stdout.flush()
    size = log.stat().st_size
    os.write(journal, f"durable 0 {size}\n".encode())
    for number in range(1_000_000):
        piece = f"{number} "
        os.write(journal, f"fed {time.time()}\n".encode())
        recorder.record([ReasoningDelta(piece) if number < 20 else TextDelta(piece)])
        if log.stat().st_size != size:
            size = log.stat().st_size
            os.write(journal, f"durable {number + 1} {size}\n".encode())
        time.sleep(0.002)


if __name__ == "__main__":
    _write_until_killed(*sys.argv[1:])
