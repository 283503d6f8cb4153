"""Content items for LM Studio's files, made from the parts of a message and the frames beside it, if there are any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, assert_never

from tui.domain import FilePart, ImagePart, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from tui.threads.interchange.lmstudio.files import FileShelf, content_of, file_type
from tui.threads.interchange.lmstudio.frames import Frame
from tui.threads.interchange.values import embedded, written

_TYPES: dict[type[Part], str] = {
    ToolCallPart: "toolCallRequest",
    ToolResultPart: "toolCallResult",
    ImagePart: "file",
    FilePart: "file",
}


def fill_item(frame: Frame, parts: Iterator[Part], shelf: FileShelf) -> Frame:
    """The item that a frame makes, taking the parts that it needs. Files go onto the shelf."""
    item = dict(frame.get("raw", {}))
    kinds = frame.get("kinds", [])
    if "wrap" in frame:
        before, behind = frame["wrap"]
        taken = islice(parts, len(kinds))
        reasoning, *rest = [part.text for part in taken if isinstance(part, ReasoningPart | TextPart)]
        item["text"] = before + reasoning + behind + "".join(rest)
    else:
        for part in islice(parts, len(kinds)):
            item = _put(item, part, shelf)
        if frame.get("structured"):
            item["content"] = _structured(item["content"])
    return item


def new_item(part: Part, shelf: FileShelf) -> Frame:
    """An item for a part that came from no file of LM Studio's."""
    return _put({"type": _TYPES.get(type(part), "text")}, part, shelf)


def call_id(item: Mapping[str, Any]) -> str:
    """The identifier that a call and its result share."""
    identifier = item.get("toolCallRequestId")
    if isinstance(identifier, str) and identifier:
        return identifier
    number = item.get("callId")
    return str(number) if isinstance(number, int | str) else ""


def object_of(text: str) -> dict[str, Any] | None:
    """The object that a JSON text stands for, if it is one that can be written again."""
    value = embedded(text)
    return value if isinstance(value, dict) else None


def _put(item: Frame, part: Part, shelf: FileShelf) -> Frame:
    match part:
        case TextPart(text) | ReasoningPart(text):
            return {**item, "text": text}
        case ImagePart() | FilePart():
            known = item.get("fileIdentifier")
            identifier = shelf.put(part, known if isinstance(known, str) else "")
            size = len(content_of(part))
            return {"fileType": file_type(part), **item, "fileIdentifier": identifier, "sizeBytes": size}
        case ToolCallPart(identifier, name, arguments):
            return {**_with_call(item, identifier, name), **_parameters(arguments)}
        case ToolResultPart(identifier, name, text):
            return {**_with_call(item, identifier, name), "content": text}
        case _:
            assert_never(part)


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
    value = embedded(text)
    return text if value is None and text != "null" else value
