"""Messages and their parts: what people and models say to each other.

A message is a role and an ordered tuple of typed parts. Parts go to disk as JSON objects with a `type`
key, through `part_to_json` and `part_from_json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """Visible text, Markdown where a model wrote it."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningPart:
    """What a model thought before it answered. Never mixed into the text, never sent back unless a template asks."""

    text: str


Part = TextPart | ReasoningPart


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


def part_from_json(value: dict[str, Any]) -> Part:
    """The part that a JSON object stands for.

    A kind that this version does not know becomes text, so that a newer store can still be read.
    """
    text = str(value.get("text", ""))
    return ReasoningPart(text) if value.get("type") == "reasoning" else TextPart(text)
