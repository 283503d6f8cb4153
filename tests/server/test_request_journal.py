"""The request log: in memory, on disk, found again, replayed."""

from __future__ import annotations

import queue
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.conftest import ANSWER, Running
from tui.domain import BadRequest, Finished, GenerationStats, RequestRecord, TextDelta
from tui.server import RequestLog
from tui.server.records import RequestEntry
from tui.server.replay import send_again


@pytest.fixture
def log(tmp_path: Path) -> Iterator[RequestLog]:
    made = RequestLog(tmp_path / "requests.db")
    yield made
    made.close()


def entry(model: str = "talker") -> RequestEntry:
    made = RequestEntry(method="POST", path="/v1/chat/completions", dialect="openai", client="here", token="")
    made.model, made.body, made.prompt = model, '{"a": 1}', "the prompt"
    return made


def ended(log: RequestLog, made: RequestEntry) -> None:
    log.begin(made)
    made.saw([TextDelta("said ", 2), TextDelta("twice", 3), Finished(GenerationStats(generated_tokens=6))])
    made.ended("done", status=200)
    log.end(made)


def test_a_request_grows_and_then_stays_the_same() -> None:
    made = entry()
    made.expects(1)
    made.saw([TextDelta("one ", 1)])
    first = made.record()
    assert (first.output, first.tokens, first.over) == ("one ", 1, False)
    made.ended("cancelled")
    made.saw([TextDelta("two", 1)])
    assert made.record().output == "one two"
    made.saw([Finished(GenerationStats(generated_tokens=2))])
    last = made.record()
    assert last.stats is not None
    assert (last.output, last.tokens) == ("one two", 2)
    assert made.record() is last


def test_search_leaves_texts_on_disk_where_find_has_them(log: RequestLog) -> None:
    ended(log, entry("otter"))
    log.close()
    (found,) = log.search("otter said")
    assert (found.model, found.body, found.prompt, found.output) == ("otter", "", "", "")
    assert log.search("walrus") == []
    again = RequestLog(log._path)
    whole = again.find(found.id)
    assert whole is not None
    assert (whole.body, whole.prompt, whole.output) == ('{"a": 1}', "the prompt", "said twice")
    assert again.find("nonsense") is None


def test_looking_makes_no_file(log: RequestLog) -> None:
    assert log.search() == []
    assert log.find("nonsense") is None
    log.clear()
    assert not log._path.exists()


def test_requests_that_another_version_wrote_are_passed_over(log: RequestLog) -> None:
    ended(log, entry("strange"))
    ended(log, entry("known"))
    log.close()
    with sqlite3.connect(log._path) as connection:
        connection.execute("UPDATE requests SET record = '{\"id\": 1}' WHERE record LIKE '%strange%'")
    assert [record.model for record in log.search()] == ["known"]


def test_clear_forgets_what_has_ended(log: RequestLog) -> None:
    ended(log, entry())
    running = entry()
    log.begin(running)
    log.close()
    log.clear()
    assert [record.id for record in log.latest()] == [running.id]
    assert log.search() == []


def test_the_prompt_is_kept_and_a_replay_is_a_request_of_its_own(running: Running) -> None:
    question = {"model": "talker", "messages": [{"role": "user", "content": "replay me"}]}
    httpx.post(f"{running.openai}/chat/completions", json=question, timeout=60)
    log = running.server.log
    first = log.latest()[0]
    assert "replay me" in first.prompt
    done = _next_end(log)
    running.server.replay(first.id)
    second = done()
    assert second.body == first.body
    assert second.output == first.output == ANSWER
    assert second.id != first.id


def test_what_cannot_be_replayed_says_why(running: Running) -> None:
    with pytest.raises(BadRequest, match="not in the log"):
        running.server.replay("nonsense")
    made = entry()
    for body in ('{"key": "•••"}', '{"url": "[image/png, 1,234 bytes]"}', ""):
        made.body = body
        with pytest.raises(BadRequest):
            send_again(made.record(), running.url, "")


def _next_end(log: RequestLog) -> Callable[[], RequestRecord]:
    """Waits for the end of a request that begins from now on."""
    ends: queue.SimpleQueue[RequestRecord] = queue.SimpleQueue()
    begun = {record.id for record in log.latest()}
    stop = log.watch(lambda made: ends.put(made.record()) if made.over and made.id not in begun else None)

    def wait() -> RequestRecord:
        try:
            return ends.get(timeout=30)
        finally:
            stop()

    return wait
