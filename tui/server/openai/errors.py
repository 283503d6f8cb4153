"""Errors as OpenAI's clients read them (https://platform.openai.com/docs/guides/error-codes)."""

from __future__ import annotations

from typing import Any

from tui.domain import BadRequest, ContextExceeded, LmdeckError
from tui.server.dialects import told

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "invalid_request_error",
    409: "conflict_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
}


def error_body(error: LmdeckError, status: int) -> dict[str, Any]:
    """The JSON object around an error."""
    field = error.field if isinstance(error, BadRequest) else "messages" if isinstance(error, ContextExceeded) else None
    return {
        "error": {
            "message": told(error),
            "type": _TYPES.get(status, "server_error"),
            "param": (field or "").removeprefix("sampling.") or None,
            "code": "invalid_api_key" if status == 401 else error.code,
        }
    }
