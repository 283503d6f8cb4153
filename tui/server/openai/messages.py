"""Messages as OpenAI's clients write them, and what they are here."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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
    ToolChoice,
    ToolResultPart,
)

_DATA_URL = re.compile(r"data:(image/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,", re.IGNORECASE)

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class WireFunctionCall(_Wire):
    """A call's name and its arguments, as JSON text or, from some clients, as an object."""

    name: str
    arguments: str | dict[str, Any] = "{}"


class WireToolCall(_Wire):
    """A call in the history."""

    id: str = ""
    type: str = "function"
    function: WireFunctionCall


class WireMessage(_Wire):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    tool_calls: list[WireToolCall] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None


class WireFunction(_Wire):
    """A function that may be called."""

    name: str = Field(min_length=1)
    description: str | None = None
    parameters: dict[str, Any] | None = None


class WireTool(_Wire):
    """A tool; only functions are known."""

    type: Literal["function"] = "function"
    function: WireFunction


def to_messages(messages: Sequence[WireMessage]) -> tuple[Message, ...]:
    """The conversation. Raises BadRequest naming the message."""
    names: dict[str, str] = {}
    converted = []
    for index, message in enumerate(messages):
        for call in message.tool_calls or ():
            names[call.id] = call.function.name
        converted.append(_to_message(message, f"messages[{index}]", names))
    return tuple(converted)


def to_tools(tools: Sequence[WireTool] | None) -> tuple[Tool, ...]:
    """The functions that the model may call."""
    return tuple(
        Tool(tool.function.name, tool.function.description or "", json.dumps(tool.function.parameters or {}))
        for tool in tools or ()
    )


def to_tool_choice(choice: Any, parallel: bool | None, tools: Sequence[Tool], field: str = "tool_choice") -> ToolChoice:
    """Whether tools may, must or must not be called. Raises BadRequest."""
    together = parallel is not False
    if choice is None:
        return ToolChoice("auto", parallel=together)
    if choice in ("auto", "none", "required", "any"):
        mode: Literal["auto", "none", "required"] = "required" if choice in ("required", "any") else choice
        if mode == "required" and not tools:
            raise BadRequest("A tool must be called, but there are none.", 'Send "tools" too.', field=field)
        return ToolChoice(mode, parallel=together)
    if isinstance(choice, dict):
        function = choice.get("function", choice)
        name = function.get("name") if isinstance(function, dict) else None
        if isinstance(name, str) and any(tool.name == name for tool in tools):
            return ToolChoice("required", name, parallel=together)
        raise BadRequest(f"There is no tool {name!r}.", 'Name one of "tools".', field=field)
    raise BadRequest(
        f"{choice!r} is no tool choice.", "Choose auto, none, required or the name of a function.", field=field
    )


def image_from_url(url: str, field: str) -> ImagePart:
    """The image in a data URL. Raises BadRequest for anything else: nothing is fetched for a request."""
    found = _DATA_URL.match(url)
    if found is None:
        if url.startswith(("http://", "https://", "file:")):
            raise BadRequest(
                "Images are not fetched from other places.",
                "Send the image itself as data:image/png;base64,….",
                field=field,
            )
        found_end, media_type = 0, ""
    else:
        found_end, media_type = found.end(), (found[1] or "").lower()
    try:
        data = base64.b64decode("".join(url[found_end:].split()), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise BadRequest(
            f"The image is not in base64: {problem}.", "Send data:image/png;base64,….", field=field
        ) from problem
    return ImagePart(data, media_type)


def _to_message(message: WireMessage, field: str, names: dict[str, str]) -> Message:
    role = _ROLES[message.role]
    if role == "tool":
        text = "".join(part.text for part in _parts(message.content, field) if isinstance(part, TextPart))
        call_id = message.tool_call_id or ""
        return Message("tool", (ToolResultPart(call_id, message.name or names.get(call_id, ""), text),))
    parts: list[Part] = []
    if reasoning := message.reasoning_content or message.reasoning:
        parts.append(ReasoningPart(reasoning))
    parts += _parts(message.content, field)
    if message.refusal and not message.content:
        parts.append(TextPart(message.refusal))
    for call in message.tool_calls or ():
        arguments = call.function.arguments
        text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        parts.append(ToolCallPart(call.id, call.function.name, text or "{}"))
    return Message(role, tuple(parts))


def _parts(content: str | list[dict[str, Any]] | None, field: str) -> list[Part]:
    if content is None:
        return []
    if isinstance(content, str):
        return [TextPart(content)]
    return [_part(piece, f"{field}.content[{index}]") for index, piece in enumerate(content)]


def _part(piece: dict[str, Any], field: str) -> Part:
    kind = piece.get("type", "text")
    match kind:
        case "text" | "input_text" | "output_text":
            return TextPart(_text(piece.get("text"), f"{field}.text"))
        case "refusal":
            return TextPart(_text(piece.get("refusal"), f"{field}.refusal"))
        case "image_url" | "input_image" | "image":
            image = piece.get("image_url", piece.get("data_url"))
            url = image.get("url") if isinstance(image, dict) else image
            return image_from_url(_text(url, f"{field}.image_url"), f"{field}.image_url")
    raise BadRequest(
        f"{field} has the type {str(kind)[:40]!r}, which no model here takes.",
        "Send text and image_url parts.",
        field=f"{field}.type",
    )


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise BadRequest(f"{field} is not a text.", "Send a string.", field=field)
    return value
