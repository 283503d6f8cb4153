"""Items, of which conversations consist in the Responses API, and the messages that they are here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from tui.domain import (
    BadRequest,
    Message,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from tui.server.openai.messages import image_from_url
from tui.server.responses.identifiers import new_id
from tui.server.responses.tools import arguments_of

Item = dict[str, Any]
"""An item as it is on the wire and in the store."""

_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_ID_KINDS = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "item_reference": "ref",
}
_SEAL = "lmdeck:"


def listed(given: str | Sequence[Item]) -> list[Item]:
    """The input as complete items, each with a type, an id and a status. Raises BadRequest."""
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [_complete(item, f"input[{index}]") for index, item in enumerate(given)]


def to_messages(earlier: Sequence[Item], given: Sequence[Item]) -> tuple[Message, ...]:
    """The conversation of what was said before and what is said now. Raises BadRequest naming the item.

    Reasoning, text and calls that follow each other were one turn of the model, and are one message again.
    """
    conversation = _Conversation()
    for item in earlier:
        conversation.add(item, "previous_response_id")
    for index, item in enumerate(given):
        conversation.add(item, f"input[{index}]")
    return conversation.messages()


def sealed(text: str) -> str:
    """Reasoning in a form that clients hand back as it is, for those that drop the readable one."""
    return _SEAL + base64.b64encode(text.encode("utf-8", "replace")).decode()


class _Conversation:
    """Messages as items add up to them."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._turn: list[Part] = []
        """What the model said since somebody else did."""
        self._names: dict[str, str] = {}

    def messages(self) -> tuple[Message, ...]:
        self._end_turn()
        return tuple(self._messages)

    def add(self, item: Item, field: str) -> None:
        match item["type"]:
            case "message":
                self._add_message(item, field)
            case "reasoning":
                if text := _reasoning(item):
                    self._say([ReasoningPart(text)], not_after=(TextPart, ToolCallPart))
            case "function_call":
                self._call(item, _text(item, "arguments", field) or "{}", field)
            case "custom_tool_call":
                self._call(item, arguments_of(_text(item, "input", field)), field)
            case "function_call_output" | "custom_tool_call_output":
                self._add_result(item, field)

    def _add_message(self, item: Item, field: str) -> None:
        role = _ROLES[item["role"]]
        parts = [_part(part, f"{field}.content[{index}]") for index, part in enumerate(item["content"])]
        if role == "assistant":
            self._say(parts, not_after=(TextPart, ToolCallPart))
            return
        self._end_turn()
        self._messages.append(Message(role, tuple(parts)))

    def _call(self, item: Item, arguments: str, field: str) -> None:
        call_id, name = _text(item, "call_id", field), _text(item, "name", field)
        self._names[call_id] = name
        self._say([ToolCallPart(call_id, name, arguments)], not_after=())

    def _add_result(self, item: Item, field: str) -> None:
        call_id = _text(item, "call_id", field)
        if call_id not in self._names:
            raise BadRequest(
                f"Nothing in the conversation called a tool as {call_id[:100]!r}.",
                "Send the call before its output, or continue the response that has it.",
                field=f"{field}.call_id",
            )
        self._end_turn()
        result = ToolResultPart(call_id, self._names[call_id], _output(item.get("output"), f"{field}.output"))
        self._messages.append(Message("tool", (result,)))

    def _say(self, parts: Sequence[Part], *, not_after: tuple[type, ...]) -> None:
        if any(isinstance(part, not_after) for part in self._turn):
            self._end_turn()
        self._turn += parts

    def _end_turn(self) -> None:
        if self._turn:
            self._messages.append(Message("assistant", tuple(self._turn)))
            self._turn = []


def _complete(item: Item, field: str) -> Item:
    kind = item.get("type") or ("message" if "role" in item else "")
    if not isinstance(kind, str) or kind not in _ID_KINDS:
        raise BadRequest(
            f"{field} is an item of the type {str(kind)[:40]!r}, which is not known here.",
            f"Known are {', '.join(_ID_KINDS)}.",
            field=f"{field}.type",
        )
    identifier = item.get("id")
    if not isinstance(identifier, str) or not identifier:
        if kind == "item_reference":
            raise BadRequest(f"{field} refers to no item.", "Give its id.", field=f"{field}.id")
        identifier = new_id(_ID_KINDS[kind])
    complete = {**item, "type": kind, "id": identifier}
    if kind == "message":
        complete |= _message(item, field)
    if kind not in ("reasoning", "item_reference"):
        complete["status"] = item.get("status") or "completed"
    return complete


def _message(item: Item, field: str) -> Item:
    role, content = item.get("role"), item.get("content")
    if not isinstance(role, str) or role not in _ROLES:
        raise BadRequest(
            f"There is no role {str(role)[:40]!r}.", f"Choose among {', '.join(_ROLES)}.", field=f"{field}.role"
        )
    if isinstance(content, str):
        said = {"type": "output_text", "text": content, "annotations": []}
        content = [said if role == "assistant" else {"type": "input_text", "text": content}]
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise BadRequest(f"{field} has no content.", "Send a text or a list of parts.", field=f"{field}.content")
    return {"role": role, "content": content}


def _part(part: Item, field: str) -> Part:
    match part.get("type"):
        case "input_text" | "output_text" | "text":
            return TextPart(_text(part, "text", field))
        case "refusal":
            return TextPart(_text(part, "refusal", field))
        case "input_image" if isinstance(part.get("image_url"), str):
            return image_from_url(part["image_url"], f"{field}.image_url")
        case "input_image":
            raise BadRequest(
                "No files are kept here, so that an image comes in its message.",
                'Send "image_url": "data:image/png;base64,…".',
                field=f"{field}.image_url",
            )
    raise BadRequest(
        f"{field} has the type {str(part.get('type'))[:40]!r}, which no model here takes.",
        "Send input_text and input_image parts.",
        field=f"{field}.type",
    )


def _output(output: Any, field: str) -> str:
    """What a tool answered, as text."""
    if isinstance(output, str):
        return output
    if not isinstance(output, list):
        raise BadRequest(f"{field} is not a text.", "Send what the tool answered.", field=field)
    texts = []
    for index, part in enumerate(output):
        if not isinstance(part, dict) or part.get("type") not in ("input_text", "output_text", "text"):
            raise BadRequest(
                "Tools can only answer with text here.", "Send input_text parts.", field=f"{field}[{index}].type"
            )
        texts.append(_text(part, "text", f"{field}[{index}]"))
    return "".join(texts)


def _reasoning(item: Item) -> str:
    """What was thought: as it is, out of the seal, or at least its summary."""
    return _texts(item.get("content")) or _unsealed(item.get("encrypted_content")) or _texts(item.get("summary"))


def _texts(parts: Any) -> str:
    if not isinstance(parts, list):
        return ""
    return "\n\n".join(str(part["text"]) for part in parts if isinstance(part, dict) and part.get("text"))


def _unsealed(content: Any) -> str:
    if not isinstance(content, str) or not content.startswith(_SEAL):
        return ""  # other servers' seals cannot be opened
    try:
        return base64.b64decode(content.removeprefix(_SEAL), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _text(item: Item, key: str, field: str) -> str:
    value = item.get(key)
    if not isinstance(value, str):
        raise BadRequest(f"{field}.{key} is not a text.", "Send a string.", field=f"{field}.{key}")
    return value
