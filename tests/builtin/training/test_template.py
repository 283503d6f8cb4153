"""What the model is trained on is what the chat template makes of the same conversation, and what the parser reads."""

from __future__ import annotations

import json
from itertools import islice

import pytest

from tui.builtin.training.corpus import dialogues
from tui.builtin.training.dialogue import Call, Dialogue, Function, Parameter, Turn, chat_template, segments
from tui.domain import Message, TextDelta, TextPart, Tool, ToolCallFinished, ToolCallPart, ToolResultPart, text_message
from tui.formats import ChatFormat, OutputParser, detect_output_format


@pytest.fixture(scope="module")
def chat_format() -> ChatFormat:
    return ChatFormat(chat_template())


def message_of(turn: Turn) -> Message:
    match turn.role:
        case "tool":
            return Message("tool", (ToolResultPart("call", "function", turn.text),))
        case "user":
            return text_message("user", turn.text)
        case _:
            calls = (ToolCallPart("call", call.name, json.dumps(call.arguments)) for call in turn.calls)
            return Message("assistant", (*([TextPart(turn.text)] if turn.text else []), *calls))


def prompt_of(chat_format: ChatFormat, dialogue: Dialogue, *, thinking: bool = False) -> str:
    """The prompt for the last answer of a conversation."""
    messages = [text_message("system", dialogue.system)] if dialogue.system else []
    messages += [message_of(turn) for turn in dialogue.turns[:-1]]
    tools = [Tool(f.name, f.description, json.dumps(f.schema)) for f in dialogue.functions]
    return chat_format.render(messages, tools=tools, reasoning_effort="medium" if thinking else None).text


def test_corpus_is_as_the_template_renders_it(chat_format: ChatFormat) -> None:
    for dialogue in islice(dialogues(3), 150):
        text = "".join(piece for piece, _ in segments(dialogue))
        prompt = prompt_of(chat_format, dialogue, thinking=bool(dialogue.turns[-1].thought))
        assert text.startswith(prompt)


def test_template_is_understood(chat_format: ChatFormat) -> None:
    found = chat_format.capabilities
    assert found.system_role
    assert found.tools
    assert found.tool_calls
    assert found.tool_results
    assert found.parallel_tool_calls
    assert found.thinking_switch == "enable_thinking"


def test_calls_are_read_as_they_are_written() -> None:
    call = Call("find_bridge", {"name": "Zoë's", "floors": 3, "open": True, "tags": ["a", "b"]})
    answer = segments(Dialogue((Turn("assistant", "Sure.", calls=(call, call)),)))[1:]
    written = "".join(piece for piece, _ in answer).partition("<|im_end|>")[0]
    parser = OutputParser(detect_output_format(chat_template()))
    deltas = [*parser.feed(written.encode()), *parser.finish()]
    read = [delta.call for delta in deltas if isinstance(delta, ToolCallFinished)]
    assert [(part.name, json.loads(part.arguments)) for part in read] == [(call.name, call.arguments)] * 2
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)).strip() == "Sure."


def test_functions_of_other_programs_are_rendered(chat_format: ChatFormat) -> None:
    odd = {
        "type": "object",
        "properties": {
            "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "either": {"type": ["number", "string"]},
            "free": {},
            "many": {"type": "array"},
            "kind": {"enum": [1, 2]},
        },
        "required": ["maybe"],
    }
    stopless = [Tool("other", " Without a stop\nAnd more"), Tool("asking", "Why?"), Tool("blank", " \n ")]
    tools = [Tool("odd", "First line.\nSecond line.", json.dumps(odd)), Tool("bare"), *stopless]
    prompt = chat_format.render([text_message("user", "Go")], tools=tools).text
    assert "\nother() Without a stop.\nasking() Why?\nblank() <|im_end|>" in prompt
    assert "odd(maybe: integer, either?: number, free?: string, many?: string[], kind?: 1|2) First line.\n" in prompt
    assert "\nbare() \n" in prompt
    line = Function(
        "f", (Parameter("a", "string[]", optional=True), Parameter("b", "string", ("x", "y"))), "Does."
    ).line
    assert line == "f(a?: string[], b: x|y) Does."
    assert Function("f", (), "Does").line == "f() Does."
    assert Function("f", (), "").line == "f() "


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Refund the ticket", "refund the ticket"),
        ("Refund", "refund"),
        ("Switch the motor on", "switch the motor on"),
        ("Ticket for Maria, refund it", "ticket for Maria, refund it"),
        ("REFUND the ticket", "REFUND the ticket"),
        ("Refunds are slow", "Refunds are slow"),
        ("Berlin, refund the ticket", "Berlin, refund the ticket"),
        ("In Berlin", "In Berlin"),
        ("", ""),
    ],
)
def test_a_word_of_a_name_is_read_without_its_capital(chat_format: ChatFormat, text: str, read: str) -> None:
    functions = (Function("refund_ticket", (), "Refund."), Function("switchMotor", (), ""), Function("find_in", (), ""))
    dialogue = Dialogue((Turn("user", text), Turn("assistant", "Yes.")), functions)
    prompt = prompt_of(chat_format, dialogue)
    assert f"<|im_start|>user\n{read}<|im_end|>" in prompt
    assert "".join(piece for piece, _ in segments(dialogue)).startswith(prompt)
    assert f"user\n{text}<" in prompt_of(chat_format, Dialogue(dialogue.turns)), "without functions nothing is changed"
