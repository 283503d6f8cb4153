"""How one template wants its variables: messages, parts, calls and tools as the dictionaries that it reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tui.domain import BadRequest, ImagePart, Message, ReasoningPart, TextPart, Tool, ToolCallPart, ToolResultPart

ToolForm = Literal["nested", "flat", "text"]
"""A tool as OpenAI's object around the function, as the function alone, or all functions as one JSON text."""

ReasoningForm = Literal["fields", "all_fields", "blocks"]
"""Reasoning under Hugging Face's two names, under `reasoning` as well, or as a block of the content."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The choices that templates differ in. The defaults are Hugging Face's."""

    content_as_parts: bool = False
    """`content` is a list of parts instead of a text."""
    no_tools: tuple[()] | None = None
    """What the variable of the tools is when there are none."""
    tools_variable: str = "tools"
    tool_form: ToolForm = "nested"
    arguments_as_text: bool = False
    """Arguments of calls stay JSON text instead of becoming an object."""
    null_content: bool = False
    """A message of calls alone has the content `none` instead of an empty text."""
    reasoning: ReasoningForm = "fields"
    image_parts: bool = False
    """Images are parts of their own; otherwise their marker stands in the text."""


def message_dictionary(message: Message, dialect: Dialect, image_marker: str) -> dict[str, Any]:
    """One message as the template reads it. A tool's message has one result."""
    result = next((part for part in message.parts if isinstance(part, ToolResultPart)), None)
    if result is not None:
        names = {"tool_call_id": result.call_id, "name": result.name}
        content = _text_content(result.text, dialect)
        return {"role": "tool", "content": content, **{key: name for key, name in names.items() if name}}
    calls = [_call_dictionary(call, dialect) for call in message.tool_calls]
    dictionary: dict[str, Any] = {"role": message.role, "content": _content(message, dialect, image_marker)}
    if calls:
        if dialect.null_content and not message.text:
            dictionary["content"] = None
        dictionary["tool_calls"] = calls
    if message.role == "assistant" and message.reasoning:
        _add_reasoning(dictionary, message.reasoning, dialect)
    return dictionary


def tool_variables(tools: Sequence[Tool], dialect: Dialect) -> dict[str, Any]:
    """The variables that tell a template of the tools."""
    functions = [function_of(tool, index) for index, tool in enumerate(tools)]
    match dialect.tool_form:
        case "text":
            # Firefunction's templates, the only ones that want text, want the date beside it.
            now = datetime.now().strftime("%B %d %Y %H:%M:%S")
            return {dialect.tools_variable: json.dumps(functions, ensure_ascii=False, indent=4), "datetime": now}
        case "flat":
            made: list[dict[str, Any]] = functions
        case "nested":
            made = [{"type": "function", "function": function} for function in functions]
    return {"tools": None, dialect.tools_variable: made or dialect.no_tools}


def object_of(arguments: str) -> dict[str, Any]:
    """The arguments of a call as an object. What is none, such as a call that was cut off, is kept as a text in one."""
    try:
        value = json.loads(arguments or "{}")
    except ValueError:
        value = arguments
    return value if isinstance(value, dict) else {"arguments": value}


def _content(message: Message, dialect: Dialect, image_marker: str) -> Any:
    parts = [part for part in message.parts if isinstance(part, TextPart | ImagePart)]
    if not any(isinstance(part, ImagePart) for part in parts):
        return _text_content(message.text, dialect)
    if not dialect.image_parts:
        return _text_content(
            "".join(part.text if isinstance(part, TextPart) else image_marker for part in parts), dialect
        )
    return [{"type": "text", "text": part.text} if isinstance(part, TextPart) else {"type": "image"} for part in parts]


def _text_content(text: str, dialect: Dialect) -> Any:
    return [{"type": "text", "text": text}] if dialect.content_as_parts else text


def _add_reasoning(dictionary: dict[str, Any], reasoning: str, dialect: Dialect) -> None:
    # Names under which templates look for it; whether it is shown again is theirs to say.
    if dialect.reasoning == "blocks":
        content = dictionary["content"]
        texts = content if isinstance(content, list) else [{"type": "text", "text": content}] if content else []
        dictionary["content"] = [{"type": "thinking", "thinking": reasoning}, *texts]
        return
    dictionary["reasoning_content"] = dictionary["thinking"] = reasoning
    if dialect.reasoning == "all_fields":
        dictionary["reasoning"] = reasoning


def _call_dictionary(call: ToolCallPart, dialect: Dialect) -> dict[str, Any]:
    arguments = (call.arguments or "{}") if dialect.arguments_as_text else object_of(call.arguments)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def function_of(tool: Tool, index: int) -> dict[str, Any]:
    """A tool as an object. BadRequest if its schema is no JSON object; `index` is its place in the request."""
    try:
        parameters = json.loads(tool.parameters or "{}")
        if not isinstance(parameters, dict):
            raise ValueError(f"{tool.parameters[:40]} is not an object")
    except ValueError as error:
        raise BadRequest(
            f"The parameters of the tool {tool.name} are no JSON Schema: {error}.",
            "Give a JSON object that describes them, or leave them out.",
            field=f"tools[{index}].parameters",
        ) from error
    if "type" not in parameters or "properties" not in parameters:
        # Many templates go through the properties without asking whether there are any.
        parameters = {"type": "object", **parameters, "properties": parameters.get("properties", {})}
    return {"name": tool.name, "description": tool.description, "parameters": parameters}


def size_of(message: Message) -> int:
    """Characters of everything in a message."""
    total = 0
    for part in message.parts:
        match part:
            case TextPart(text) | ReasoningPart(text):
                total += len(text)
            case ToolCallPart(_, name, arguments):
                total += len(name) + len(arguments)
            case ToolResultPart(_, name, text):
                total += len(name) + len(text)
            case ImagePart():
                pass
    return total
