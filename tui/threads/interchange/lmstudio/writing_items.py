"""Content items for LM Studio's files, made from the parts of a message and the frames beside it, if there are any."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, assert_never

from tui.domain import ImagePart, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from tui.threads.interchange.lmstudio.files import FileShelf, file_type
from tui.threads.interchange.lmstudio.frames import Frame, original_or
from tui.threads.interchange.portable import PortableFile
from tui.threads.interchange.values import MOST_LEVELS, is_deeper, written


@dataclass(frozen=True, slots=True)
class Supply:
    """What fills the items of one message, in order, and where its files go."""

    parts: Iterator[Part]
    files: Iterator[PortableFile]
    shelf: FileShelf


def fill_item(frame: Frame, supply: Supply) -> Frame:
    """The item that a frame makes, taking the parts that it needs."""
    item = dict(frame.get("raw", {}))
    kinds = frame.get("kinds", [])
    if "wrap" in frame:
        before, behind = frame["wrap"]
        taken = islice(supply.parts, len(kinds))
        reasoning, *rest = [part.text for part in taken if isinstance(part, ReasoningPart | TextPart)]
        item["text"] = before + reasoning + behind + "".join(rest)
    else:
        for kind in kinds:
            item = _put_file(item, next(supply.files), supply.shelf) if kind == "file" else _put(item, supply)
        if frame.get("structured"):
            item["content"] = _structured(item["content"])
    return original_or(frame, item)


def new_item(part: Part, shelf: FileShelf) -> Frame:
    """An item for a part that came from no file of LM Studio's."""
    kind: dict[type[Part], str] = {ToolCallPart: "toolCallRequest", ToolResultPart: "toolCallResult", ImagePart: "file"}
    return _put({"type": kind.get(type(part), "text")}, Supply(iter((part,)), iter(()), shelf))


def new_file_item(file: PortableFile, shelf: FileShelf) -> Frame:
    """An item for an attachment that came from no file of LM Studio's."""
    return _put_file({"type": "file"}, file, shelf)


def call_id(item: Mapping[str, Any]) -> str:
    """The identifier that a call and its result share."""
    identifier = item.get("toolCallRequestId")
    if isinstance(identifier, str) and identifier:
        return identifier
    return str(item.get("callId", ""))


def object_of(text: str) -> dict[str, Any] | None:
    """The object that a JSON text stands for, if it is one that can be written again."""
    value = _value(text)
    return value if isinstance(value, dict) else None


def _put(item: Frame, supply: Supply) -> Frame:
    part = next(supply.parts)
    match part:
        case TextPart(text) | ReasoningPart(text):
            return {**item, "text": text}
        case ImagePart(data, media_type):
            return _put_file(item, PortableFile("", media_type, data), supply.shelf)
        case ToolCallPart(identifier, name, arguments):
            return {**_with_call(item, identifier, name), **_parameters(arguments)}
        case ToolResultPart(identifier, name, text):
            return {**_with_call(item, identifier, name), "content": text}
        case _:
            assert_never(part)


def _put_file(item: Frame, file: PortableFile, shelf: FileShelf) -> Frame:
    known = item.get("fileIdentifier")
    identifier = shelf.put(file, known if isinstance(known, str) else "")
    return {"fileType": file_type(file.media_type), **item, "fileIdentifier": identifier, "sizeBytes": len(file.data)}


def _with_call(item: Frame, identifier: str, name: str) -> Frame:
    changed = dict(item)
    if call_id(item) != identifier:
        changed["toolCallRequestId"] = identifier
    if name or "name" in item:
        changed["name"] = name
    return changed


def _parameters(arguments: str) -> Frame:
    """What stands for the arguments of a call; the text itself too, where it cannot be made again from the object."""
    meant = object_of(arguments)
    if meant is None:
        return {"parameters": {}, "rawContent": arguments}
    return {"parameters": meant} if written(meant) == arguments else {"parameters": meant, "rawContent": arguments}


def _structured(text: str) -> Any:
    value = _value(text)
    return text if value is None and text != "null" else value


def _value(text: str) -> Any:
    """What a JSON text says, or `None` where it cannot stand in a file: too deep, or a number that JSON lacks."""
    try:
        value = json.loads(text)
        written(value)
    except (ValueError, RecursionError):
        return None
    return None if is_deeper(value, MOST_LEVELS // 2) else value
