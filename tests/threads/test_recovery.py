"""What is left of an answer when its process dies, and what other processes may do meanwhile."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path

import pytest

from tests.threads.children import start
from tests.threads.test_migration import make_first_version
from tui.domain import Finished, GenerationStats, ReasoningDelta, ReasoningPart, TextDelta, TextPart, text_message
from tui.threads import ThreadStore, recorder, writers


def test_a_killed_process_loses_at_most_a_second(store_path: Path, tmp_path: Path) -> None:
    store = ThreadStore(store_path)
    threads = [store.create_thread(name).id for name in ("one", "two")]
    store.close()
    chance = random.Random(7)
    whole: dict[str, list[str]] = {thread_id: [] for thread_id in threads}
    for round_number in range(10):
        logs = [tmp_path / f"log-{round_number}-{index}" for index in range(2)]
        children = [start("answer", store_path, thread_id, log) for thread_id, log in zip(threads, logs, strict=True)]
        killed = []
        for child in children:
            time.sleep(chance.uniform(0.05, 0.8))
            child.kill()
            killed.append(time.time())
            child.communicate()

        store = ThreadStore(store_path)
        for thread_id, log, end in zip(threads, logs, killed, strict=True):
            stored = store.messages(thread_id)
            assert [message.status for message in stored] == ["interrupted"] * (round_number + 1)
            texts = ["".join(part.text for part in message.message.parts) for message in stored]
            count = texts[-1].count(" ")
            assert texts[-1] == "".join(f"{number} " for number in range(count)), "a beginning without gaps"
            fed = [float(line.split()[0]) for line in log.read_text().splitlines()]
            assert count <= len(fed)
            assert all(end - moment < 1.0 for moment in fed[count:])
            whole[thread_id].append(texts[-1])
            assert texts == whole[thread_id], "earlier answers are as they were"
        store.close()
    assert sum(text.count(" ") for texts in whole.values() for text in texts) > 500

    connection = sqlite3.connect(store_path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("SELECT COUNT(*) FROM chunks").fetchone() == (0,)
    connection.close()
    assert [path.name for path in tmp_path.glob("lmdeck.db*")] == ["lmdeck.db"]


def test_an_answer_of_a_living_process_is_left_alone(store_path: Path, tmp_path: Path) -> None:
    store = ThreadStore(store_path)
    thread = store.create_thread()
    child = start("answer", store_path, thread.id, tmp_path / "log")
    try:
        seen = ThreadStore(store_path)
        assert text_that_comes(seen, thread.id)
        assert seen.messages(thread.id)[-1].status == "streaming"
        seen.close()
        assert store.messages(thread.id)[-1].status == "streaming"
    finally:
        child.kill()
        child.communicate()
    store.close()
    store = ThreadStore(store_path)
    assert store.messages(thread.id)[-1].status == "interrupted"
    store.close()


def test_an_answer_of_this_process_is_left_alone_by_a_second_store(store: ThreadStore, store_path: Path) -> None:
    thread = store.create_thread()
    answer = store.begin_answer(thread.id, model="m")
    answer.record([ReasoningDelta("thinking")])
    second = ThreadStore(store_path)
    assert second.messages(thread.id)[-1].status == "streaming"
    assert second.messages(thread.id)[-1].message.parts == (ReasoningPart("thinking"),)
    second.close()
    answer.record([TextDelta("done"), Finished(GenerationStats())])
    assert store.messages(thread.id)[-1].message.parts == (ReasoningPart("thinking"), TextPart("done"))


def test_an_answer_that_was_taken_for_dead_loses_nothing(
    store: ThreadStore, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "FLUSH_INTERVAL", 0.0)
    thread = store.create_thread()
    answer = store.begin_answer(thread.id, model="m")
    answer.record([TextDelta("one ")])
    for lock in store_path.parent.glob("*-writer-*"):
        lock.unlink()
    second = ThreadStore(store_path)
    assert second.messages(thread.id)[-1].status == "interrupted"
    second.close()
    answer.record([TextDelta("two ")])
    answer.record([TextDelta("three"), Finished(GenerationStats())])
    (stored,) = store.messages(thread.id)
    assert (stored.message.text, stored.status) == ("one two three", "complete")


def test_reading_goes_on_when_the_disk_is_too_full_to_mend_an_answer(
    store_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ThreadStore(store_path)
    thread = store.create_thread()
    child = start("answer", store_path, thread.id, tmp_path / "log")
    assert text_that_comes(store, thread.id)
    child.kill()
    child.communicate()
    store.close()

    with monkeypatch.context() as patch:
        patch.setattr("tui.threads.folding.fold", _disk_full)
        store = ThreadStore(store_path)
        stored = store.messages(thread.id)[-1]
        assert stored.status == "streaming"
        assert stored.message.parts
        store.close()
    store = ThreadStore(store_path)
    assert store.messages(thread.id)[-1].status == "interrupted"
    assert store.messages(thread.id)[-1].message == stored.message
    store.close()


def text_that_comes(store: ThreadStore, thread_id: str) -> str:
    """The first text on disk of the answer that another process is writing."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        parts = store.messages(thread_id)[-1].message.parts
        if parts:
            return parts[0].text
        time.sleep(0.01)
    return ""


