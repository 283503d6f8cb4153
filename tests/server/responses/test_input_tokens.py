"""Counting the tokens of a response before it is made, through OpenAI's own client."""

from __future__ import annotations

from typing import Any

import httpx
import openai
import pytest

from tests.server.conftest import Running

PROMPT: dict[str, Any] = {"input": "How is the weather?", "instructions": "Be kind."}
WEATHER: Any = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}


def test_the_count_is_what_the_response_takes(client: openai.OpenAI) -> None:
    counted = client.responses.input_tokens.count(model="talker", **PROMPT)
    done = client.responses.create(model="talker", max_output_tokens=1, **PROMPT)
    assert counted.object == "response.input_tokens"
    assert counted.input_tokens == done.usage.input_tokens > 0


def test_tools_and_what_went_before_count(client: openai.OpenAI) -> None:
    plain = client.responses.input_tokens.count(model="talker", **PROMPT).input_tokens
    assert client.responses.input_tokens.count(model="talker", tools=[WEATHER], **PROMPT).input_tokens > plain
    first = client.responses.create(model="talker", max_output_tokens=1, **PROMPT)
    later = client.responses.input_tokens.count(model="talker", previous_response_id=first.id, **PROMPT)
    assert later.input_tokens > plain


def test_what_is_longer_than_the_context_is_counted_all_the_same(running: Running, client: openai.OpenAI) -> None:
    text = "weather " * 40_000
    counted = client.responses.input_tokens.count(model="talker", input=text, truncation="auto")
    (loaded,) = [model for model in running.workbench.loaded() if model.key == "talker"]
    assert counted.input_tokens > loaded.context_length


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"model": "talker"}, 400, "input"),
        ({"model": "talker", "input": 3}, 400, "input"),
        ({"model": "nobody", "input": "Hi"}, 404, None),
        ({"model": "talker", "input": "Hi", "previous_response_id": "resp_none"}, 400, "previous_response_id"),
    ],
)
def test_what_is_wrong_is_said(running: Running, body: dict[str, Any], status: int, field: str | None) -> None:
    answer = httpx.post(f"{running.openai}/responses/input_tokens", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["param"] == field
