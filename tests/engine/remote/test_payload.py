"""Requests as they go over the wire."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest

from tui.domain import (
    BadRequest,
    Constraint,
    GenerationRequest,
    ImagePart,
    LoadConfig,
    Message,
    ReasoningPart,
    SamplingConfig,
    TextPart,
    Tool,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    text_message,
)
from tui.engine.remote import payload
from tui.engine.remote.payload import chat_payload

HELLO = (text_message("user", "Hi"),)
WEATHER = Tool("weather", "Says how it is.", '{"type": "object"}')


def wire(*messages: Message, **values: Any) -> dict[str, Any]:
    body = chat_payload("m", GenerationRequest("home/m", messages or HELLO, **values))
    assert json.loads(json.dumps(body)) == body
    return body


def test_a_plain_request_says_what_to_stream_and_how() -> None:
    assert wire() == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.8,
        "top_p": 0.95,
    }


def test_a_conversation_with_tools_and_reasoning() -> None:
    messages = (
        text_message("system", "Be kind."),
        text_message("user", "How is it?"),
        Message("assistant", (ReasoningPart("Hm."), TextPart("Let me look."), ToolCallPart("a", "weather", "{}"))),
        Message("tool", (ToolResultPart("a", "weather", "Rain."), ToolResultPart("b", "weather", "Sun."))),
        Message("assistant", (ToolCallPart("c", "weather", "{}"),)),
    )
    call = {"type": "function", "function": {"name": "weather", "arguments": "{}"}}
    assert wire(*messages)["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "How is it?"},
        {"role": "assistant", "content": "Let me look.", "tool_calls": [{"id": "a", **call}]},
        {"role": "tool", "tool_call_id": "a", "content": "Rain."},
        {"role": "tool", "tool_call_id": "b", "content": "Sun."},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c", **call}]},
    ]


@pytest.mark.parametrize(
    ("part", "prefix"),
    [
        (ImagePart(b"\x89PNG\r\n", "image/png"), "data:image/png;base64,iVBORw0K"),
        (ImagePart(b"\xff\xd8\xff\xe0"), "data:image/jpeg;base64,/9j/4A=="),
        (ImagePart(b"GIF89a"), "data:image/gif;base64,"),
        (ImagePart(b"RIFF....WEBP"), "data:image/webp;base64,"),
    ],
)
def test_images_go_as_data(part: ImagePart, prefix: str) -> None:
    (message,) = wire(Message("user", (TextPart("Look:"), part)))["messages"]
    text, image = message["content"]
    assert text == {"type": "text", "text": "Look:"}
    assert image["image_url"]["url"].startswith(prefix)


@pytest.mark.parametrize(
    ("choice", "fields"),
    [
        (ToolChoice(), {}),
        (ToolChoice("none"), {"tool_choice": "none"}),
        (ToolChoice("required"), {"tool_choice": "required"}),
        (ToolChoice("required", "weather"), {"tool_choice": {"type": "function", "function": {"name": "weather"}}}),
        (ToolChoice(parallel=False), {"parallel_tool_calls": False}),
    ],
)
def test_tools(choice: ToolChoice, fields: dict[str, Any]) -> None:
    body = wire(tools=(WEATHER,), tool_choice=choice)
    function = {"name": "weather", "description": "Says how it is.", "parameters": {"type": "object"}}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert {name: body[name] for name in ("tool_choice", "parallel_tool_calls") if name in body} == fields


def test_constraints() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    sent = wire(constraint=Constraint("json_schema", json.dumps(schema)))["response_format"]
    assert sent == {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    assert wire(constraint=Constraint("json_object"))["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"constraint": Constraint("regex", "a+")}, "constraint.kind"),
        ({"constraint": Constraint("json_schema", "{")}, "constraint.source"),
        ({"tools": (WEATHER, Tool("broken", "", "{"))}, "tools[1].parameters"),
        ({"template_options": (("thinking", "yes"),)}, "template_options.thinking"),
        ({"load": LoadConfig(context_length=4096)}, "load"),
    ],
)
def test_what_cannot_be_asked_names_its_field(values: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest) as caught:
        wire(**values)
    assert caught.value.field == field


def test_load_parameters_at_their_defaults_are_no_obstacle() -> None:
    assert wire(load=LoadConfig())["model"] == "m"


def test_sampling_that_was_set_goes_along_and_nothing_else() -> None:
    sampling = SamplingConfig(
        temperature=0.0, top_k=5, min_p=0.1, repeat_penalty=1.0, seed=0, max_tokens=9, stop=("END", "STOP"),
        presence_penalty=0.5, logit_bias=((17, -100.0),), mirostat=2, mirostat_learning_rate=0.2,
    )  # fmt: skip
    body = wire(sampling=sampling)
    assert {name: body[name] for name in body.keys() - wire().keys()} == {
        "top_k": 5, "min_p": 0.1, "repeat_penalty": 1.0, "seed": 0, "max_tokens": 9, "stop": ["END", "STOP"],
        "presence_penalty": 0.5, "logit_bias": {"17": -100.0}, "mirostat": 2, "mirostat_eta": 0.2,
    }  # fmt: skip
    assert body["temperature"] == 0.0


def test_every_sampling_parameter_has_its_place_on_the_wire() -> None:
    """A parameter that is added later must not be left behind in silence."""
    known = {*payload._ALWAYS, *payload._WHERE_SET, "logit_bias", "top_logprobs"}
    assert {field.name for field in fields(SamplingConfig)} == known


def test_reasoning_effort_and_template_options() -> None:
    body = wire(reasoning_effort="high", template_options=(("enable_thinking", "false"), ("style", '"terse"')))
    assert body["reasoning_effort"] == "high"
    assert body["chat_template_kwargs"] == {"enable_thinking": False, "style": "terse"}
    assert wire(reasoning_effort="off")["reasoning_effort"] == "none"


def test_text_that_is_no_unicode_can_be_sent() -> None:
    body = wire(text_message("user", "half a pair: \ud83d"))
    assert json.dumps(body).encode("ascii")
