"""Calling tools in plain text, for models whose template knows nothing of tools.

The model is told of the tools in the system message and asks for one by `[TOOL_REQUEST]…[END_TOOL_REQUEST]`, which
is LM Studio's form. Earlier calls and results are told in the same words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tui.domain import Message, Part, TextPart, Tool, ToolCallPart, ToolResultPart
from tui.formats.conversation import add_system_text
from tui.formats.dialect import function_of, object_of

REQUEST_TAGS: Final = ("[TOOL_REQUEST]", "[END_TOOL_REQUEST]")
RESULT_TAGS: Final = ("[TOOL_RESULT]", "[END_TOOL_RESULT]")

_INTRODUCTION: Final = """\
You can use the following tools. Each line describes one as JSON: its name, what it does, and a JSON Schema of its \
arguments.

{tools}

When a tool helps, ask for it on a line of its own in exactly this form:
{request}
Put the tool's own name there, and an object with the arguments that its schema asks for. You may ask for several \
tools, each on its own line. Say nothing after your requests: the results come back to you as
{result}
Then answer with their help. If no tool is needed, just answer."""


def tell_of_tools(messages: Sequence[Message], tools: Sequence[Tool]) -> list[Message]:
    """The conversation with the tools explained in its system message."""
    lines = "\n".join(json.dumps(function_of(tool, index), ensure_ascii=False) for index, tool in enumerate(tools))
    request = _request("tool_name", {"argument": "value"})
    return add_system_text(
        messages, _INTRODUCTION.format(tools=lines, request=request, result=_result("tool_name", "…"))
    )


def calls_as_text(messages: Sequence[Message]) -> list[Message]:
    """The conversation with every call and every result told as text."""
    return [replace(part, parts=_calls_told(part.parts)) for part in results_as_text(messages)]


def results_as_text(messages: Sequence[Message]) -> list[Message]:
    """The conversation with every result told by the user; those of one answer together."""
    changed: list[Message] = []
    follows_result = False
    for message in messages:
        result = next((part for part in message.parts if isinstance(part, ToolResultPart)), None)
        if result is None:
            changed.append(message)
        elif follows_result:
            told = TextPart("\n" + _result(result.name, result.text))
            changed[-1] = replace(changed[-1], parts=(*changed[-1].parts, told))
        else:
            changed.append(Message("user", (TextPart(_result(result.name, result.text)),)))
        follows_result = result is not None
    return changed


def _calls_told(parts: Sequence[Part]) -> tuple[Part, ...]:
    told: list[Part] = []
    for part in parts:
        if isinstance(part, ToolCallPart):
            between = "\n" if any(isinstance(before, TextPart) and before.text for before in told) else ""
            part = TextPart(between + _request(part.name, object_of(part.arguments)))
        told.append(part)
    return tuple(told)


def _request(name: str, arguments: object) -> str:
    return REQUEST_TAGS[0] + _json({"name": name, "arguments": arguments}) + REQUEST_TAGS[1]


def _result(name: str, content: str) -> str:
    return RESULT_TAGS[0] + _json({"name": name, "content": content}) + RESULT_TAGS[1]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
