"""Conversations brought into a form that a template can take, without losing a word of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tui.domain import Message, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart, text_message


def one_result_each(messages: Sequence[Message]) -> list[Message]:
    """The conversation with a message of its own for every tool result, and `developer` as the system's.

    Results may come several in one message, or in front of what the user says to them; templates know neither.
    """
    changed: list[Message] = []
    for message in messages:
        if str(message.role) == "developer":
            message = replace(message, role="system")
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        if not results:
            changed.append(replace(message, role="user") if message.role == "tool" else message)
            continue
        changed.extend(Message("tool", (part,)) for part in results)
        others = tuple(part for part in message.parts if not isinstance(part, ToolResultPart))
        if any(not isinstance(part, TextPart) or part.text.strip() for part in others):
            changed.append(Message("user" if message.role == "tool" else message.role, others))
    return changed


def system_into_user(messages: Sequence[Message], *, keep_first: bool = False) -> list[Message]:
    """The conversation with the text of system messages in front of the user message that follows them.

    `keep_first` leaves one alone that begins the conversation.
    """
    changed: list[Message] = []
    waiting: list[str] = []
    for index, message in enumerate(messages):
        if message.role == "system" and not (keep_first and index == 0):
            waiting.append(message.text)
        elif message.role == "user" and waiting:
            changed.append(replace(message, parts=(TextPart("\n\n".join([*waiting, ""])), *message.parts)))
            waiting = []
        else:
            changed.append(message)
    if waiting:
        changed.append(text_message("user", "\n\n".join(waiting)))
    return changed


def add_system_text(messages: Sequence[Message], text: str, between: str = "\n\n") -> list[Message]:
    """The conversation with more text in the system message that begins it, or in a new one."""
    if messages and messages[0].role == "system":
        return [replace(messages[0], parts=(*messages[0].parts, TextPart(between + text))), *messages[1:]]
    return [text_message("system", text), *messages]


def join_same_roles(messages: Sequence[Message]) -> list[Message]:
    """The conversation with neighbours of one role made into one message. Results of tools stay apart."""
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1].role == message.role != "tool" and not joined[-1].tool_calls:
            between: tuple[Part, ...] = (TextPart("\n\n"),) if joined[-1].text and message.text else ()
            joined[-1] = replace(joined[-1], parts=(*joined[-1].parts, *between, *message.parts))
        else:
            joined.append(message)
    return joined


def one_call_each(messages: Sequence[Message]) -> list[Message]:
    """The conversation with a message for every call, each followed by its result.

    Needs calls and results to have ids that match.
    """
    results = {call_id: message for message in messages if (call_id := _call_id_of(message))}
    moved: set[str] = set()
    changed: list[Message] = []
    for message in messages:
        calls = message.tool_calls
        if len(calls) > 1:
            others = tuple(part for part in message.parts if not isinstance(part, ToolCallPart))
            for index, call in enumerate(calls):
                changed.append(replace(message, parts=(*others, call) if index == 0 else (call,)))
                if call.id in results:
                    changed.append(results[call.id])
                    moved.add(call.id)
        elif _call_id_of(message) not in moved:
            changed.append(message)
    return changed


def text_apart_from_calls(messages: Sequence[Message]) -> list[Message]:
    """The conversation with what is said before a call in a message of its own."""
    changed: list[Message] = []
    for message in messages:
        if message.tool_calls and message.text:
            said = tuple(part for part in message.parts if not isinstance(part, ToolCallPart))
            changed.append(replace(message, parts=said))
            changed.append(replace(message, parts=message.tool_calls))
        else:
            changed.append(message)
    return changed


def without_reasoning(messages: Sequence[Message]) -> list[Message]:
    """The conversation without what the model thought."""
    return [
        replace(message, parts=tuple(part for part in message.parts if not isinstance(part, ReasoningPart)))
        for message in messages
    ]


def _call_id_of(result: Message) -> str:
    """The call that a message of one result belongs to; empty for other messages."""
    return next((part.call_id for part in result.parts if isinstance(part, ToolResultPart)), "")
