"""Responses, through OpenAI's agents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import agents
import openai
import pytest

from tests.server.conftest import ANSWER, Running
from tests.server.responses.conftest import Dictation
from tui.domain import (
    Message,
    ReasoningDelta,
    ReasoningPart,
    TextDelta,
    ToolCallArguments,
    ToolCallFinished,
    ToolCallPart,
    ToolCallStarted,
    ToolResultPart,
    text_message,
)


@pytest.fixture(autouse=True)
def _no_tracing() -> Iterator[None]:
    agents.set_tracing_disabled(True)
    yield
    agents.set_tracing_disabled(False)


def model(running: Running, name: str) -> agents.OpenAIResponsesModel:
    client = openai.AsyncOpenAI(base_url=running.openai, api_key="none", max_retries=0)
    return agents.OpenAIResponsesModel(name, client)


def agent(running: Running, name: str = "talker", **fields: Any) -> agents.Agent[Any]:
    return agents.Agent(name="Helper", instructions="Be kind.", model=model(running, name), **fields)


@agents.function_tool
def weather(city: str) -> str:
    """Look out."""
    return f"sunny in {city}"


CALL = ToolCallPart("call_a", "weather", '{"city": "Bonn"}')
CALLING = (
    ReasoningDelta("Hm."),
    ToolCallStarted(0, CALL.id, CALL.name),
    ToolCallArguments(0, CALL.arguments),
    ToolCallFinished(0, CALL),
)


def check_tool_use(dictation: Dictation) -> None:
    assert [tool.name for tool in dictation.requests[0].tools] == ["weather"]
    assert dictation.requests[1].messages == (
        text_message("system", "Be kind."),
        text_message("user", "Weather?"),
        Message("assistant", (ReasoningPart("Hm."), CALL)),
        Message("tool", (ToolResultPart("call_a", "weather", "sunny in Bonn"),)),
    )


@pytest.mark.parametrize("name", ["talker", "thinker"])
def test_an_answer(running: Running, name: str) -> None:
    assert agents.Runner.run_sync(agent(running, name), "Hi").final_output == ANSWER


def test_an_answer_as_it_comes(running: Running) -> None:
    async def run() -> tuple[str, str]:
        result = agents.Runner.run_streamed(agent(running, "thinker"), "Hi")
        deltas = [
            event.data.delta
            async for event in result.stream_events()
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
        ]
        return "".join(deltas), result.final_output

    assert asyncio.run(run()) == (ANSWER, ANSWER)


def test_a_tool(running: Running, dictation: Dictation) -> None:
    dictation.next(*CALLING)
    dictation.next(TextDelta("Sunny."))
    done = agents.Runner.run_sync(agent(running, tools=[weather]), "Weather?")
    assert done.final_output == "Sunny."
    check_tool_use(dictation)


def test_a_tool_as_it_comes(running: Running, dictation: Dictation) -> None:
    dictation.next(*CALLING)
    dictation.next(TextDelta("Sunny."))

    async def run() -> str:
        result = agents.Runner.run_streamed(agent(running, tools=[weather]), "Weather?")
        async for _ in result.stream_events():
            continue
        return str(result.final_output)

    assert asyncio.run(run()) == "Sunny."
    check_tool_use(dictation)


def test_turns_that_the_server_keeps(running: Running, dictation: Dictation) -> None:
    dictation.next(*CALLING)
    first = agents.Runner.run_sync(agent(running, tools=[weather]), "Weather?", auto_previous_response_id=True)
    agents.Runner.run_sync(agent(running), "And?", previous_response_id=first.last_response_id)
    check_tool_use(dictation)
    assert [message.text for message in dictation.requests[2].messages][-2:] == ["Yes.", "And?"]
