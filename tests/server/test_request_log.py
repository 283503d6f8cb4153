"""What is kept of requests, and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.domain import Finished, GenerationStats, TextDelta, ToolCallFinished, ToolCallPart
from tui.server.records import RequestEntry
from tui.server.redaction import MASK, redacted, redacted_text
from tui.server.request_log import RequestLog


@pytest.fixture
def log(tmp_path: Path) -> Iterator[RequestLog]:
    log = RequestLog(tmp_path / "requests.db")
    yield log
    log.close()


def served(log: RequestLog, text: str = "hello", model: str = "m") -> RequestEntry:
    entry = RequestEntry(method="POST", path="/v1/chat/completions", dialect="openai", client="c", token="")
    log.begin(entry)
    entry.model = model
    entry.expects(1)
    entry.saw([TextDelta(text), ToolCallFinished(0, ToolCallPart("1", "f", "{}"))])
    entry.saw([Finished(GenerationStats(prompt_tokens=3, generated_tokens=2))])
    entry.ended("done", status=200)
    log.end(entry)
    return entry


def test_it_survives_the_program(log: RequestLog, tmp_path: Path) -> None:
    entry = served(log)
    log.close()
    again = RequestLog(tmp_path / "requests.db")
    assert again.find(entry.id) == entry.record()
    assert [(record.id, record.output) for record in again.search()] == [(entry.id, "")]
    assert (tmp_path / "requests.db").stat().st_mode & 0o077 == 0


def test_search_wants_all_words_and_takes_them_literally(log: RequestLog) -> None:
    served(log, "a cat and a dog")
    served(log, "100% cats_and")
    log.close()
    assert len(log.search("CAT dog")) == 1
    assert len(log.search("cat")) == 2
    assert len(log.search("0% ts_a")) == 1
    assert log.search("0_ nothing") == []


def test_sums_and_watchers(log: RequestLog) -> None:
    heard: list[str] = []
    stop = log.watch(lambda entry: heard.append(entry.record().state))
    served(log)
    stop()
    served(log)
    log.close()
    assert heard == ["received", "done"]
    totals = log.totals()
    assert (totals.requests, totals.failed, totals.prompt_tokens, totals.generated_tokens) == (2, 0, 6, 4)


def test_the_newest_comes_first_and_clearing_forgets(log: RequestLog) -> None:
    for name in ("one", "two", "three"):
        served(log, model=name)
    assert [record.model for record in log.latest()] == ["three", "two", "one"]
    log.close()
    log.clear()
    assert log.latest() == []
    assert log.search() == []


def test_a_disk_that_refuses_is_told_and_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "requests.db").mkdir()
    log = RequestLog(tmp_path / "requests.db")
    entry = served(log)
    log.close()
    assert "cannot be kept" in log.problem
    assert log.latest() == [entry.record()]
    assert log.search() == []


def test_secrets_and_files_are_taken_out() -> None:
    body = {
        "api_key": "abc",
        "headers": {"Authorization": "Bearer abcdefghijk", "x-api-key": "k"},
        "messages": [{"content": f"my key is sk-lm-abcdefgh:{'x' * 20} and hf_{'a' * 30}"}],
        "image": "data:image/png;base64," + "QUJD" * 1000,
        "max_tokens": 5,
        "tokens": [1, 2],
    }
    told = json.dumps(redacted(body))
    for secret in ("abcdefghijk", "xxxxxxxx", "aaaaaaaa", "QUJDQUJD", '"abc"', '"k"'):
        assert secret not in told
    assert "image/png" in told
    assert redacted(body)["max_tokens"] == 5
    assert redacted(body)["tokens"] == [1, 2]
    assert redacted_text("Bearer abcdefghijk said") == f"Bearer {MASK} said"
    assert redacted_text("plain words stay, sk- too") == "plain words stay, sk- too"
