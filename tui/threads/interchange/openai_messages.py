"""Conversations as OpenAI's chat completions have them: `{"messages": [{"role": …, "content": …}, …]}`.

Training data and logs come as JSONL with one such object on each line. The form holds one branch; reasoning stands
in `reasoning_content`, as most servers and tools have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.domain import (
    FilePart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from tui.threads.interchange.data_urls import data_url, from_data_url
from tui.threads.interchange.portable import PortableThread, straight_line
from tui.threads.interchange.values import Place, checked, member, written

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


def write_messages(thread: PortableThread) -> str:
    """The JSON object of a thread's branch in view, on one line."""
    return written({"messages": [entry for message in thread.said() for entry in _entries(message)]})


def read_messages(value: Any, place: Place) -> PortableThread:
    """The thread that a `{"messages": […]}`, or a bare list of messages, stands for. Raises BadFile."""
    if isinstance(value, list):
        value = {"messages": value}
    document = checked(value, dict, place)
    entries = member(document, "messages", list, place)
    messages = [_message(entry, place / "messages" / index) for index, entry in enumerate(entries)]
    return straight_line(messages, title=member(document, "title", str, place, ""))


def _entries(message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        return [
            {
                "role": "tool",
                "tool_call_id": part.call_id,
                "content": part.text,
                **({"name": part.name} if part.name else {}),
            }
            for part in results
        ]
    shown = [part for part in message.parts if isinstance(part, TextPart | ImagePart | FilePart)]
    content: Any = [_content(part) for part in shown]
    if len(shown) < 2 and all(isinstance(part, TextPart) for part in shown):
        content = message.text
    entry: dict[str, Any] = {"role": message.role, "content": content}
    if message.reasoning:
        entry["reasoning_content"] = message.reasoning
    if message.tool_calls:
        entry["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return [entry]


def _content(part: TextPart | ImagePart | FilePart) -> dict[str, Any]:
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ImagePart(data, media_type):
            return {"type": "image_url", "image_url": {"url": data_url(data, media_type)}}
        case FilePart(name, text):
            url = data_url(text.encode("utf-8", "replace"), "text/plain")
            return {"type": "file", "file": {"filename": name, "file_data": url}}


def _message(value: Any, place: Place) -> Message:
    entry = checked(value, dict, place)
    name = member(entry, "role", str, place)
    if name not in _ROLES:
        (place / "role").fail(f"must be one of {', '.join(_ROLES)}")
    role = _ROLES[name]
    parts = _parts(entry.get("content"), place / "content")
    if role == "tool":
        text = "".join(part.text for part in parts if isinstance(part, TextPart))
        identifier = member(entry, "tool_call_id", str, place, "")
        return Message(role, (ToolResultPart(identifier, member(entry, "name", str, place, ""), text),))
    reasoning = entry.get("reasoning_content") or entry.get("reasoning")
    before = [ReasoningPart(reasoning)] if isinstance(reasoning, str) else []
    return Message(role, (*before, *parts, *_calls(entry, place)))


def _parts(content: Any, place: Place) -> list[Part]:
    if content is None:
        return []
    if isinstance(content, str):
        return [TextPart(content)] if content else []
    return [_part(checked(value, dict, place / i), place / i) for i, value in enumerate(checked(content, list, place))]


def _part(value: dict[str, Any], place: Place) -> Part:
    match value.get("type"):
        case "text" | "input_text" | "output_text":
            return TextPart(member(value, "text", str, place))
        case "refusal":
            return TextPart(member(value, "refusal", str, place))
        case "image_url":
            image = value.get("image_url")
            url = image.get("url") if isinstance(image, dict) else image
            held = from_data_url(url) if isinstance(url, str) else None
            # A picture on the network is not fetched: reading a file must not tell anybody that it is read.
            return ImagePart(*held) if held and held[1].startswith("image/") else TextPart(f"[image: {str(url)[:200]}]")
        case "file":
            file = member(value, "file", dict, place)
            name, data = member(file, "filename", str, place, "file"), file.get("file_data")
            held = from_data_url(data) if isinstance(data, str) else None
            return FilePart(name, held[0].decode("utf-8", "replace")) if held else TextPart(f"[file: {name}]")
    return (place / "type").fail(f"is {str(value.get('type'))[:40]!r}, which is unknown")


def _calls(entry: Mapping[str, Any], place: Place) -> list[ToolCallPart]:
    calls = []
    for index, value in enumerate(member(dict(entry), "tool_calls", list, place, [])):
        where = place / "tool_calls" / index
        call = checked(value, dict, where)
        function = member(call, "function", dict, where)
        calls.append(_call(function, member(call, "id", str, where, f"call_{index + 1}"), where / "function"))
    legacy = entry.get("function_call")
    if isinstance(legacy, dict):
        calls.append(_call(legacy, "call_1", place / "function_call"))
    return calls


def _call(function: dict[str, Any], identifier: str, place: Place) -> ToolCallPart:
    arguments = function.get("arguments", "{}")
    text = arguments if isinstance(arguments, str) else written(arguments)
    return ToolCallPart(identifier, member(function, "name", str, place), text)
