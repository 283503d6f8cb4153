"""Answers that are saved while they come."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pytest

from tests.threads.children import start
from tui.domain import (
    Cancelled,
    EngineFault,
    Event,
    Failed,
    Finished,
    GenerationStats,
    PromptProgress,
    Queued,
    ReasoningDelta,
    ReasoningPart,
    StopReason,
    TextDelta,
    TextPart,
    text_message,
)
from tui.threads import AnswerRecorder, MessageStatus, StoredMessage, ThreadStore, recorder

STATUS_OF: dict[StopReason, MessageStatus] = {
    "eosFound": "complete",
    "stopStringFound": "complete",
    "toolCalls": "complete",
    "maxPredictedTokensReached": "complete",
    "contextLengthReached": "complete",
    "userStopped": "stopped",
    "modelUnloaded": "interrupted",
    "failed": "failed",
}


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(recorder, "time", made)
    return made


def begin(store: ThreadStore) -> tuple[str, AnswerRecorder]:
    thread = store.create_thread()
    store.add_message(thread.id, text_message("user", "Q"))
    return thread.id, store.begin_answer(thread.id, model="m")


def last(store: ThreadStore, thread_id: str) -> StoredMessage:
    return store.messages(thread_id)[-1]


def count_chunks(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT COUNT(*) FROM chunks").fetchone()[0])
    finally:
        connection.close()


def test_an_answer_becomes_one_message(store: ThreadStore, store_path: Path) -> None:
    thread_id, answer = begin(store)
    began = last(store, thread_id)
    assert (began.id, began.status, began.message.parts, began.model) == (answer.message_id, "streaming", (), "m")
    stats = GenerationStats(prompt_tokens=7, generated_tokens=3, generation_speed=2.5)
    answer.record([Queued(1), PromptProgress(1, 0, 7), ReasoningDelta("let me "), ReasoningDelta("see")])
    answer.record([ReasoningDelta("."), TextDelta("Yes"), TextDelta("")])
    answer.record([TextDelta("!"), Finished(stats)])

    ended = last(store, thread_id)
    assert ended.message.parts == (ReasoningPart("let me see."), TextPart("Yes!"))
    assert (ended.status, ended.error, ended.stats) == ("complete", "", stats)
    assert (answer.ended, answer.problem) == (True, None)
    assert count_chunks(store_path) == 0


@pytest.mark.parametrize(
    ("event", "status", "error"),
    [
        *[(Finished(GenerationStats(stop_reason=reason)), status, "") for reason, status in STATUS_OF.items()],
        (Failed(EngineFault("It broke.", "Mend it.")), "failed", "It broke. Mend it."),
        (Failed(Cancelled("You stopped it."), GenerationStats(prompt_tokens=1)), "stopped", "You stopped it."),
    ],
)
def test_how_an_answer_ended_is_kept(store: ThreadStore, event: Event, status: MessageStatus, error: str) -> None:
    thread_id, answer = begin(store)
    answer.record([TextDelta("part")])
    answer.record([event])
    ended = last(store, thread_id)
    assert (ended.status, ended.error, ended.message.text) == (status, error, "part")
    assert isinstance(event, Finished | Failed)
    assert ended.stats == event.stats


def test_what_came_is_on_disk_at_the_next_interval(store: ThreadStore, clock: Clock) -> None:
    thread_id, answer = begin(store)
    answer.record([TextDelta("a")])
    assert last(store, thread_id).message.text == "a"
    clock.now += recorder.FLUSH_INTERVAL / 2
    answer.record([TextDelta("b")])
    assert last(store, thread_id).message.text == "a"
    clock.now += recorder.FLUSH_INTERVAL / 2 + 0.01
    answer.record(())
    assert last(store, thread_id).message.text == "ab"
    assert last(store, thread_id).status == "streaming"


def test_many_pieces_make_few_rows(store: ThreadStore, store_path: Path, clock: Clock) -> None:
    thread_id, answer = begin(store)
    for number in range(200):
        answer.record([TextDelta(f"{number} ")])
        clock.now += 0.01
    assert 4 <= count_chunks(store_path) <= 6
    answer.record([Finished(GenerationStats())])
    assert last(store, thread_id).message.text == "".join(f"{number} " for number in range(200))


def test_saving_costs_the_same_late_in_an_answer(
    store: ThreadStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, answer = begin(store)
    written: list[int] = []
    original = sqlite3.Connection.executemany

    class Counting:
        """Counts the characters that go to the database."""

        def __init__(self, connection: sqlite3.Connection) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> object:
            return getattr(self._connection, name)

        def executemany(self, sql: str, rows: Sequence[tuple[object, ...]]) -> object:
            written.append(sum(len(str(value)) for row in rows for value in row))
            return original(self._connection, sql, rows)

    monkeypatch.setattr(answer._database, "_connection", Counting(answer._database._connection))
    for _ in range(500):
        answer.record([TextDelta("x" * 100)])
        clock.now += 1
    assert len(written) == 500
    assert max(written) - min(written) < 10


def test_a_full_disk_loses_nothing_and_stops_nothing(store: ThreadStore, clock: Clock) -> None:
    thread_id, answer = begin(store)
    answer.record([TextDelta("before ")])
    fill_disk(store, room=2)
    fed = ["before "]
    while answer.problem is None:
        clock.now += 1
        fed.append("y" * 3000 + " ")
        answer.record([TextDelta(fed[-1])])
        assert len(fed) < 50
    assert "disk is full" in answer.problem.message
    assert answer.problem.advice
    fed += ["after ", "all"]
    answer.record([TextDelta("after ")])
    clock.now += 1
    answer.record([TextDelta("all"), Finished(GenerationStats())])
    assert (answer.ended, last(store, thread_id).status) == (False, "streaming")
    assert answer.problem is not None

    fill_disk(store, room=1000)
    answer.record(())
    assert answer.problem is not None, "no try before its time"
    clock.now += 1
    answer.record(())
    assert answer.ended
    assert answer.problem is None
    ended = last(store, thread_id)
    assert (ended.message.text, ended.status) == ("".join(fed), "complete")


def test_a_disk_that_has_room_again_takes_what_was_held_back(store: ThreadStore, clock: Clock) -> None:
    thread_id, answer = begin(store)
    fill_disk(store, room=0)
    answer.record([ReasoningDelta("r" * 9000), TextDelta("t" * 9000)])
    assert answer.problem is not None
    assert last(store, thread_id).message.parts == ()
    fill_disk(store, room=1000)
    clock.now += 1
    answer.record([TextDelta("!")])
    assert answer.problem is None
    assert last(store, thread_id).message.parts == (ReasoningPart("r" * 9000), TextPart("t" * 9000 + "!"))


def fill_disk(store: ThreadStore, *, room: int) -> None:
    """Let the file grow by `room` pages and no more."""
    with store._database.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + room}")


def test_a_locked_store_makes_the_answer_wait_only_shortly(
    store: ThreadStore, store_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "PATIENCE", 0.01)
    thread_id, answer = begin(store)
    child = start("keep_locked", store_path)
    answer.record([TextDelta("held")])
    assert answer.problem is not None
    assert "locked" in answer.problem.message
    child.communicate()
    clock.now += 1
    answer.record(())
    assert answer.problem is None
    assert last(store, thread_id).message.text == "held"


def test_closing_the_store_ends_running_answers(store_path: Path) -> None:
    store = ThreadStore(store_path)
    thread_id, answer = begin(store)
    answer.record([TextDelta("on disk, ")])
    answer.record([TextDelta("in memory")])
    other_id, other = begin(store)
    other.record([TextDelta("done"), Finished(GenerationStats())])
    store.close()
    assert answer.ended
    answer.record([TextDelta("too late")])

    store = ThreadStore(store_path)
    assert last(store, thread_id).message.text == "on disk, in memory"
    assert last(store, thread_id).status == "interrupted"
    assert last(store, other_id).status == "complete"
    store.close()
    assert [path.name for path in store_path.parent.iterdir()] == ["lmdeck.db"]


def test_every_stop_reason_has_a_status() -> None:
    assert set(STATUS_OF) == set(get_args(StopReason))
