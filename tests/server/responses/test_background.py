"""Responses that are made though nobody waits."""

from __future__ import annotations

from typing import Any

import httpx
import openai
import pytest

from tests.server.conftest import ANSWER, Running
from tests.server.responses.conftest import STATS, Dictation, wait_until
from tui.domain import EngineFault, Failed, Finished, ModelLoading, Queued, ServerOptions, TextDelta
from tui.server import Server
from tui.server.responses import background


def test_it_is_polled_until_it_is_there(client: openai.OpenAI, dictation: Dictation) -> None:
    dictation.next(Queued(1), ends=False)
    begun = client.responses.create(model="talker", input="Hi", background=True)
    assert (begun.status, begun.background, begun.output) == ("queued", True, [])
    said = dictation.generations[0].stream
    said.publish([ModelLoading(0.5)])
    wait_until(lambda: client.responses.retrieve(begun.id).status == "in_progress")
    said.publish([TextDelta("Hel")])
    wait_until(lambda: client.responses.retrieve(begun.id).output_text == "Hel")
    with pytest.raises(openai.BadRequestError, match="still"):
        client.responses.create(model="talker", input="And?", previous_response_id=begun.id)
    said.publish([TextDelta("lo"), Finished(STATS)])
    wait_until(lambda: client.responses.retrieve(begun.id).status == "completed")
    done = client.responses.retrieve(begun.id)
    assert done.output_text == "Hello"
    assert [item.content[0].text for item in client.responses.input_items.list(begun.id)] == ["Hi"]
    client.responses.create(model="talker", input="And?", previous_response_id=begun.id)
    assert [message.text for message in dictation.requests[1].messages] == ["Hi", "Hello", "And?"]


def test_a_real_model(client: openai.OpenAI) -> None:
    begun = client.responses.create(model="talker", input="Hi", background=True)
    wait_until(lambda: client.responses.retrieve(begun.id).status not in ("queued", "in_progress"))
    assert client.responses.retrieve(begun.id).output_text == ANSWER


def test_its_events_are_read_again_from_anywhere(client: openai.OpenAI, dictation: Dictation) -> None:
    dictation.next(TextDelta("Hel"), ends=False)
    first = []
    with client.responses.create(model="talker", input="Hi", background=True, stream=True) as stream:
        for event in stream:
            first.append(event)
            if event.type == "response.output_text.delta":
                break
    identifier = first[0].response.id
    assert [event.type for event in first[:3]] == ["response.created", "response.queued", "response.in_progress"]
    assert not dictation.generations[0].done  # though the client went away
    dictation.generations[0].stream.publish([TextDelta("lo"), Finished(STATS)])
    rest = list(client.responses.retrieve(identifier, stream=True, starting_after=first[-1].sequence_number))
    assert [event.sequence_number for event in first + rest] == list(range(len(first) + len(rest)))
    assert rest[-1].response.output_text == "Hello"


def test_following_a_running_one(client: openai.OpenAI, dictation: Dictation) -> None:
    dictation.next(TextDelta("Hel"), ends=False)
    begun = client.responses.create(model="talker", input="Hi", background=True)
    events = []
    for event in client.responses.retrieve(begun.id, stream=True):
        events.append(event)
        if event.type == "response.output_text.delta" and event.delta == "Hel":
            dictation.generations[0].stream.publish([TextDelta("lo"), Finished(STATS)])
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == "Hello"
    again = list(client.responses.retrieve(begun.id, stream=True, starting_after=3))
    assert again == events[4:]
    assert list(client.responses.retrieve(begun.id, stream=True, starting_after=10_000)) == []
    with client.responses.stream(response_id=begun.id, starting_after=5) as stream:
        assert stream.get_final_response().output_text == "Hello"


def test_it_is_cancelled(client: openai.OpenAI, dictation: Dictation) -> None:
    dictation.next(TextDelta("Hel"), ends=False)
    begun = client.responses.create(model="talker", input="Hi", background=True)
    wait_until(lambda: client.responses.retrieve(begun.id).output_text == "Hel")
    assert client.responses.cancel(begun.id).status == "cancelled"
    assert dictation.generations[0].done
    assert client.responses.cancel(begun.id).status == "cancelled"
    assert client.responses.retrieve(begun.id).output_text == "Hel"
    last = list(client.responses.retrieve(begun.id, stream=True))[-1]
    assert (last.type, last.response.status) == ("response.incomplete", "cancelled")


