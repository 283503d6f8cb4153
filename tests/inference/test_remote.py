"""Remote models on the one road: the same generation, recorder and workbench as for a model of this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.model_maker import make_scripted_model
from tests.support.openai_stub import PATIENCE, Connection, Received, Stub, delta, openai_stub, refusing, usage
from tui.domain import (
    BadRequest,
    ContextExceeded,
    Event,
    Failed,
    Finished,
    GenerationRequest,
    LoadConfig,
    ModelNotFound,
    ReasoningDelta,
    RemoteFailed,
    TextDelta,
    text_message,
)
from tui.paths import find_paths
from tui.workbench import Workbench

HELLO = (text_message("user", "Hi"),)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with openai_stub() as stub:
        yield stub


@pytest.fixture
def workbench(lmdeck_home: Path, stub: Stub) -> Iterator[Workbench]:
    (lmdeck_home / "models").mkdir()
    stub.serve_models("m", "org/other")
    workbench = Workbench(find_paths())
    workbench.add_remote("home", stub.url)
    yield workbench
    workbench.close()


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def test_a_remote_answer_is_saved_in_its_thread(workbench: Workbench, stub: Stub) -> None:
    stub.serve_answer(
        delta(reasoning_content="Hm."), delta(content="Hello "), delta("stop", content="there."), usage(9, 4)
    )
    thread = workbench.threads.create_thread()
    workbench.threads.add_message(thread.id, text_message("user", "Hi"))
    answer = workbench.answer(thread.id, "home/m")
    assert answer.generation.wait(PATIENCE)
    *events, last = answer.generation.take()
    assert isinstance(last, Finished)
    assert [type(event) for event in events] == [ReasoningDelta, TextDelta]
    stored = workbench.threads.messages(thread.id)[-1]
    assert (stored.message.text, stored.message.reasoning) == ("Hello there.", "Hm.")
    assert (stored.status, stored.model, stored.stats) == ("complete", "home/m", last.stats)
    assert not workbench.loaded()


def test_what_came_before_it_broke_off_is_saved(workbench: Workbench, stub: Stub) -> None:
    def handler(connection: Connection, _request: Received) -> None:
        connection.begin_stream()
        connection.event(delta(content="Half of it"))
        connection.end_stream()

    stub.on_chat(handler)
    thread = workbench.threads.create_thread()
    workbench.threads.add_message(thread.id, text_message("user", "Hi"))
    answer = workbench.answer(thread.id, "home/m")
    assert answer.generation.wait(PATIENCE)
    last = answer.generation.take()[-1]
    assert isinstance(last, Failed)
    assert isinstance(last.error, RemoteFailed)
    stored = workbench.threads.messages(thread.id)[-1]
    assert (stored.message.text, stored.status) == ("Half of it", "failed")


async def test_events_can_be_awaited(workbench: Workbench, stub: Stub) -> None:
    stub.serve_answer(delta(content="Hello "), delta("stop", content="there."))
    events = [event async for event in workbench.generate(GenerationRequest("home/m", HELLO))]
    assert text_of(events) == "Hello there."


def test_cancelling_closes_the_connection_before_the_first_byte(workbench: Workbench, stub: Stub) -> None:
    asked, closed = threading.Event(), threading.Event()

    def handler(connection: Connection, _request: Received) -> None:
        asked.set()
        if connection.gone():
            closed.set()

    stub.on_chat(handler)
    generation = workbench.generate(GenerationRequest("home/m", HELLO))
    assert asked.wait(PATIENCE)
    generation.cancel()
    (last,) = list(generation)
    assert isinstance(last, Finished)
    assert last.stats.stop_reason == "userStopped"
    assert closed.wait(PATIENCE)


def test_closing_the_workbench_ends_remote_answers(workbench: Workbench, stub: Stub) -> None:
    asked = threading.Event()

    def handler(connection: Connection, _request: Received) -> None:
        asked.set()
        connection.gone()

    stub.on_chat(handler)
    generation = workbench.generate(GenerationRequest("home/m", HELLO))
    assert asked.wait(PATIENCE)
    workbench.close()
    assert generation.done


def test_the_remote_decides_what_is_too_long(workbench: Workbench, stub: Stub) -> None:
    stub.on_chat(refusing(400, {"error": {"message": "Too many tokens.", "code": "context_length_exceeded"}}))
    turns = tuple(text_message("user" if number % 2 == 0 else "assistant", "word " * 500) for number in range(41))
    (last,) = list(workbench.generate(GenerationRequest("home/m", turns)))
    assert isinstance(last, Failed)
    assert isinstance(last.error, ContextExceeded)
    assert len(stub.requests[-1].json["messages"]) == 41


def test_what_cannot_be_asked_is_an_event(workbench: Workbench) -> None:
    request = GenerationRequest("home/m", HELLO, load=LoadConfig(context_length=512))
    (last,) = list(workbench.generate(request))
    assert isinstance(last, Failed)
    assert isinstance(last.error, BadRequest)


def test_remote_models_are_in_the_catalogue_and_cannot_be_loaded(workbench: Workbench) -> None:
    workbench.remotes.refresh(wait=PATIENCE)
    assert [model.key for model in workbench.catalogue.models()] == ["home/m", "home/org/other"]
    assert workbench.catalogue.find("home/m").remote == "home"
    for use in (workbench.load, workbench.estimate):
        with pytest.raises(BadRequest, match="remote engine home"):
            use("home/m", LoadConfig())


def test_models_of_this_machine_are_not_taken_for_remote_ones(workbench: Workbench, stub: Stub) -> None:
    make_scripted_model(workbench.paths.models / "here.gguf", "I am here.")
    events = list(workbench.generate(GenerationRequest("here", HELLO)))
    assert text_of(events) == "I am here."
    assert not [request for request in stub.requests if request.method == "POST"]


def test_an_engine_that_was_removed_is_not_found_any_more(workbench: Workbench) -> None:
    workbench.remove_remote("home")
    (last,) = list(workbench.generate(GenerationRequest("home/m", HELLO)))
    assert isinstance(last, Failed)
    assert isinstance(last.error, ModelNotFound)


def test_a_damaged_file_of_engines_hurts_only_those(workbench: Workbench) -> None:
    make_scripted_model(workbench.paths.models / "here.gguf", "I am here.")
    workbench.paths.remotes.write_text("{", encoding="utf-8")
    assert [model.key for model in workbench.catalogue.models()] == ["here"]
    assert text_of(list(workbench.generate(GenerationRequest("here", HELLO)))) == "I am here."
    (last,) = list(workbench.generate(GenerationRequest("home/m", HELLO)))
    assert isinstance(last, Failed)
    assert "remotes.json" in last.error.message
