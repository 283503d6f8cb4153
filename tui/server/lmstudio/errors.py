"""Errors as LM Studio's clients read them, and bodies that are taken as strictly as LM Studio takes them."""

from __future__ import annotations

import re
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from tui.domain import BadRequest, ContextExceeded, LmdeckError, ModelNotFound
from tui.server.bodies import field_path
from tui.server.dialects import Refused, told

ErrorType = Literal[
    "invalid_request",
    "unknown",
    "mcp_connection_error",
    "plugin_connection_error",
    "not_implemented",
    "model_not_found",
    "job_not_found",
    "internal_error",
]

Wire = TypeVar("Wire", bound=BaseModel)

# LM Studio checks bodies with zod 3, so these are that library's words.
_CODES = {
    "missing": "missing_required_parameter",
    "extra_forbidden": "unrecognized_keys",
    "literal_error": "invalid_enum_value",
    "enum": "invalid_enum_value",
    "unknown_kind": "invalid_union_discriminator",
    "too_short": "too_small",
    "string_too_short": "too_small",
    "greater_than": "too_small",
    "greater_than_equal": "too_small",
    "too_long": "too_big",
    "less_than": "too_big",
    "less_than_equal": "too_big",
}

# How the documentation calls what has another name in here.
_DOCUMENTED_NAMES = {
    "max_tokens": "max_output_tokens",
    "evaluation_batch_size": "eval_batch_size",
    "experts_used": "num_experts",
    "offload_kv_cache": "offload_kv_cache_to_gpu",
    "messages": "input",
    "images": "input",
}


class Mistake(BadRequest):
    """A request that LM Studio would refuse too, with the code that it has for that."""

    def __init__(self, message: str, advice: str = "", *, field: str, wire_code: str) -> None:
        super().__init__(message, advice, field=field)
        self.wire_code = wire_code


class NotOffered(Refused):
    """Something that LM Studio does and that cannot be had here; asking again would change nothing."""

    def __init__(self, message: str, advice: str, *, kind: ErrorType, field: str | None = None) -> None:
        super().__init__(message, advice, status=501)
        self.kind = kind
        self.field = field


class JobNotFound(ModelNotFound):
    """No download has the id that was asked for."""

    code = "job_not_found"


def error_body(error: LmdeckError, status: int) -> dict[str, Any]:
    """The JSON object around an error."""
    if isinstance(error, Refused) and status == 404:
        # For paths that do not exist LM Studio has a text where the object is otherwise.
        return {"error": error.message}
    return {"error": error_object(error, status)}


def error_object(error: LmdeckError, status: int) -> dict[str, Any]:
    """`type` and `message`, and `code` and `param` where there is something to say."""
    kind, code, field = _kind(error, status), error.code, getattr(error, "field", None)
    if isinstance(error, Mistake):
        code = error.wire_code
    elif isinstance(error, NotOffered):
        code = error.kind
    elif isinstance(error, ModelNotFound):
        field = "job_id" if isinstance(error, JobNotFound) else "model"
    elif isinstance(error, ContextExceeded):
        field = "input"
    elif type(error) is BadRequest:
        code = "invalid_value"
    if status == 401:
        code = "invalid_api_key"
    found = {"message": _writable(told(error)), "type": kind, "code": code}
    return {**found, "param": _writable(_param(field))} if field else found


def strictly(kind: type[Wire], value: dict[str, Any]) -> Wire:
    """The value as the wire type says. Raises Mistake for the first thing that is wrong, unknown keys included."""
    try:
        return kind.model_validate(value)
    except ValidationError as problem:
        raise _mistake(problem) from problem


def _kind(error: LmdeckError, status: int) -> ErrorType:
    if isinstance(error, NotOffered):
        return error.kind
    if isinstance(error, ModelNotFound):
        return "job_not_found" if isinstance(error, JobNotFound) else "model_not_found"
    return "internal_error" if status >= 500 else "invalid_request"


def _mistake(problem: ValidationError) -> Mistake:
    errors = problem.errors(include_url=False, include_input=False)
    first = errors[0]
    kind, path = str(first["type"]), field_path(first["loc"])
    code = _CODES.get(kind, "invalid_type" if kind.endswith(("_type", "_parsing")) else "invalid_value")
    if kind == "missing":
        return Mistake(f'"{_param(path)}" is required', field=path, wire_code=code)
    if kind == "extra_forbidden":
        place = first["loc"][:-1]
        unknown = [str(other["loc"][-1]) for other in errors if other["type"] == kind and other["loc"][:-1] == place]
        keys = ", ".join(repr(key[:100]) for key in unknown)
        return Mistake(
            f"Unrecognized key(s) in object: {keys}", field=field_path(place) or unknown[0][:100], wire_code=code
        )
    message = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    return Mistake(f"{_param(path) or 'The body'}: {message}.", "Correct it and ask again.", field=path, wire_code=code)


def _writable(text: str) -> str:
    """Without the lone surrogates that a client's JSON may have brought in."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _param(field: str) -> str:
    """A field as LM Studio writes its path: `input.0.type`."""
    name = re.sub(r"\[(\d+)\]", r".\1", field.removeprefix("sampling.").removeprefix("load."))
    first, dot, rest = name.partition(".")
    if first in ("messages", "images"):
        return "input"
    return _DOCUMENTED_NAMES.get(first, first) + dot + rest