def test_a_cancel_does_not_wait_for_what_cannot_be_stopped(
    client: openai.OpenAI, dictation: Dictation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_CANCEL_PATIENCE", 0.05)
    dictation.next(ModelLoading(0.1), ends=False)
    begun = client.responses.create(model="talker", input="Hi", background=True)
    monkeypatch.setattr(dictation.generations[0], "cancel", lambda: None)
    assert client.responses.cancel(begun.id).status == "cancelled"
    dictation.generations[0].stream.publish([TextDelta("late"), Finished(STATS)])
    assert client.responses.retrieve(begun.id).output == []


def test_a_real_model_is_cancelled(client: openai.OpenAI) -> None:
    begun = client.responses.create(
        model="random", input="Hi", background=True, max_output_tokens=1800, extra_body={"ignore_eos": True}
    )
    wait_until(lambda: client.responses.retrieve(begun.id).output_text != "")
    done = client.responses.cancel(begun.id)
    assert done.status in ("cancelled", "incomplete")


def test_it_is_deleted_while_it_is_made(client: openai.OpenAI, dictation: Dictation) -> None:
    dictation.next(TextDelta("Hel"), ends=False)
    begun = client.responses.create(model="talker", input="Hi", background=True)
    client.responses.delete(begun.id)
    assert dictation.generations[0].done
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(begun.id)


def test_failures(client: openai.OpenAI, dictation: Dictation) -> None:
    dictation.next(Failed(EngineFault("llama.cpp failed.")), ends=False)
    begun = client.responses.create(model="talker", input="Hi", background=True)
    wait_until(lambda: client.responses.retrieve(begun.id).status == "failed")
    assert client.responses.retrieve(begun.id).error.message == "llama.cpp failed."
    with pytest.raises(openai.NotFoundError, match="missing"):
        client.responses.create(model="missing", input="Hi", background=True)


def test_only_so_many_at_once(client: openai.OpenAI, dictation: Dictation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "MOST_RUNNING", 1)
    dictation.next(ends=False)
    begun = client.responses.create(model="talker", input="Hi", background=True)
    with pytest.raises(openai.RateLimitError):
        client.responses.create(model="talker", input="Hi", background=True)
    client.responses.cancel(begun.id)
    client.responses.create(model="talker", input="Hi", background=True)


@pytest.mark.usefixtures("dictation")
def test_events_are_only_kept_in_the_background_and_not_for_ever(
    client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_KEPT_AFTER_THEIR_END", 1)
    done = [client.responses.create(model="talker", input="Hi", background=True).id for _ in range(3)]
    for identifier in done:
        wait_until(lambda identifier=identifier: client.responses.retrieve(identifier).status == "completed")
    client.responses.create(model="talker", input="Hi", background=True)
    with pytest.raises(openai.BadRequestError, match="not there") as problem:
        client.responses.retrieve(done[0], stream=True)
    assert problem.value.param == "stream"
    assert client.responses.retrieve(done[0]).output_text == "Yes."
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve("resp_other", stream=True)


def test_it_is_in_the_request_log_to_its_end(running: Running, client: openai.OpenAI, dictation: Dictation) -> None:
    dictation.next(TextDelta("Hel"), ends=False)
    client.responses.create(model="talker", input="Log me", background=True)

    def record() -> Any:
        return next(one for one in running.server.log.latest() if "Log me" in one.body)

    wait_until(lambda: record().output == "Hel")
    assert record().state == "answering"
    dictation.generations[0].stream.publish([Finished(STATS)])
    wait_until(lambda: record().state == "done")
    assert record().status == 200
    assert record().stats == STATS


def test_it_ends_with_the_server(running: Running, dictation: Dictation) -> None:
    server = Server(running.workbench)
    server.start(ServerOptions(port=0, auto_evict=False))
    try:
        client = openai.OpenAI(base_url=f"{server.state.address}/v1", api_key="none", max_retries=0)
        dictation.next(TextDelta("Hel"), ends=False)
        begun = client.responses.create(model="talker", input="Hi", background=True)
        server.stop()
        assert dictation.generations[0].done
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{client.base_url}responses/{begun.id}")
        server.start(ServerOptions(port=0, auto_evict=False))
        client = openai.OpenAI(base_url=f"{server.state.address}/v1", api_key="none", max_retries=0)
        after = client.responses.retrieve(begun.id)
        assert after.status == "failed"
        assert "stopped" in after.error.message
    finally:
        server.close()
