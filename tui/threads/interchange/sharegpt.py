"""Conversations in the form of ShareGPT: `{"conversations": [{"from": "human", "value": …}, …]}`.

A custom of training data, not a standard: names of the speakers vary, and are all understood. Reasoning stands
between `<think>` and `</think>` before the text; calls and results of tools are turns of `function_call` and
`observation`. The form holds one branch and no pictures.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from tui.domain import FilePart, ImagePart, Message, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from tui.threads.interchange.portable import PortableThread, straight_line
from tui.threads.interchange.values import Place, checked, embedded, member, written

Speaker = Literal["system", "user", "assistant", "call", "tool"]

_SPEAKERS: dict[str, Speaker] = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "function_call": "call",
    "tool_call": "call",
    "observation": "tool",
    "tool": "tool",
    "tool_response": "tool",
    "function_response": "tool",
}

_NAMES = {"system": "system", "user": "human", "assistant": "gpt"}

_REASONING = re.compile(r"\s*<think>\n?(.*?)\n?</think>\n{0,2}", re.DOTALL)


def write_sharegpt(thread: PortableThread) -> str:
    """The JSON object of a thread's branch in view, on one line."""
    turns = [turn for message in thread.said() for turn in _turns(message)]
    title = {"title": thread.title} if thread.title else {}
    return written({**title, "conversations": turns})


def read_sharegpt(value: Any, place: Place) -> PortableThread:
    """The thread that a `{"conversations": […]}` stands for. Raises BadFile."""
    document = checked(value, dict, place)
    reader = _Reader()
    prompt = member(document, "system", str, place, "")
    if prompt:
        reader.add("system", TextPart(prompt))
    for index, turn in enumerate(member(document, "conversations", list, place)):
        reader.read(turn, place / "conversations" / index)
    return straight_line(reader.messages, title=member(document, "title", str, place, ""))


def _turns(message: Message) -> list[dict[str, str]]:
    if message.role == "tool":
        return [
            {"from": "observation", "value": part.text} for part in message.parts if isinstance(part, ToolResultPart)
        ]
    text = "".join(_text(part) for part in message.parts)
    if message.role == "assistant" and message.reasoning:
        text = f"<think>\n{message.reasoning}\n</think>\n\n{text}"
    calls = [
        {
            "from": "function_call",
            "value": written({"name": call.name, "arguments": embedded(call.arguments) or call.arguments}),
        }
        for call in message.tool_calls
    ]
    return [*([{"from": _NAMES[message.role], "value": text}] if text or not calls else []), *calls]


def _text(part: Part) -> str:
    match part:
        case TextPart(text):
            return text
        case ImagePart(name=name):
            return f"[image: {name}]" if name else "[image]"
        case FilePart(name, text):
            return f"\n\n{name}:\n{text}\n"
        case _:
            return ""


class _Reader:
    """Collects turns; a call belongs to the answer before it, and a result to the first call that waits for one."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._waiting: list[ToolCallPart] = []
        self._calls = 0

    def add(self, role: Literal["system", "user", "assistant", "tool"], *parts: Part) -> None:
        """Add a message."""
        self.messages.append(Message(role, parts))

    def read(self, value: Any, place: Place) -> None:
        """Add what one turn says. Raises BadFile."""
        turn = checked(value, dict, place)
        name = member(turn, "from", str, place)
        speaker = _SPEAKERS.get(name.strip().lower())
        text = member(turn, "value", str, place)
        if speaker is None:
            (place / "from").fail(f"must be one of {', '.join(_SPEAKERS)}")
        elif speaker == "call":
            self._read_call(text)
        elif speaker == "tool":
            call = self._waiting.pop(0) if self._waiting else ToolCallPart("", "", "")
            self.add("tool", ToolResultPart(call.id, call.name, text))
        elif speaker == "assistant" and (thought := _REASONING.match(text)):
            rest = text[thought.end() :]
            self.add("assistant", ReasoningPart(thought[1]), *([TextPart(rest)] if rest else []))
        else:
            self.add(speaker, TextPart(text))

    def _read_call(self, text: str) -> None:
        value = embedded(text)
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            # What is no call in a form that we know is kept as what it is: words of the model.
            self.add("assistant", TextPart(text))
            return
        self._calls += 1
        arguments = value.get("arguments", value.get("parameters", {}))
        call = ToolCallPart(
            f"call_{self._calls}", value["name"], arguments if isinstance(arguments, str) else written(arguments)
        )
        self._waiting.append(call)
        last = self.messages[-1] if self.messages else None
        if last is not None and last.role == "assistant":
            self.messages[-1] = Message("assistant", (*last.parts, call))
        else:
            self.add("assistant", call)
