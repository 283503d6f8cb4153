"""Items as conversations, and what is wrong with others."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tui.domain import (
    BadRequest,
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    text_message,
)
from tui.server.responses.items import listed, sealed, to_messages

PIXELS = b"\x89PNG and so on"
IMAGE = "data:image/png;base64," + base64.b64encode(PIXELS).decode()


def conversation(*items: dict[str, Any]) -> tuple[Message, ...]:
    return to_messages([], listed(list(items)))


def test_a_text_is_a_message_of_the_user() -> None:
    (item,) = listed("Hi")
    assert item["id"].startswith("msg_")
    assert (item["role"], item["status"]) == ("user", "completed")
    assert item["content"] == [{"type": "input_text", "text": "Hi"}]
    assert to_messages([], [item]) == (text_message("user", "Hi"),)


def test_messages_with_parts_and_without() -> None:
    assert conversation(
        {"role": "developer", "content": "Be kind."},
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": IMAGE}],
        },
        {"role": "assistant", "content": [{"type": "output_text", "text": "A "}, {"type": "refusal", "refusal": "no"}]},
        {"role": "assistant", "content": "More."},
    ) == (
        text_message("system", "Be kind."),
        Message("user", (TextPart("What is this?"), ImagePart(PIXELS, "image/png"))),
        Message("assistant", (TextPart("A "), TextPart("no"))),
        text_message("assistant", "More."),
    )


def test_what_a_model_said_in_one_turn_is_one_message_again() -> None:
    assert conversation(
        {"role": "user", "content": "Weather?"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
        {"role": "assistant", "content": "I look."},
        {"type": "function_call", "call_id": "a", "name": "weather", "arguments": '{"city": "Bonn"}'},
        {"type": "custom_tool_call", "call_id": "b", "name": "shell", "input": 'echo "hi"'},
        {"type": "function_call_output", "call_id": "a", "output": "sunny"},
        {"type": "custom_tool_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "hi"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Good."}]},
        {"role": "assistant", "content": "Sunny."},
    ) == (
        text_message("user", "Weather?"),
        Message(
            "assistant",
            (
                ReasoningPart("Hm."),
                TextPart("I look."),
                ToolCallPart("a", "weather", '{"city": "Bonn"}'),
                ToolCallPart("b", "shell", '{"input": "echo \\"hi\\""}'),
            ),
        ),
        Message("tool", (ToolResultPart("a", "weather", "sunny"),)),
        Message("tool", (ToolResultPart("b", "shell", "hi"),)),
        Message("assistant", (ReasoningPart("Good."), TextPart("Sunny."))),
    )


def test_a_thought_after_an_answer_begins_another_turn() -> None:
    thought = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
    said = {"role": "assistant", "content": "A."}
    assert [len(message.parts) for message in conversation(thought, said, thought, said)] == [2, 2]


def test_sealed_reasoning_comes_back() -> None:
    item = {"type": "reasoning", "summary": [], "encrypted_content": sealed("Grüße 🙂")}
    assert conversation(item) == (Message("assistant", (ReasoningPart("Grüße 🙂"),)),)
    for other in ("gAAAA", "lmdeck:!", "lmdeck:a", 5, None):
        assert conversation({"type": "reasoning", "summary": [], "encrypted_content": other}) == ()


def test_items_keep_their_ids_and_what_else_they_had() -> None:
    given = {"type": "reasoning", "id": "rs_9", "summary": [], "encrypted_content": "secret"}
    assert listed([given]) == [given]
    (call,) = listed([{"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}])
    assert call["id"].startswith("fc_")
    assert call["status"] == "completed"


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"type": "video"}, "input[0].type"),
        ({}, "input[0].type"),
        ({"type": 5}, "input[0].type"),
        ({"type": ["message"]}, "input[0].type"),
        ({"role": "robot", "content": "x"}, "input[0].role"),
        ({"role": ["user"], "content": "x"}, "input[0].role"),
        ({"role": "user"}, "input[0].content"),
        ({"role": "user", "content": ["x"]}, "input[0].content"),
        ({"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}, "input[0].content[0].type"),
        ({"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}, "input[0].content[0].image_url"),
        (
            {"role": "user", "content": [{"type": "input_image", "image_url": "https://x/y.png"}]},
            "input[0].content[0].image_url",
        ),
        ({"role": "user", "content": [{"type": "input_text", "text": 1}]}, "input[0].content[0].text"),
        ({"type": "function_call", "call_id": "a", "name": "f"}, "input[0].arguments"),
        ({"type": "function_call", "name": "f", "arguments": "{}"}, "input[0].call_id"),
        ({"type": "function_call_output", "call_id": "a", "output": "x"}, "input[0].call_id"),
        ({"type": "item_reference"}, "input[0].id"),
    ],
)
def test_mistakes_name_the_item(item: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest) as problem:
        conversation(item)
    assert problem.value.field == field


@pytest.mark.parametrize("output", [None, 5, [5], [{"type": "input_image", "image_url": IMAGE}]])
def test_tools_answer_with_text(output: Any) -> None:
    call = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
    with pytest.raises(BadRequest) as problem:
        conversation(call, {"type": "function_call_output", "call_id": "a", "output": output})
    assert problem.value.field.startswith("input[1].output")
