"""Responses, through OpenAI's own client."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import openai
import pydantic
import pytest

from tests.server.conftest import ANSWER, REASONING, Running
from tests.server.responses.conftest import Dictation, wait_until
from tui.domain import (
    EngineFault,
    Failed,
    ImagePart,
    Message,
    ReasoningDelta,
    ReasoningPart,
    TextDelta,
    TextPart,
    ToolCallFinished,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    text_message,
)

WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "description": "Look out.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": True,
}
SHELL: Any = {"type": "custom", "name": "shell", "description": "Run it."}
CALLS = (ToolCallPart("call_a", "weather", '{"city": "Bonn"}'), ToolCallPart("call_b", "shell", '{"input": "date"}'))


def test_an_answer_in_one_piece(client: openai.OpenAI) -> None:
    done = client.responses.create(model="thinker", input="Hi", metadata={"a": "b"}, instructions="Be kind.")
    assert done.output_text == ANSWER
    assert [item.type for item in done.output] == ["reasoning", "message"]
    assert done.output[0].content[0].text == REASONING
    assert (done.status, done.model, done.metadata, done.instructions) == (
        "completed",
        "thinker",
        {"a": "b"},
        "Be kind.",
    )
    assert done.usage.total_tokens == done.usage.input_tokens + done.usage.output_tokens > 0


def test_an_answer_as_it_comes(client: openai.OpenAI) -> None:
    with client.responses.stream(model="thinker", input="Hi", reasoning={"summary": "auto"}) as stream:
        events = list(stream)
        done = stream.get_final_response()
    assert done.output_text == ANSWER
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == ANSWER
    assert "".join(event.delta for event in events if event.type == "response.reasoning_text.delta") == REASONING
    assert done.output[0].summary[0].text == REASONING
    assert client.responses.retrieve(done.id).output_text == ANSWER


def test_the_stream_on_the_wire(running: Running) -> None:
    with httpx.stream(
        "POST", f"{running.openai}/responses", json={"model": "talker", "input": "Hi", "stream": True}
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        blocks = answer.read().decode().strip().split("\n\n")
    assert "[DONE]" not in blocks[-1]
    for block in blocks:
        name, data = block.split("\n")
        assert json.loads(data.removeprefix("data: "))["type"] == name.removeprefix("event: ")


def test_an_answer_cut_off(client: openai.OpenAI) -> None:
    done = client.responses.create(model="talker", input="Hi", max_output_tokens=2)
    assert done.status == "incomplete"
    assert done.incomplete_details.reason == "max_output_tokens"
    assert done.usage.output_tokens == 2
    types = [
        event.type for event in client.responses.create(model="talker", input="Hi", max_output_tokens=2, stream=True)
    ]
    assert types[-1] == "response.incomplete"


def test_log_probabilities(client: openai.OpenAI) -> None:
    done = client.responses.create(
        model="thinker", input="Hi", include=["message.output_text.logprobs"], top_logprobs=2
    )
    tokens = done.output[1].content[0].logprobs
    assert b"".join(bytes(token.bytes) for token in tokens).decode().strip() == ANSWER
    assert all(len(token.top_logprobs) == 2 for token in tokens)


class Verdict(pydantic.BaseModel):
    ok: bool


def test_a_schema_is_kept(client: openai.OpenAI) -> None:
    done = client.responses.parse(model="random", input="Hi", text_format=Verdict, max_output_tokens=200)
    assert isinstance(done.output_parsed, Verdict)
    with client.responses.stream(model="random", input="Hi", text_format=Verdict, max_output_tokens=200) as stream:
        assert isinstance(stream.get_final_response().output_parsed, Verdict)


def test_conversations_go_on_and_branch(client: openai.OpenAI, dictation: Dictation) -> None:
    dictation.next(ReasoningDelta("Hm."), TextDelta("Hello."))
    first = client.responses.create(model="talker", input="Hi", instructions="Be kind.")
    second = client.responses.create(
        model="talker", input="And?", previous_response_id=first.id, instructions="Be curt."
    )
    client.responses.create(model="talker", input=[{"role": "user", "content": "Other"}], previous_response_id=first.id)
    client.responses.create(model="talker", input="So?", previous_response_id=second.id, stream=True).close()
    history = (
        text_message("user", "Hi"),
        Message("assistant", (ReasoningPart("Hm."), TextPart("Hello."))),
    )
    _, curt, other, deeper = [request.messages for request in dictation.requests]
    assert curt == (text_message("system", "Be curt."), *history, text_message("user", "And?"))
    assert other == (*history, text_message("user", "Other"))
    assert deeper == (*curt[1:], text_message("assistant", "Yes."), text_message("user", "So?"))
    assert second.previous_response_id == first.id


@pytest.mark.parametrize("how", ["kept", "resent"])
def test_calls_and_reasoning_make_the_round(client: openai.OpenAI, dictation: Dictation, how: str) -> None:
    dictation.next(ReasoningDelta("Hm."), *(ToolCallFinished(i, call) for i, call in enumerate(CALLS)))
    first = client.responses.create(
        model="talker", input="Weather?", tools=[WEATHER, SHELL], tool_choice="required", parallel_tool_calls=False
    )
    assert [item.type for item in first.output] == ["reasoning", "function_call", "custom_tool_call"]
    assert (first.output[1].arguments, first.output[2].input) == ('{"city": "Bonn"}', "date")
    assert dictation.requests[0].tool_choice == ToolChoice("required", parallel=False)
    results: list[Any] = [
        {"type": "function_call_output", "call_id": "call_a", "output": "sunny"},
        {"type": "custom_tool_call_output", "call_id": "call_b", "output": "Monday"},
    ]
    if how == "kept":
        client.responses.create(model="talker", input=results, previous_response_id=first.id, tools=[WEATHER, SHELL])
    else:
        given: list[Any] = [{"role": "user", "content": "Weather?"}]
        given += [item.to_dict() for item in first.output] + results
        client.responses.create(model="talker", input=given, tools=[WEATHER, SHELL], store=False)
    assert dictation.requests[1].messages == (
        text_message("user", "Weather?"),
        Message("assistant", (ReasoningPart("Hm."), *CALLS)),
        Message("tool", (ToolResultPart("call_a", "weather", "sunny"),)),
        Message("tool", (ToolResultPart("call_b", "shell", "Monday"),)),
    )
    assert [tool.name for tool in dictation.requests[1].tools] == ["weather", "shell"]


def test_items_are_referred_to(client: openai.OpenAI, dictation: Dictation) -> None:
    first = client.responses.create(model="talker", input="Hi")
    reference: Any = {"type": "item_reference", "id": first.output[0].id}
    client.responses.create(model="talker", input=[reference, {"role": "user", "content": "Go on"}])
    assert dictation.requests[1].messages == (text_message("assistant", "Yes."), text_message("user", "Go on"))
    with pytest.raises(openai.BadRequestError, match="not found") as problem:
        client.responses.create(model="talker", input=[{"type": "item_reference", "id": "msg_other"}])
    assert problem.value.param == "input[0].id"


def test_images(client: openai.OpenAI, dictation: Dictation) -> None:
    url = "data:image/png;base64," + base64.b64encode(b"pixels").decode()
    content: Any = [
        {"type": "input_text", "text": "What?"},
        {"type": "input_image", "image_url": url, "detail": "auto"},
    ]
    client.responses.create(model="talker", input=[{"role": "user", "content": content}])
    assert dictation.requests[0].messages[0].parts == (TextPart("What?"), ImagePart(b"pixels", "image/png"))


def test_what_is_kept_is_found_listed_and_deleted(client: openai.OpenAI) -> None:
    first = client.responses.create(model="talker", input="Hi")
    given: Any = [{"role": "user", "content": str(number)} for number in range(3)]
    second = client.responses.create(model="talker", input=given, previous_response_id=first.id)
    assert client.responses.retrieve(second.id).to_dict() == second.to_dict()

    listed = client.responses.input_items.list(second.id, order="asc", limit=2)
    assert listed.has_more
    texts = [item.content[0].text for item in listed]  # the client asks for the other pages
    assert texts == ["Hi", ANSWER, "0", "1", "2"]
    newest = client.responses.input_items.list(second.id)
    assert [item.content[0].text for item in newest.data] == texts[::-1]
    after = client.responses.input_items.list(second.id, after=newest.data[2].id)
    assert [item.content[0].text for item in after.data] == [ANSWER, "Hi"]
    for query in ("order=up", "limit=0", "limit=x", "after=msg_other"):
        answer = httpx.get(f"{client.base_url}responses/{second.id}/input_items?{query}")
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, query.partition("=")[0])

    client.responses.delete(second.id)
    for act in (client.responses.retrieve, client.responses.delete, client.responses.cancel):
        with pytest.raises(openai.NotFoundError, match=second.id):
            act(second.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.input_items.list(second.id)
    assert client.responses.retrieve(first.id).output_text == ANSWER
    with pytest.raises(openai.BadRequestError, match="background"):
        client.responses.cancel(first.id)


def test_what_shall_not_be_kept_is_not(client: openai.OpenAI) -> None:
    done = client.responses.create(model="talker", input="Hi", store=False)
    assert done.output_text == ANSWER
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(done.id)
    with pytest.raises(openai.BadRequestError) as problem:
        client.responses.create(model="talker", input="Hi", previous_response_id=done.id)
    assert (problem.value.code, problem.value.param) == ("previous_response_not_found", "previous_response_id")


@pytest.mark.parametrize(
    ("changes", "status", "param", "words"),
    [
        ({"model": "missing"}, 404, None, "missing"),
        ({"input": []}, 400, "input", "nothing to answer"),
        ({"input": [{"type": "video"}]}, 400, "input[0].type", "video"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, 400, "tools[0].type", "mcp"),
        ({"temperature": -1}, 400, "temperature", "temperature"),
        ({"max_output_tokens": 0}, 400, "max_output_tokens", "At least one"),
        ({"previous_response_id": "resp_\ud800"}, 400, "previous_response_id", "not found"),
        ({"input": "word " * 9000}, 400, "input", "tokens"),
    ],
)
def test_mistakes_name_the_field(
    running: Running, changes: dict[str, Any], status: int, param: str | None, words: str
) -> None:
    for way in ({}, {"stream": True}):
        body = json.dumps({"model": "talker", "input": "Hi", **changes, **way})
        answer = httpx.post(f"{running.openai}/responses", content=body)
        error = answer.json()["error"]
        assert (answer.status_code, error["param"]) == (status, param), error
        assert words in error["message"]


def test_odd_characters_and_numbers_in_a_body(running: Running) -> None:
    body = {"model": "talker", "input": "Hi", "instructions": "half \ud83d, whole 🙂", "metadata": {"\udc00": "\ud800"}}
    answer = httpx.post(f"{running.openai}/responses", content=json.dumps(body))
    assert answer.json()["instructions"] == "half ?, whole 🙂"
    assert httpx.get(f"{running.openai}/responses/{answer.json()['id']}").json() == answer.json()
    for number in ("NaN", "-Infinity", "1e999"):
        text = f'{{"model": "talker", "input": "Hi", "temperature": {number}}}'
        answer = httpx.post(f"{running.openai}/responses", content=text)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "body")


def test_failures_before_and_in_the_middle(client: openai.OpenAI, dictation: Dictation) -> None:
    fault = EngineFault("llama.cpp failed.")
    for way in (False, True):
        dictation.next(Failed(fault), ends=False)
        with pytest.raises(openai.InternalServerError, match=r"llama\.cpp failed"):
            client.responses.create(model="talker", input="Hi", stream=way)
    dictation.next(TextDelta("Hel"), Failed(fault), ends=False)
    done = client.responses.create(model="talker", input="Hi")
    assert (done.status, done.output_text, done.error.message) == ("failed", "Hel", "llama.cpp failed.")
    assert client.responses.retrieve(done.id).status == "failed"
    dictation.next(TextDelta("Hel"), ends=False)
    stream = client.responses.create(model="talker", input="Hi", stream=True)
    events = []
    for event in stream:
        events.append(event)
        if event.type == "response.output_text.delta":
            dictation.generations[-1].stream.publish([Failed(fault)])
    assert [event.type for event in events][-2:] == ["error", "response.failed"]


def test_a_client_that_goes_away_stops_its_answer(running: Running, dictation: Dictation) -> None:
    dictation.next(TextDelta("Hel"), ends=False)
    body = {"model": "talker", "input": "Hi", "stream": True}
    with httpx.stream("POST", f"{running.openai}/responses", json=body) as answer:
        next(answer.iter_lines())
    wait_until(lambda: dictation.generations[0].done)


def test_it_is_described(running: Running) -> None:
    paths = httpx.get(f"{running.url}/openapi.json").json()["paths"]
    assert set(paths["/v1/responses/{id}"]) == {"get", "delete"}
    assert "requestBody" in paths["/v1/responses"]["post"]


def test_a_disk_that_refuses_costs_no_answer(client: openai.OpenAI, running: Running) -> None:
    path = running.workbench.paths.responses
    client.responses.create(model="talker", input="Hi")
    saved = path.with_suffix(".aside")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.rename(saved)
    path.mkdir()
    try:
        assert client.responses.create(model="talker", input="Hi").output_text == ANSWER
        with pytest.raises(openai.APIStatusError) as problem:
            client.responses.create(model="talker", input="Hi", previous_response_id="resp_1")
        assert problem.value.status_code == 507
        assert str(path.parent) not in problem.value.message
    finally:
        path.rmdir()
        saved.rename(path)
