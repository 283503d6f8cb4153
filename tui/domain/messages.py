"""Messages and their parts: what people and models say to each other.

A message is a role and an ordered tuple of typed parts. Parts go to disk as JSON objects with a `type`
key, through `part_to_json` and `part_from_json`.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """Visible text, Markdown where a model wrote it."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningPart:
    """What a model thought before it answered. Never mixed into the text, never sent back unless a template asks."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture, as the file that it came in (PNG, JPEG, WebP or GIF)."""

    data: bytes
    media_type: str = ""
    name: str = ""
    """What the person calls it, such as its file name; empty where it has none. Models do not see it."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A text file that goes along with the message, whole."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A call of a tool that the model asks for. `arguments` is JSON text, as complete as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResultPart:
    """What a tool answered to the call of that id."""

    call_id: str
    name: str
    text: str


Part = TextPart | ReasoningPart | ImagePart | FilePart | ToolCallPart | ToolResultPart


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The visible text of all parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def reasoning(self) -> str:
        """The reasoning of all parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, ReasoningPart))

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        """The tool calls among its parts."""
        return tuple(part for part in self.parts if isinstance(part, ToolCallPart))


def text_message(role: Role, text: str) -> Message:
    """A message with one text part."""
    return Message(role, (TextPart(text),))


def part_to_json(part: Part) -> dict[str, Any]:
    """The JSON object that stands for a part on disk."""
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ReasoningPart(text):
            return {"type": "reasoning", "text": text}
        case ImagePart(data, media_type, name):
            named = {"name": name} if name else {}
            return {"type": "image", "data": base64.b64encode(data).decode(), "media_type": media_type, **named}
        case FilePart(name, text):
            return {"type": "file", "name": name, "text": text}
        case ToolCallPart(call_id, name, arguments):
            return {"type": "tool_call", "id": call_id, "name": name, "arguments": arguments}
        case ToolResultPart(call_id, name, text):
            return {"type": "tool_result", "call_id": call_id, "name": name, "text": text}


def part_from_json(value: dict[str, Any]) -> Part:
    """The part that a JSON object stands for.

    A kind that this version does not know becomes text, so that a newer store can still be read.
    """

    def word(key: str) -> str:
        return str(value.get(key, ""))

    match value.get("type"):
        case "reasoning":
            return ReasoningPart(word("text"))
        case "image":
            try:
                return ImagePart(base64.b64decode(word("data"), validate=True), word("media_type"), word("name"))
            except binascii.Error:
                return TextPart("")
        case "file":
            return FilePart(word("name"), word("text"))
        case "tool_call":
            return ToolCallPart(word("id"), word("name"), word("arguments"))
        case "tool_result":
            return ToolResultPart(word("call_id"), word("name"), word("text"))
        case _:
            return TextPart(word("text"))
