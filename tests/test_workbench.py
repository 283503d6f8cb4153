"""The composition root: answers go into threads, models are found and loaded, everything is kept at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.model_maker import make_scripted_model
from tui.domain import (
    BadRequest,
    Finished,
    LoadConfig,
    ModelNotFound,
    ModelUnusable,
    ModelWillNotFit,
    SamplingConfig,
    StorageFailed,
    TextDelta,
    text_message,
)
from tui.paths import find_paths
from tui.threads import ThreadSettings
from tui.workbench import Workbench

ANSWER = "Hello! Grüße aus München."


@pytest.fixture
def workbench(lmdeck_home: Path) -> Iterator[Workbench]:
    (lmdeck_home / "models").mkdir()
    make_scripted_model(lmdeck_home / "models" / "hello.gguf", ANSWER)
    make_scripted_model(lmdeck_home / "models" / "endless.gguf", ANSWER, loop=True, context_length=65_536, layers=4)
    workbench = Workbench(find_paths())
    yield workbench
    workbench.close()


def test_making_one_opens_and_writes_nothing(lmdeck_home: Path) -> None:
    Workbench(find_paths()).close()
    assert list(lmdeck_home.iterdir()) == []


def test_an_answer_is_saved_in_its_thread(workbench: Workbench) -> None:
    thread = workbench.threads.create_thread()
    workbench.threads.add_message(thread.id, text_message("user", "Hi"))
    answer = workbench.answer(thread.id, "hello")
    assert answer.generation.wait(60)
    *_, last = answer.generation.take()
    assert isinstance(last, Finished)
    question, stored = workbench.threads.messages(thread.id)
    assert stored.id == answer.message_id
    assert (stored.message.text, stored.status, stored.model) == (ANSWER, "complete", "hello")
    assert stored.stats == last.stats
    assert answer.problem is None
    again = workbench.answer(thread.id, "hello", parent_id=question.id)
    assert again.generation.wait(60)
    assert [message.id for message in workbench.threads.messages(thread.id)] == [question.id, again.message_id]


def test_the_whole_branch_is_sent_and_the_next_turn_is_cached(workbench: Workbench) -> None:
    thread = workbench.threads.create_thread()
    prompts = []
    for text in ("Hi", "And then?"):
        workbench.threads.add_message(thread.id, text_message("user", text))
        answer = workbench.answer(thread.id, "hello")
        assert answer.generation.wait(60)
        prompts.append(answer.generation.request.messages)
        stats = workbench.threads.messages(thread.id)[-1].stats
    assert [[message.text for message in prompt] for prompt in prompts] == [["Hi"], ["Hi", ANSWER, "And then?"]]
    assert stats is not None
    assert stats.cached_prompt_tokens > 0


def test_an_answer_follows_its_thread_and_its_folder(workbench: Workbench) -> None:
    store = workbench.threads
    folder = store.folders.create("F")
    store.folders.save_settings(folder.id, ThreadSettings("Be kind.", overrides={"sampling.temperature": 0.0}))
    thread = store.create_thread(folder_id=folder.id, settings=ThreadSettings(stop=("München",)))
    store.add_message(thread.id, text_message("user", "Hi"))
    store.add_message(thread.id, text_message("user", "not for models"), kind="note")
    answer = workbench.answer(thread.id, "hello")
    assert answer.generation.wait(60)
    request = answer.generation.request
    assert [message.text for message in request.messages] == ["Be kind.", "Hi"]
    stored = store.messages(thread.id)[-1]
    assert stored.message.text == ANSWER.partition("München")[0]
    assert stored.settings == {
        "answer.system_prompt": "Be kind.",
        "sampling.stop": ["München"],
        "sampling.temperature": 0.0,
    }
    found = workbench.settings_of(thread.id, "hello")
    assert (found.sampling.temperature, found.source("sampling.temperature").text) == (0.0, "its folder “F”")
    store.save_thread_settings(thread.id, ThreadSettings(overrides={"sampling.colour": 1}))
    with pytest.raises(BadRequest, match="colour"):
        workbench.answer(thread.id, "hello")
    assert len(store.messages(thread.id)) == 3, "no empty answer is left behind"


def test_an_answer_is_gone_on_with_where_it_ended(workbench: Workbench) -> None:
    thread = workbench.threads.create_thread()
    question = workbench.threads.add_message(thread.id, text_message("user", "Hi"))
    first = workbench.answer(thread.id, "hello", SamplingConfig(max_tokens=3))
    assert first.generation.wait(60)
    begun = workbench.threads.messages(thread.id)[-1].message.text
    assert begun
    assert begun != ANSWER
    more = workbench.continue_answer(first.message_id, "hello")
    assert more.generation.wait(60)
    assert more.generation.request.continues_answer
    assert more.generation.request.messages[-1].text == begun
    came = "".join(event.text for event in more.generation.take() if isinstance(event, TextDelta))
    (_, stored) = workbench.threads.messages(thread.id)
    assert came
    assert (stored.id, stored.message.text, stored.status) == (first.message_id, begun + came, "complete")
    with pytest.raises(BadRequest):
        workbench.continue_answer(question.id, "hello")


def test_loading_by_any_name_gives_the_one_model(workbench: Workbench) -> None:
    model = workbench.load("hello", LoadConfig(threads=1))
    assert workbench.loaded() == (model,)
    assert workbench.load(str(workbench.paths.models / "hello.gguf"), LoadConfig(threads=1)) is model
    workbench.unload("hello")
    assert workbench.loaded() == ()


def test_names_that_lead_nowhere_are_errors(workbench: Workbench) -> None:
    (workbench.paths.models / "broken.gguf").write_bytes(b"nonsense")
    with pytest.raises(ModelNotFound):
        workbench.load("nothing", LoadConfig())
    with pytest.raises(ModelUnusable):
        workbench.estimate("broken", LoadConfig())


def test_closing_in_mid_answer_keeps_what_came(workbench: Workbench) -> None:
    thread = workbench.threads.create_thread()
    workbench.threads.add_message(thread.id, text_message("user", "Hi"))
    answer = workbench.answer(thread.id, "endless")
    seen = 0
    for event in answer.generation:
        seen += len(getattr(event, "text", ""))
        if seen > 100:
            break
    workbench.close()
    reopened = Workbench(workbench.paths)
    stored = reopened.threads.messages(thread.id)[-1]
    reopened.close()
    assert len(stored.message.text) >= seen
    assert stored.status == "stopped"
    assert (ANSWER * 10_000).startswith(stored.message.text)


def test_a_full_disk_does_not_stop_the_answer_and_it_is_saved_later(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.workbench.workbench._RETRY_INTERVAL", 0.05)
    thread = workbench.threads.create_thread()
    workbench.threads.add_message(thread.id, text_message("user", "Hi"))
    told: list[StorageFailed] = []
    workbench.on_unsaved = told.append
    answer = workbench.answer(thread.id, "endless", SamplingConfig(max_tokens=1500))
    limit_pages(workbench, 0)
    assert answer.generation.wait(120)
    *_, last = answer.generation.take()
    assert isinstance(last, Finished)
    assert answer.problem is not None
    assert "full" in answer.problem.message
    assert answer.problem in told
    limit_pages(workbench, 10_000)
    deadline = time.monotonic() + 20
    while answer.problem is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    stored = workbench.threads.messages(thread.id)[-1]
    assert stored.status == "complete"
    assert stored.stats == last.stats
    assert len(stored.message.text) > 4_000


def limit_pages(workbench: Workbench, more: int) -> None:
    """Let the database grow by so many pages and no further, as a disk with that much room does."""
    with workbench.threads._database.writing() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + more}")


def test_the_guardrail_of_the_settings_counts_at_the_next_load(workbench: Workbench) -> None:
    config = LoadConfig(threads=1, parallel=1, context_length=60_000)
    needed = workbench.estimate("endless", config).needed
    workbench.settings.set("guardrail", "custom")
    workbench.settings.set("guardrail_limit", 0.5 * needed / 2**30)
    assert workbench.estimate("endless", config).shortage is not None
    with pytest.raises(ModelWillNotFit, match="custom"):
        workbench.load("endless", config)
    fitted = workbench.fit("endless", config)
    assert fitted.estimate.needed <= 0.5 * needed
    assert [change.name for change in fitted.changes] == ["context_length"]
    assert workbench.load("endless", fitted.config).context_length == fitted.config.context_length
    assert workbench.load("endless", config, force=True).context_length == 60_000
