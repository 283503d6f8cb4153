"""What a model is given of a thread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tui.domain import BadRequest, FilePart, Message, TextPart, text_message
from tui.threads.records import StoredMessage


def messages_to_send(branch: Iterable[StoredMessage], system_prompt: str | None = None) -> tuple[Message, ...]:
    """The messages of a branch as a model reads them: a system prompt in front, no notes, files as text.

    Answers that have no word are left out: a failed one says nothing, and two questions in a row are clearer than a
    silence between them.
    """
    messages = [
        with_files_as_text(stored.message)
        for stored in branch
        if stored.kind == "message" and (stored.message.role != "assistant" or stored.message.parts)
    ]
    if system_prompt:
        messages.insert(0, text_message("system", system_prompt))
    return tuple(messages)


def check_continuable(stored: StoredMessage | None) -> StoredMessage:
    """The message, if it is an answer that a model can go on with. Raises BadRequest."""
    if stored is None or stored.message.role != "assistant" or stored.message.tool_calls or stored.kind != "message":
        raise BadRequest(
            "Only an answer of the model that calls no tool can be continued.",
            "Choose one, or ask for a new answer.",
            field="message_id",
        )
    return stored


def with_files_as_text(message: Message) -> Message:
    """The message with its text files as text, each under its name."""
    if not any(isinstance(part, FilePart) for part in message.parts):
        return message
    parts = tuple(TextPart(_text_of(part)) if isinstance(part, FilePart) else part for part in message.parts)
    return replace(message, parts=parts)


def _text_of(part: FilePart) -> str:
    """The file in a fence that nothing in it can end."""
    fence = "```"
    while fence in part.text:
        fence += "`"
    return f"\n{part.name}:\n{fence}\n{part.text}\n{fence}\n"
