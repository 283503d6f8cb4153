"""What a dialect is: its name, its paths, its routes, and the shape of its errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.routing import BaseRoute

from tui.domain import (
    BadRequest,
    BadTemplate,
    Busy,
    Cancelled,
    ContextExceeded,
    HubFailed,
    LmdeckError,
    ModelNotFound,
    ModelUnusable,
    ModelWillNotFit,
    RemoteFailed,
    StorageFailed,
)
from tui.server.services import Services

# 4xx wherever asking again would change nothing: client libraries repeat requests after 408, 409, 429 and 5xx.
_STATUS: tuple[tuple[type[LmdeckError], int], ...] = (
    (ModelNotFound, 404),
    (BadRequest, 400),
    (ContextExceeded, 400),
    (ModelUnusable, 422),
    (ModelWillNotFit, 422),
    (BadTemplate, 422),
    (Busy, 409),
    (Cancelled, 499),
    (HubFailed, 502),
    (RemoteFailed, 502),
    (StorageFailed, 507),
)


class Refused(LmdeckError):
    """A request that goes no further, with the HTTP status that says so."""

    code = "refused"

    def __init__(self, message: str, advice: str = "", *, status: int) -> None:
        super().__init__(message, advice)
        self.status = status


@dataclass(frozen=True, slots=True)
class Dialect:
    """One family of clients."""

    name: str
    prefixes: tuple[str, ...]
    """How its paths begin; the dialect with the longest fitting one has the path."""
    routes: Callable[[Services], Sequence[BaseRoute]]
    error_body: Callable[[LmdeckError, int], Any]
    """The JSON value that tells a client of an error with that HTTP status."""


# Two folders and more, but not the paths of a URL.
_PATHS = re.compile(
    r"(?<![\w:/.~])(?!/(?:v1|api)/)~?(?:/[^\s/'\",:;()]+)+/([^\s/'\",:;()]+)"
    r"|\b[A-Za-z]:\\(?:[^\s\\]+\\)+([^\s\\]+)"
)


def told(error: LmdeckError) -> str:
    """What a client is told of an error: everything but where files lie on this machine."""
    return _PATHS.sub(lambda found: found[1] or found[2], str(error))


def status_of(error: LmdeckError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, Refused):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
