"""Calling tools in plain text, for models whose template knows nothing of tools.

The model is told of the tools in the system message and asks for one by `[TOOL_REQUEST]…[END_TOOL_REQUEST]`, which
is LM Studio's form. Earlier calls and results are told in the same words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from tui.domain import Message, TextPart, Tool, ToolCallPart, ToolResultPart
from tui.formats.conversation import add_system_text
from tui.formats.dialect import function_of, object_of

WriteCalls = Callable[[Sequence[ToolCallPart]], str]
"""Writes the calls of one message as text."""

REQUEST_TAGS: Final = ("[TOOL_REQUEST]", "[END_TOOL_REQUEST]")
RESULT_TAGS: Final = ("[TOOL_RESULT]", "[END_TOOL_RESULT]")

_INTRODUCTION: Final = """\
You can use the following tools. Each line describes one as JSON: its name, what it does, and a JSON Schema of its \
arguments.

{tools}

When a tool helps, ask for it on a line of its own in exactly this form:
{request}
Put the tool's own name there, and an object with the arguments that its schema asks for. You may ask for several \
tools, each on its own line. Say nothing after your requests: the results come back to you{result}, and you answer \
with their help. If no tool is needed, just answer."""


def tell_of_tools(messages: Sequence[Message], tools: Sequence[Tool], example: str = "") -> list[Message]:
    """The conversation with the tools explained in its system message.

    `example` is how this model writes a call of `tool_name`, if it has a form of its own.
    """
    lines = "\n".join(json.dumps(function_of(tool, index), ensure_ascii=False) for index, tool in enumerate(tools))
    request = example or _request("tool_name", {"argument": "value"})
    result = "" if example else f" as {_result('tool_name', '…')}"
    return add_system_text(messages, _INTRODUCTION.format(tools=lines, request=request, result=result))


def told_as_text(messages: Sequence[Message]) -> list[Message]:
    """The conversation with every call and every result told as text."""
    return calls_as_text(results_as_text(messages))


def calls_as_text(messages: Sequence[Message], write: WriteCalls | None = None) -> list[Message]:
    """The conversation with every call told in the text of its message, in the words of `write`."""
    return [_with_calls_told(message, write or _write_requests) for message in messages]


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


def _with_calls_told(message: Message, write: WriteCalls) -> Message:
    if not message.tool_calls:
        return message
    others = tuple(part for part in message.parts if not isinstance(part, ToolCallPart))
    return replace(message, parts=(*others, TextPart(("\n" if message.text else "") + write(message.tool_calls))))


def _write_requests(calls: Sequence[ToolCallPart]) -> str:
    return "\n".join(_request(call.name, object_of(call.arguments)) for call in calls)


def _request(name: str, arguments: object) -> str:
    return REQUEST_TAGS[0] + _json({"name": name, "arguments": arguments}) + REQUEST_TAGS[1]


def _result(name: str, content: str) -> str:
    return RESULT_TAGS[0] + _json({"name": name, "content": content}) + RESULT_TAGS[1]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
