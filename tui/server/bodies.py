"""Reading a request's JSON: bounded in size, depth and time, and errors that name the field."""

from __future__ import annotations

import asyncio
import json
import math
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from tui.domain import BadRequest
from tui.server.dialects import Refused
from tui.server.records import RequestEntry
from tui.server.redaction import redacted

DEEPEST = 100
"""Levels of nesting. The deepest schemas of public APIs have some twenty."""
PATIENCE = 30.0
"""Seconds that a client may take for the next piece of its body."""

# What may be half of a character; one without its other half can be read, but never written again.
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")

Wire = TypeVar("Wire", bound=BaseModel)


async def read_json(request: Request, largest: int) -> dict[str, Any]:
    """The JSON object that a request brings. Raises Refused or BadRequest."""
    raw = await _read(request, largest)
    try:
        value = json.loads(raw, parse_float=_finite, parse_constant=_finite)
        if _HALF_CHARACTER.search(raw):
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as problem:
        reason = "it is nested too deep" if isinstance(problem, RecursionError) else str(problem)
        raise BadRequest(f"The body is not JSON: {reason}.", "Send one JSON object.", field="body") from problem
    if not isinstance(value, dict):
        raise BadRequest("The body is not a JSON object.", 'Send {"model": …}.', field="body")
    _check_depth(value)
    entry: RequestEntry | None = request.scope.get("lmdeck.entry")
    if entry is not None:
        entry.streamed = value.get("stream") is True
        entry.model = str(value.get("model") or "")
        if entry.keeps_texts:
            entry.body = json.dumps(redacted(value), ensure_ascii=False)
    return value


def parsed(kind: type[Wire], value: dict[str, Any]) -> Wire:
    """The value as the wire type says. Raises BadRequest with the path of the first field that is wrong."""
    try:
        return kind.model_validate(value)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        path = field_path(first["loc"])
        message = str(first["msg"]).removeprefix("Value error, ")
        raise BadRequest(
            f"{path or 'The body'}: {message}.".replace("..", "."), "Correct it and ask again.", field=path
        ) from problem


def field_path(location: tuple[int | str, ...]) -> str:
    """Where in a body something is, such as `messages[0].content`."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step.isidentifier() or "-" in step:  # pydantic puts names of union branches in between
            path += f".{step}" if path else step
    return path


async def _read(request: Request, largest: int) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > largest:
        raise _too_large(largest)
    pieces: list[bytes] = []
    size = 0
    stream = request.stream()
    while True:
        try:
            piece = await asyncio.wait_for(anext(stream, None), PATIENCE)
        except TimeoutError:
            raise Refused("The body took too long to arrive.", "Ask again.", status=408) from None
        if piece is None:
            return b"".join(pieces)
        size += len(piece)
        if size > largest:
            raise _too_large(largest)
        pieces.append(piece)


def _finite(text: str) -> float:
    """A number that can be said again: JSON has neither infinity nor NaN."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is no number that JSON has")
    return number


def _too_large(largest: int) -> Refused:
    return Refused(
        f"The body is larger than {largest / 2**20:,.0f} MB.",
        "Send less, such as smaller images, or raise the limit.",
        status=413,
    )


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise BadRequest(f"The body is nested more than {DEEPEST} levels deep.", "Send a flatter one.", field="body")
