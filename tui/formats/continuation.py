"""Prompts that end inside a message which the model shall go on with.

Templates close every message. So the place where it ends is marked, and the prompt is cut there, as Hugging Face's
`continue_final_message` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tui.domain import BadRequest, Message, ReasoningPart, TextPart

_END: Final = "lmdeck-3f9c-end"
_TAG: Final = _END + "\u2029"
"""The space behind it, one that no template writes itself, tells whether the template trims what the message says."""


def check_continuable(messages: Sequence[Message]) -> None:
    """Raise BadRequest unless the last message is an answer that words can be added to."""
    if not messages or messages[-1].role != "assistant" or messages[-1].tool_calls:
        raise BadRequest(
            "Only an answer of the model that calls no tool can be continued.",
            "Let the conversation end with one, or ask for a new answer.",
            field="messages",
        )


def mark_end(messages: Sequence[Message]) -> list[Message]:
    """The conversation with a mark where its last message ends: in its text or, if it has none, in its reasoning."""
    last = messages[-1]
    kind: type[TextPart] | type[ReasoningPart] = TextPart if last.text or not last.reasoning else ReasoningPart
    return [*messages[:-1], replace(last, parts=(*last.parts, kind(_TAG)))]


def cut_at_end(prompt: str) -> str | None:
    """The prompt up to the mark; `None` if the template did not say it."""
    place = prompt.rfind(_END)
    if place < 0:
        return None
    # A template that trims took the message's own spaces as well.
    return prompt[:place] if prompt.startswith(_TAG, place) else prompt[:place].rstrip()
