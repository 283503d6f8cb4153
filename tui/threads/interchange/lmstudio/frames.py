"""What remains of a foreign file beside a message, so that the same file can be made again.

A frame is a JSON object of the file without what the message itself holds. Filled with what the message says now,
which may have been edited since, it makes the object again, with every field that nobody here knows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal, assert_never

from tui.domain import FilePart, ImagePart, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from tui.threads.interchange.values import written

PartKind = Literal["text", "reasoning", "image", "call", "result", "file"]

Frame = dict[str, Any]
"""`raw`: the object without what is held elsewhere; `kinds`: the parts that fill it; `whole`, `became`: `exactly`."""


def exactly(frame: Frame, original: Frame, became: Frame) -> Frame:
    """The frame, with the original beside it where writing does not make the original again but `became`.

    Odd spellings of the same thing (a number as text, a member that may be left out) are kept that way.
    """
    return frame if became == original else {**frame, "whole": original, "became": _digest(became)}


def original_or(frame: Mapping[str, Any], became: Frame) -> Frame:
    """What is written: the original, where it is kept and nothing has been edited since it was read."""
    whole = frame.get("whole")
    return dict(whole) if isinstance(whole, dict) and frame.get("became") == _digest(became) else became


def kind_of(part: Part) -> PartKind:
    """The kind of one part, as frames have it."""
    match part:
        case TextPart():
            return "text"
        case ReasoningPart():
            return "reasoning"
        case ImagePart():
            return "image"
        case FilePart():
            return "file"
        case ToolCallPart():
            return "call"
        case ToolResultPart():
            return "result"
        case _:
            assert_never(part)


def kinds_of(parts: Iterable[Part]) -> list[PartKind]:
    """Which kinds of part a message has, in order."""
    return [kind_of(part) for part in parts]


def kinds_that_fill(items: Iterable[Frame]) -> list[PartKind]:
    """Which parts a message must have so that these frames of content items fit it."""
    return [kind for frame in items for kind in frame.get("kinds", ())]


def without(value: Frame, *keys: str) -> Frame:
    """The object without some of its members."""
    return {key: member for key, member in value.items() if key not in keys}


def _digest(value: Frame) -> str:
    return hashlib.sha256(written(value, sort=True).encode()).hexdigest()
