"""Domain events as those of the Responses API, without a server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from openai._models import construct_type
from openai.types.responses import Response, ResponseStreamEvent

from tests.server.responses.conftest import STATS
from tui.domain import (
    EngineFault,
    Event,
    Failed,
    Finished,
    GenerationStats,
    Logprobs,
    PromptProgress,
    Queued,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCallArguments,
    ToolCallFinished,
    ToolCallPart,
    ToolCallStarted,
)
from tui.server.responses.events import ResponseEvents, Wanted, WireEvent, on_the_wire
from tui.server.responses.items import listed, to_messages
from tui.server.responses.request import ResponsesRequest
from tui.server.responses.resource import new_response

END = Finished(STATS)


NOTHING_MORE = Wanted()


def begun(wanted: Wanted = NOTHING_MORE, **fields: Any) -> ResponseEvents:
    wire = ResponsesRequest.model_validate({"model": "m", "input": "Hi", **fields})
    return ResponseEvents(new_response(wire, wire.to_request([], listed("Hi")), "m"), wanted)


def told(events: ResponseEvents, *batches: Sequence[Event]) -> list[WireEvent]:
    found = events.begin() + [one for batch in batches for one in events.feed(batch)]
    assert [one["sequence_number"] for one in found] == list(range(len(found)))
    for one in found:
        # The client's own types, checked strictly; it would take anything itself.
        type(construct_type(value=one, type_=ResponseStreamEvent)).model_validate(one)
    return found


def kinds(found: list[WireEvent]) -> list[str]:
    return [one["type"].removeprefix("response.") for one in found]


def test_text() -> None:
    events = begun()
    found = told(events, [Queued(1), PromptProgress(1, 0, 2), TextDelta("Hel")], [TextDelta("lo")], [END])
    assert kinds(found) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert found[0]["response"]["output"] == []
    assert found[2]["item"]["content"] == []
    assert found[2]["item"]["status"] == "in_progress"
    assert [one["delta"] for one in found if one["type"].endswith("text.delta")] == ["Hel", "lo"]
    assert found[6]["text"] == "Hello"
    assert found[8]["item"] == found[-1]["response"]["output"][0]
    assert found[8]["item"]["status"] == "completed"
    last = Response.model_validate(found[-1]["response"])
    assert (last.status, last.output_text) == ("completed", "Hello")
    assert last.usage is not None
    assert last.usage.model_dump() == {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 15},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 27,
    }
    assert last.completed_at
    assert events.over
    assert events.feed([TextDelta("more")]) == []


def test_reasoning_before_text() -> None:
    found = told(begun(), [ReasoningDelta("Hm"), ReasoningDelta("."), ReasoningDelta(""), TextDelta("Hi"), END])
    assert kinds(found)[2:9] == [
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
    ]
    thought, said = found[-1]["response"]["output"]
    assert thought["content"] == [{"type": "reasoning_text", "text": "Hm."}]
    assert thought["summary"] == []
    assert "encrypted_content" not in thought
    assert (thought["status"], said["status"]) == ("completed", "completed")
    assert {one["output_index"] for one in found if one.get("item_id") == said["id"]} == {1}


def test_summaries_and_sealed_reasoning_where_they_are_wanted() -> None:
    found = told(begun(Wanted(summary=True, sealed_reasoning=True)), [ReasoningDelta("Hm."), TextDelta("Hi"), END])
    summary = [kind for kind in kinds(found) if "summary" in kind]
    assert summary == [
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
    ]
    thought = found[-1]["response"]["output"][0]
    assert thought["summary"] == [{"type": "summary_text", "text": "Hm."}]
    sealed = {"type": "reasoning", "summary": [], "encrypted_content": thought["encrypted_content"]}
    assert to_messages([], listed([sealed]))[0].reasoning == "Hm."


def test_calls_one_after_the_other_and_at_once() -> None:
    calls = [ToolCallPart("call_a", "weather", '{"city": "Bonn"}'), ToolCallPart("call_b", "time", "{}")]
    found = told(
        begun(),
        [TextDelta("I look."), ToolCallStarted(0, "call_a", "weather"), ToolCallArguments(0, '{"city": ')],
        [ToolCallStarted(1, "call_b", "time"), ToolCallArguments(0, '"Bonn"}'), ToolCallFinished(0, calls[0])],
        [ToolCallFinished(1, calls[1]), Finished(GenerationStats(stop_reason="toolCalls"))],
    )
    assert kinds(found)[8:] == [
        "output_item.added",
        "function_call_arguments.delta",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    output = found[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["message", "function_call", "function_call"]
    assert [(item["call_id"], item["name"], item["arguments"]) for item in output[1:]] == [
        ("call_a", "weather", '{"city": "Bonn"}'),
        ("call_b", "time", "{}"),
    ]
    deltas = [one for one in found if one["type"] == "response.function_call_arguments.delta"]
    assert "".join(one["delta"] for one in deltas if one["output_index"] == 1) == '{"city": "Bonn"}'
    assert output[1]["id"].startswith("fc_")
    (message,) = to_messages([], listed(output))
    assert message.tool_calls == tuple(calls)


def test_a_custom_tool_is_called_with_its_text() -> None:
    arguments = json.dumps({"input": 'echo "hi"\n'})
    found = told(
        begun(Wanted(custom_tools=frozenset({"shell"}))),
        [ToolCallStarted(0, "call_a", "shell"), ToolCallArguments(0, arguments[:16])],
        [ToolCallArguments(0, arguments[16:]), ToolCallFinished(0, ToolCallPart("call_a", "shell", arguments)), END],
    )
    assert kinds(found)[2:] == [
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
        "completed",
    ]
    deltas = [one["delta"] for one in found if one["type"].endswith("input.delta")]
    (item,) = found[-1]["response"]["output"]
    assert "".join(deltas) == item["input"] == 'echo "hi"\n'
    assert (item["type"], item["call_id"]) == ("custom_tool_call", "call_a")
    assert to_messages([], listed([item]))[0].tool_calls == (ToolCallPart("call_a", "shell", arguments),)


def test_a_custom_tool_that_is_called_in_another_form() -> None:
    found = told(
        begun(Wanted(custom_tools=frozenset({"shell"}))), [ToolCallFinished(0, ToolCallPart("a", "shell", "ls")), END]
    )
    assert [one["delta"] for one in found if one["type"].endswith("input.delta")] == ["ls"]
    assert found[-1]["response"]["output"][0]["input"] == "ls"


@pytest.mark.parametrize("reason", ["maxPredictedTokensReached", "contextLengthReached"])
def test_an_answer_that_is_cut_off_is_incomplete(reason: Any) -> None:
    found = told(
        begun(),
        [
            TextDelta("Hel"),
            ToolCallStarted(0, "a", "f"),
            ToolCallArguments(0, '{"x'),
            Finished(GenerationStats(stop_reason=reason)),
        ],
    )
    last = found[-1]
    assert last["type"] == "response.incomplete"
    assert last["response"]["status"] == "incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert last["response"]["completed_at"] is None
    assert [item["status"] for item in last["response"]["output"]] == ["completed", "incomplete"]
    assert last["response"]["output"][1]["arguments"] == '{"x'


def test_a_failure_is_told_and_keeps_what_came() -> None:
    events = begun()
    found = told(
        events, [TextDelta("Hel")], [Failed(EngineFault("llama.cpp failed in /home/me/models/x.gguf."), STATS)]
    )
    assert kinds(found)[-2:] == ["error", "failed"]
    assert found[-2]["code"] == "server_error"
    last = found[-1]["response"]
    assert last["error"] == {"code": "server_error", "message": "llama.cpp failed in x.gguf."}
    assert last["output"][0]["content"][0]["text"] == "Hel"
    assert last["output"][0]["status"] == "incomplete"
    assert events.error is not None


@pytest.mark.parametrize("reason", ["userStopped", "modelUnloaded"])
def test_an_answer_that_somebody_else_ended_failed(reason: Any) -> None:
    found = told(begun(), [TextDelta("Hel"), Finished(GenerationStats(stop_reason=reason))])
    assert found[-1]["response"]["status"] == "failed"


def test_an_answer_that_was_cancelled() -> None:
    events = begun(background=True)
    events.cancel()
    found = told(events, [TextDelta("Hel"), Finished(GenerationStats(stop_reason="userStopped"))])
    assert kinds(found)[-1] == "incomplete"
    assert found[-1]["response"]["status"] == "cancelled"
    assert found[-1]["response"]["error"] is None


def test_one_in_the_background_waits_first() -> None:
    events = begun(background=True)
    found = told(events, [Queued(2)], [PromptProgress(1, 0, 2)], [TextDelta("Hi"), END])
    assert kinds(found)[:4] == ["created", "queued", "in_progress", "output_item.added"]
    assert [one["response"]["status"] for one in found[:3]] == ["queued", "queued", "in_progress"]


def test_an_answer_of_nothing_is_an_empty_message() -> None:
    for silence in ([END], [ReasoningDelta("Hm."), END]):
        found = told(begun(), silence)
        assert found[-1]["response"]["output"][-1]["content"][0]["text"] == ""
    called = [ToolCallFinished(0, ToolCallPart("a", "f", "{}")), END]
    assert [item["type"] for item in told(begun(), called)[-1]["response"]["output"]] == ["function_call"]


def test_log_probabilities_lie_with_their_text() -> None:
    tokens = (TokenLogprob(1, b"Hm", -1.0), TokenLogprob(2, b"</think>", -2.0), TokenLogprob(3, b"Hi", -3.0))
    found = told(begun(), [ReasoningDelta("Hm", 2), TextDelta("Hi", 1), Logprobs(tokens), END])
    (delta,) = [one for one in found if one["type"] == "response.output_text.delta"]
    part = found[-1]["response"]["output"][1]["content"][0]
    assert delta["logprobs"] == part["logprobs"]
    assert [(one["token"], one["logprob"]) for one in part["logprobs"]] == [("Hi", -3.0)]


def test_on_the_wire() -> None:
    lines = on_the_wire([{"type": "response.created", "sequence_number": 0}]).decode()
    assert lines == 'event: response.created\ndata: {"type":"response.created","sequence_number":0}\n\n'
    assert on_the_wire(None).startswith(b":")