def _disk_full(*_arguments: object) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error


def test_a_lock_file_that_was_cleared_away_before_it_was_locked(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = writers._try_lock
    calls: list[int] = []

    def clear_away_first(descriptor: int) -> bool:
        calls.append(descriptor)
        if len(calls) == 1:
            for path in store_path.parent.iterdir():
                path.unlink()
        return original(descriptor)

    monkeypatch.setattr(writers, "_try_lock", clear_away_first)
    writer = writers.Writer(store_path)
    assert len(calls) == 2
    assert writers.is_alive(store_path, writer.id)
    writers.remove_files_of_dead_writers(store_path)
    assert writers.is_alive(store_path, writer.id)
    writer.release()
    assert not writers.is_alive(store_path, writer.id)
    assert list(store_path.parent.iterdir()) == []


def test_two_processes_write_at_once(store_path: Path) -> None:
    store = ThreadStore(store_path)
    thread = store.create_thread()
    children = [start("add", store_path, 30) for _ in range(2)]
    for child in children:
        assert child.stdin is not None
        child.stdin.close()
    for child in children:
        assert child.wait(60) == 0
    stored = store.messages(thread.id)
    store.close()
    assert len(stored) == len({message.id for message in stored}) == 2 * 60
    for child in children:
        asked = [message.message.text for message in stored if message.message.text.startswith(f"{child.pid} ")]
        assert asked == [f"{child.pid} {number}" for number in range(30)]
    assert {message.status for message in stored} == {"complete"}


def test_two_processes_rearrange_one_thread(store: ThreadStore, store_path: Path) -> None:
    thread = store.create_thread("T")
    for number in range(10):
        store.add_message(thread.id, text_message("user", f"message {number}"))
    children = [start("rearrange", store_path, 60) for _ in range(2)]
    for child in children:
        assert child.stdin is not None
        child.stdin.close()
    for child in children:
        assert child.wait(60) == 0
    living = {message.id: message for message in store.all_messages(thread.id)}
    branch = store.messages(thread.id)
    assert [message.parent_id for message in branch] == [None, *(message.id for message in branch[:-1])]
    assert all(message.id in living for message in branch)
    assert all(message.parent_id is None or message.parent_id in living for message in living.values())
    check_whole(store_path, len(living))


def check_whole(path: Path, living: int) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.execute("INSERT INTO search_index (search_index, rank) VALUES ('integrity-check', 1)")
    kept = connection.execute(
        "SELECT COUNT(*) FROM messages WHERE deleted_at IS NULL AND thread_id IN"
        " (SELECT id FROM threads WHERE trashed_at IS NULL)"
    ).fetchone()[0]
    indexed = connection.execute(
        "SELECT COUNT(*) FROM search_texts JOIN threads ON threads.id = thread_id"
        " WHERE message_id IS NOT NULL AND trashed_at IS NULL"
    ).fetchone()[0]
    assert living == kept == indexed
    connection.close()


def test_processes_that_bring_an_older_store_up_to_date_at_once(store_path: Path) -> None:
    make_first_version(store_path)
    children = [start("create", store_path) for _ in range(4)]
    for child in children:
        assert child.stdin is not None
        child.stdin.close()
    for child in children:
        assert child.wait(60) == 0
    store = ThreadStore(store_path)
    assert len(store.list_threads()) == 6
    assert store.finder.search("old question")
    store.close()


def test_processes_that_create_the_store_at_once(store_path: Path) -> None:
    children = [start("create", store_path) for _ in range(6)]
    for child in children:
        assert child.stdin is not None
        child.stdin.close()
    for child in children:
        assert child.wait(60) == 0
    store = ThreadStore(store_path)
    assert len(store.list_threads()) == 6
    store.close()
