"""What programs do that were written by the documentation of LM Studio, oddities included."""

from __future__ import annotations

import json
from typing import Any

import httpx
import openai
import pytest

from tests.server.conftest import ANSWER, Running

TIME: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather, only where somebody asks",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    },
}


@pytest.fixture
def client(running: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=running.openai, api_key="lm-studio", max_retries=0)


def test_strict_may_be_a_word(running: Running) -> None:
    schema = {"type": "object", "properties": {"mood": {"enum": ["good", "bad"]}}, "required": ["mood"]}
    form = {"type": "json_schema", "json_schema": {"name": "mood", "strict": "true", "schema": schema}}
    body = {
        "model": "random",
        "messages": [{"role": "system", "content": "Say it."}, {"role": "user", "content": "How?"}],
        "response_format": {
            **form,
            "json_schema": {**form["json_schema"], "schema": {**schema, "additionalProperties": False}},
        },
        "temperature": 0.7,
        "max_tokens": 50,
        "stream": False,
    }
    answer = httpx.post(f"{running.openai}/chat/completions", json=body, timeout=60).json()
    assert json.loads(answer["choices"][0]["message"]["content"])["mood"] in ("good", "bad")


def test_a_call_goes_back_as_the_objects_that_came_and_without_tools(client: openai.OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "How is the weather?"}]
    done = client.chat.completions.create(model="caller", messages=messages, tools=[TIME])
    (call,) = done.choices[0].message.tool_calls or ()
    assert isinstance(call, openai.types.chat.ChatCompletionMessageFunctionToolCall)
    # No content, the function as the client's own object, and a result that is no JSON.
    messages.append(
        {"role": "assistant", "tool_calls": [{"id": call.id, "type": call.type, "function": call.function}]}
    )
    messages.append({"role": "tool", "content": "{'sky': 'clear'}", "tool_call_id": call.id})
    answer = client.chat.completions.create(model="caller", messages=messages)
    assert answer.choices[0].message.content == ANSWER


def test_pieces_of_a_streamed_call_are_added_up(client: openai.OpenAI) -> None:
    call = {"id": "", "name": "", "arguments": ""}
    for chunk in client.chat.completions.create(
        model="caller", messages=[{"role": "user", "content": "Weather?"}], tools=[TIME], stream=True, temperature=0.2
    ):
        delta = chunk.choices[0].delta  # every chunk has a choice when no usage was asked for
        for piece in delta.tool_calls or ():
            assert piece.index == 0
            assert piece.function is not None
            call["id"] += piece.id or ""
            call["name"] += piece.function.name or ""
            call["arguments"] += piece.function.arguments or ""
    assert call["id"]
    assert call["name"] == "get_weather"
    assert json.loads(call["arguments"])["city"] == "Ulm"
