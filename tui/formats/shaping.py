"""What a template cannot take, made into something that it can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tui.domain import ImagePart, Message, TextPart, Tool
from tui.formats.call_ids import match_results
from tui.formats.conversation import (
    add_system_text,
    join_same_roles,
    one_call_each,
    system_into_user,
    text_apart_from_calls,
    without_reasoning,
)
from tui.formats.default_tools import calls_as_text, results_as_text, tell_of_tools, told_as_text
from tui.formats.dialect import Dialect
from tui.formats.native_calls import native_writer
from tui.formats.prober import Prober


@dataclass(frozen=True, slots=True)
class Shaped:
    """A conversation as a template takes it."""

    messages: list[Message]
    tools: Sequence[Tool]
    """Those that the template itself tells of."""
    dialect: Dialect
    tools_in_text: bool
    """The model is told to ask for tools by `[TOOL_REQUEST]`, since its template has no form of its own."""


def shape(messages: Sequence[Message], tools: Sequence[Tool], prober: Prober) -> Shaped:
    """The conversation, with one result in each message of a tool, as the template takes it.

    What the conversation does not have is not asked about.
    """
    calls = any(message.tool_calls or message.role == "tool" for message in messages)
    dialect = prober.dialect
    unknown = bool(tools) and prober.tool_dialect is None
    in_text = unknown and not prober.call_example
    if in_text:
        messages = told_as_text(match_results(messages))
    elif calls:
        messages, dialect = _shape_calls(messages, prober)
    elif prober_dialect := (prober.tool_dialect if tools else None):
        dialect = prober_dialect
    if unknown:
        messages = tell_of_tools(messages, tools, prober.call_example)
    elif tools and prober.tools_need_system:
        messages = add_system_text(messages, "", between="")
    if any(message.reasoning for message in messages):
        dialect = replace(dialect, reasoning=prober.reasoning_form or "fields")
    return Shaped(_with_usable_system(messages, prober), () if unknown else tools, dialect, in_text)


def _shape_calls(messages: Sequence[Message], prober: Prober) -> tuple[list[Message], Dialect]:
    support = prober.call_support
    shaped = match_results(messages, support.id_rule)
    if not support.calls:
        writer = native_writer(prober.source)
        # A model that was trained with neither has not seen a result's role either.
        told = calls_as_text(shaped, writer) if writer and support.results else told_as_text(shaped)
        return told, support.dialect
    if not support.parallel:
        shaped = one_call_each(shaped)
    if not support.with_text:
        shaped = text_apart_from_calls(shaped)
    if not support.results:
        shaped = results_as_text(shaped)
    return shaped, support.dialect


def _with_usable_system(messages: Sequence[Message], prober: Prober) -> list[Message]:
    places = [index for index, message in enumerate(messages) if message.role == "system"]
    if places and not prober.takes_system:
        return system_into_user(messages)
    if places and places[-1] > 0 and not prober.takes_later_system:
        return system_into_user(messages, keep_first=True)
    return list(messages)


def gentler(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """What else to try with a template that refuses a conversation: each asks less of it than the one before."""
    joined = join_same_roles(system_into_user(messages, keep_first=True))
    told = join_same_roles(told_as_text(joined))
    tried = [list(messages)]
    for attempt in (joined, without_reasoning(messages), without_reasoning(joined), told, without_reasoning(told)):
        if attempt not in tried:
            tried.append(attempt)
            yield attempt


def defuse_marker(messages: Sequence[Message], marker: str) -> list[Message]:
    """The conversation without texts that would be taken for the place of an image."""
    broken = f"{marker[:1]} {marker[1:]}"
    return [
        replace(
            message,
            parts=tuple(
                TextPart(part.text.replace(marker, broken)) if isinstance(part, TextPart) else part
                for part in message.parts
            ),
        )
        for message in messages
    ]


def count_images(messages: Sequence[Message]) -> int:
    """The images in the conversation."""
    return sum(isinstance(part, ImagePart) for message in messages for part in message.parts)
