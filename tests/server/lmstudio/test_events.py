"""Events of a generation as events of the wire, without a server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from tui.domain import (
    EngineFault,
    Event,
    Failed,
    Finished,
    GenerationStats,
    ModelLoading,
    ModelWillNotFit,
    PromptProgress,
    Queued,
    ReasoningDelta,
    StorageFailed,
    TextDelta,
    ToolCallFinished,
    ToolCallPart,
)
from tui.server.answering import Batch
from tui.server.collecting import Collected
from tui.server.lmstudio.events import ChatEvents, encode

STATS = GenerationStats(prompt_tokens=9, generated_tokens=3, reasoning_tokens=1, load_time=2.5)


def said(*events: Event) -> list[dict[str, Any]]:
    clock = iter((10.0, 12.5))
    chat = ChatEvents("m", lambda: next(clock))
    found = chat.begin()
    for event in events:
        found += chat.feed([event])
    return found + chat.end(None)


def kinds(*events: Event) -> list[str]:
    return [one["type"] for one in said(*events)]


def test_loading_and_reading_in_steps() -> None:
    found = said(
        Queued(1), ModelLoading(0.0), ModelLoading(1.0), PromptProgress(3, 0, 9), PromptProgress(9, 0, 9),
        TextDelta("Hi", 1), TextDelta("", 0), TextDelta(" you", 1), Finished(STATS),
    )  # fmt: skip
    assert found[1:10] == [
        {"type": "model_load.start", "model_instance_id": "m"},
        {"type": "model_load.progress", "model_instance_id": "m", "progress": 0.0},
        {"type": "model_load.progress", "model_instance_id": "m", "progress": 1.0},
        {"type": "model_load.end", "model_instance_id": "m", "load_time_seconds": 2.5},
        {"type": "prompt_processing.start"},
        {"type": "prompt_processing.progress", "progress": 1 / 3},
        {"type": "prompt_processing.progress", "progress": 1.0},
        {"type": "prompt_processing.end"},
        {"type": "message.start"},
    ]
    assert found[10:13] == [
        {"type": "message.delta", "content": "Hi"},
        {"type": "message.delta", "content": " you"},
        {"type": "message.end"},
    ]
    assert found[13]["result"]["output"] == [{"type": "message", "content": "Hi you"}]
    assert found[13]["result"]["stats"] == {
        "input_tokens": 9,
        "total_output_tokens": 3,
        "reasoning_output_tokens": 1,
        "tokens_per_second": 0.0,
        "time_to_first_token_seconds": 0.0,
        "model_load_time_seconds": 2.5,
    }


def test_a_prompt_from_the_cache_is_read_as_well() -> None:
    assert kinds(ReasoningDelta("Hm", 1), TextDelta("Hi", 1), Finished(STATS)) == [
        "chat.start", "prompt_processing.start", "prompt_processing.progress", "prompt_processing.end",
        "reasoning.start", "reasoning.delta", "reasoning.end",
        "message.start", "message.delta", "message.end", "chat.end",
    ]  # fmt: skip


def test_an_error_ends_what_was_being_said_but_not_what_never_ended() -> None:
    assert kinds(ModelLoading(0.5), Failed(ModelWillNotFit("No."))) == [
        "chat.start", "model_load.start", "model_load.progress", "error", "chat.end",
    ]  # fmt: skip
    found = said(PromptProgress(9, 9, 9), TextDelta("Hi", 1), Failed(EngineFault("It broke."), STATS))
    assert [one["type"] for one in found[-4:]] == ["message.delta", "message.end", "error", "chat.end"]
    assert found[-2]["error"]["type"] == "internal_error"
    assert found[-1]["result"]["output"] == [{"type": "message", "content": "Hi"}]
    assert found[-1]["result"]["stats"]["input_tokens"] == 9


def test_stopping_says_what_happened() -> None:
    assert kinds(Finished(GenerationStats(stop_reason="userStopped"))) == ["chat.start", "chat.end"]
    unloaded = GenerationStats(prompt_tokens=9, stop_reason="modelUnloaded")
    assert kinds(TextDelta("Hi", 1), Finished(unloaded))[-3:] == ["message.end", "error", "chat.end"]


def test_a_tool_that_nobody_offered_is_an_invalid_call() -> None:
    found = said(ToolCallFinished(0, ToolCallPart("1", "open", "{}")), Finished(STATS))
    invalid = {
        "reason": "Cannot find tool with name open.",
        "metadata": {"type": "invalid_name", "tool_name": "open"},
    }
    assert {"type": "tool_call.failure", **invalid} in found
    assert found[-1]["result"]["output"] == [{"type": "invalid_tool_call", **invalid}]


async def wire(batches: Sequence[Batch | None], response_id: str | StorageFailed) -> bytes:
    async def come() -> AsyncIterator[Batch | None]:
        for batch in batches:
            yield batch

    async def keep(_: Collected) -> str:
        if isinstance(response_id, StorageFailed):
            raise response_id
        return response_id

    return b"".join([piece async for piece in encode(ChatEvents("m"), come(), keep)])


async def test_the_wire_has_names_and_keeps_alive() -> None:
    raw = await wire([None, (0, [TextDelta("é\n", 1), Finished(STATS)])], "resp_1")
    blocks = raw.decode().split("\n\n")
    assert blocks[0] == 'event: chat.start\ndata: {"type":"chat.start","model_instance_id":"m"}'
    assert blocks[1] == ": still here"
    assert 'event: message.delta\ndata: {"type":"message.delta","content":"é\\n"}' in blocks
    assert json.loads(blocks[-2].partition("data: ")[2])["result"]["response_id"] == "resp_1"


async def test_an_answer_that_cannot_be_stored_is_given_all_the_same() -> None:
    raw = await wire([(0, [TextDelta("Hi", 1), Finished(STATS)])], StorageFailed("The disk is full."))
    events = [json.loads(block.partition("data: ")[2]) for block in raw.decode().split("\n\n") if block]
    assert events[-2]["error"]["message"] == "The disk is full."
    assert events[-1]["result"]["output"] == [{"type": "message", "content": "Hi"}]
    assert "response_id" not in events[-1]["result"]
