"""The form that an answer must have: what the request asks for, and what its choice of tools demands."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from tui.domain import BadRequest, Constraint, GenerationRequest, LazyConstraint, ToolChoice
from tui.formats import OutputFormat, lazy_tool_constraint, tool_constraint

# White space between the parts of JSON: a model that is lost would otherwise make it without end.
_JSON_OPTIONS = {"whitespace_pattern": r"[\x20\x0A\x0D\x09]{1,24}"}
_UNESCAPED_SLASH = re.compile(r"(?<!\\)/")


def form_of(
    request: GenerationRequest, output_format: OutputFormat, reasoning_open: bool
) -> Constraint | LazyConstraint | None:
    """The one constraint of a request; it begins behind the reasoning. Raises BadRequest.

    Where tools may be called and nothing else is asked for, the answer is free, and only what is begun as a call is
    held to be one.

    Where tools may be called and the answer has a form too, the form holds for an answer that is no call. So it says
    nothing where a call is required; clients that want the form of later answers send it then, too.
    """
    choice = request.tool_choice
    if request.constraint is None and choice.mode == "auto":
        return lazy_tool_constraint(
            output_format, request.tools, parallel=choice.parallel, reasoning_open=reasoning_open
        )
    calls = tool_constraint(output_format, request.tools, choice) if request.tools else None
    if request.constraint is None:
        return None if calls is None else _behind_reasoning(calls, output_format, reasoning_open)
    if not request.tools or choice.mode == "none":
        return _behind_reasoning(request.constraint, output_format, reasoning_open)
    if choice.mode == "required" and calls is not None:
        return _behind_reasoning(calls, output_format, reasoning_open)
    if output_format.channels is not None:
        # Calls are messages of their own there, and the form holds for the final one alone.
        return _behind_reasoning(replace(request.constraint, optional=True), output_format, reasoning_open)
    required = ToolChoice("required", parallel=choice.parallel)
    calls = tool_constraint(output_format, request.tools, required)
    if calls is None:
        return _behind_reasoning(request.constraint, output_format, reasoning_open)
    return _behind_reasoning(_either(calls, request.constraint), output_format, reasoning_open)


def _either(calls: Constraint, answer: Constraint) -> Constraint:
    """Calls by their grammar, or an answer in its form."""
    match answer.kind:
        case "json_schema" | "json_object":
            schema = _schema(answer)
            rule = f"%json {json.dumps({**schema, 'x-guidance': _JSON_OPTIONS})}"
        case "regex":
            rule = "/" + _UNESCAPED_SLASH.sub(lambda _: "\\/", answer.source) + "/"
        case _:
            raise BadRequest(
                "A grammar for the answer leaves no room for calls of tools.",
                "Put the calls into the grammar and leave the tools out, or use a JSON schema.",
                field="tools",
            )
    start, _, rules = calls.source.partition("\n")
    source = f"start: any_calls | answer_form\nany_calls: {start.removeprefix('start: ')}\nanswer_form: {rule}\n{rules}"
    return Constraint("lark", source)


def _schema(answer: Constraint) -> dict[str, Any]:
    try:
        schema = json.loads(answer.source) if answer.kind == "json_schema" else {"type": "object"}
    except ValueError as problem:
        raise BadRequest(
            f"The JSON schema cannot be used: it is not JSON ({problem}).", "Correct it.", field="constraint"
        ) from problem
    if schema is True:
        return {}
    if not isinstance(schema, dict):
        raise BadRequest("The JSON schema cannot be used: it must be an object.", "Correct it.", field="constraint")
    return schema


def _behind_reasoning(constraint: Constraint, output_format: OutputFormat, reasoning_open: bool) -> Constraint:
    """The constraint for the answer alone, which begins when the model has done thinking."""
    start = output_format.answer_start(reasoning_open)
    if constraint.after:
        return replace(constraint, opening="") if reasoning_open else constraint
    if start is None:
        return constraint
    after, opening = start
    return replace(constraint, after=after, opening=opening)
