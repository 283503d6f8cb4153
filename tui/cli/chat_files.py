"""Conversations and tools from JSON files in OpenAI's form, for the commands that look at formats."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any, get_args

from tui.domain import (
    BadRequest,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    Tool,
    ToolCallPart,
    ToolResultPart,
)


def read_messages(path: Path) -> list[Message]:
    """The messages of a file: a list, or an object with `messages`. BadRequest with the field that is wrong."""
    value = _read(path)
    listed = value.get("messages") if isinstance(value, dict) else value
    if not isinstance(listed, list):
        raise _wrong("messages", "must be a list of messages")
    return [_message(item, f"messages[{index}]") for index, item in enumerate(listed)]


def read_tools(path: Path) -> list[Tool]:
    """The tools of a file: a list, or an object with `tools`; each OpenAI's object or the function alone."""
    value = _read(path)
    listed = value.get("tools") if isinstance(value, dict) else value
    if not isinstance(listed, list):
        raise _wrong("tools", "must be a list of tools")
    return [_tool(item, f"tools[{index}]") for index, item in enumerate(listed)]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadRequest(f"{path} cannot be read: {error}.", "Name a JSON file.", field=str(path)) from error


def _message(item: Any, field: str) -> Message:
    if not isinstance(item, dict):
        raise _wrong(field, "must be an object")
    told = "system" if item.get("role") == "developer" else item.get("role")
    role: Role | None = next((role for role in get_args(Role) if role == told), None)
    if role is None:
        raise _wrong(f"{field}.role", f"must be one of {', '.join(get_args(Role))}")
    content = _content(item.get("content"), f"{field}.content")
    if role == "tool":
        text = "".join(part.text for part in content if isinstance(part, TextPart))
        content = [ToolResultPart(_text(item.get("tool_call_id")), _text(item.get("name")), text)]
    reasoning = item.get("reasoning_content") or item.get("reasoning") or item.get("thinking")
    if reasoning:
        content.insert(0, ReasoningPart(_text(reasoning)))
    for index, call in enumerate(item.get("tool_calls") or []):
        content.append(_call(call, f"{field}.tool_calls[{index}]"))
    return Message(role, tuple(content))


def _content(value: Any, field: str) -> list[Part]:
    if value is None or isinstance(value, str):
        return [TextPart(value)] if value else []
    if not isinstance(value, list):
        raise _wrong(field, "must be a text or a list of parts")
    return [_part(part, f"{field}[{index}]") for index, part in enumerate(value)]


def _part(part: Any, field: str) -> Part:
    match part:
        case {"type": "text", "text": str(text)}:
            return TextPart(text)
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            try:
                return ImagePart(base64.b64decode(url.partition("base64,")[2], validate=True))
            except binascii.Error as error:
                raise _wrong(field, f"must hold the image in base64 ({error})") from error
        case _:
            raise _wrong(field, "must be a text or an image_url")


def _call(call: Any, field: str) -> ToolCallPart:
    match call:
        case {"function": {"name": str(name), **function}}:
            arguments = function.get("arguments", "{}")
            text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
            return ToolCallPart(_text(call.get("id")), name, text)
        case _:
            raise _wrong(field, "must have a function with a name")


def _tool(item: Any, field: str) -> Tool:
    function = item.get("function", item) if isinstance(item, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise _wrong(field, "must be a function with a name")
    parameters = json.dumps(function.get("parameters") or {}, ensure_ascii=False)
    return Tool(function["name"], _text(function.get("description")), parameters)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _wrong(field: str, what: str) -> BadRequest:
    return BadRequest(f"{field} {what}.", "See OpenAI's chat completions for the form.", field=field)
