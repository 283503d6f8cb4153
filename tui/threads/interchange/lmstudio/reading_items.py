"""Content items of LM Studio's files: the parts of a message that they are, and the frames that are left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tui.domain import Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from tui.threads.interchange.lmstudio.files import FindFile
from tui.threads.interchange.lmstudio.frames import Frame, kind_of, kinds_of, without
from tui.threads.interchange.lmstudio.writing_items import call_id, object_of
from tui.threads.interchange.values import Place, checked, member, written

# Reasoning within the text, as files have it that are older than blocks in the style of thinking.
_REASONING_IN_TEXT = re.compile(r"(\s*<think>\n*)(.*?)(\n*</think>\s*|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ReadItem:
    """One content item as it was read."""

    frame: Frame
    parts: tuple[Part, ...] = ()


def read_item(value: Any, place: Place, find_file: FindFile, *, thinking: bool, assistant: bool) -> ReadItem:
    """The parts of a content item. An item of an unknown kind has none, but its frame keeps it whole."""
    item = checked(value, dict, place)
    match item.get("type"):
        case "text":
            return _read_text(item, member(item, "text", str, place), thinking=thinking, assistant=assistant)
        case "file":
            return _read_file(item, find_file)
        case "toolCallRequest":
            call = ToolCallPart(call_id(item), member(item, "name", str, place, ""), _arguments(item))
            return ReadItem({"raw": without(item, "parameters", "rawContent"), "kinds": ["call"]}, (call,))
        case "toolCallResult":
            content = item.get("content")
            frame: Frame = {"raw": without(item, "content"), "kinds": ["result"]}
            if not isinstance(content, str):
                frame["structured"] = True
                content = written(content)
            result = ToolResultPart(call_id(item), member(item, "name", str, place, ""), content)
            return ReadItem(frame, (result,))
        case _:
            return ReadItem({"raw": item})


def _read_text(item: Frame, text: str, *, thinking: bool, assistant: bool) -> ReadItem:
    raw = without(item, "text")
    marked = _REASONING_IN_TEXT.match(text) if assistant else None
    if marked is None:
        part = ReasoningPart(text) if thinking else TextPart(text)
        return ReadItem({"raw": raw, "kinds": [kind_of(part)]}, (part,))
    before, reasoning, behind = marked.groups()
    rest = text[marked.end() :]
    parts: tuple[Part, ...] = (ReasoningPart(reasoning), *([TextPart(rest)] if rest else []))
    return ReadItem({"raw": raw, "kinds": kinds_of(parts), "wrap": [before, behind]}, parts)


def _read_file(item: Frame, find_file: FindFile) -> ReadItem:
    identifier = item.get("fileIdentifier")
    found = find_file(identifier) if isinstance(identifier, str) else None
    if found is None:
        return ReadItem({"raw": item})
    return ReadItem({"raw": item, "kinds": kinds_of([found])}, (found,))


def _arguments(item: Mapping[str, Any]) -> str:
    """The arguments as the model wrote them, where the file has that and it still means what `parameters` say."""
    parameters = item.get("parameters", {})
    words = item.get("rawContent")
    if isinstance(words, str):
        meant = object_of(words)
        if parameters == ({} if meant is None else meant):
            return words
    return parameters if isinstance(parameters, str) else written(parameters)
