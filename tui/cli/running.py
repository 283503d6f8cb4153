"""Asking the lmdeck that runs already: which one it is, and what it answers."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from tui.domain import BadRequest, Busy, EngineFault, LmdeckError, ModelNotFound, ModelWillNotFit
from tui.paths import Paths, find_paths
from tui.presence import Presence, present_servers

_KINDS: dict[str, type[ModelNotFound] | type[ModelWillNotFit]] = {
    "model_not_found": ModelNotFound,
    "model_will_not_fit": ModelWillNotFit,
}


def running_server(paths: Paths) -> Presence:
    """The lmdeck that holds the models. Raises Busy with what to do where none runs."""
    running = present_servers(paths.servers)
    if not running:
        raise Busy(
            "No lmdeck with a server is running, so that nothing could stay loaded.",
            "Start one with `lmdeck server start`, or press F9 in the screen; `lmdeck chat` needs none.",
        )
    return running[0]


def loaded_instances(*, timeout: float | None = None) -> list[dict[str, Any]]:
    """The models in memory of every lmdeck that serves; none where none does. Raises as `ask_server` does."""
    return [
        instance
        for presence in present_servers(find_paths().servers)
        for instance in ask_server(presence, "GET", "/health", timeout=timeout).get("instances", [])
    ]


def ask_server(
    presence: Presence, method: str, path: str, body: dict[str, Any] | None = None, *, timeout: float | None = None
) -> dict[str, Any]:
    """What a server answers to a request; without a `timeout` in seconds waits as long as it takes.

    Raises its error, or EngineFault.
    """
    connection = http.client.HTTPConnection(urlsplit(presence.address).netloc, timeout=timeout)
    headers = {"Authorization": f"Bearer {presence.key}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, ValueError, http.client.HTTPException) as failure:
        raise EngineFault(
            f"The lmdeck at {presence.address} did not answer ({type(failure).__name__}).", "See its log."
        ) from failure
    finally:
        connection.close()
    if response.status >= 400 or not isinstance(answer, dict):
        raise _error(answer)
    return answer


def _error(answer: Any) -> LmdeckError:
    """The server's error as one of ours, so that the exit code is the same as without it."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        return EngineFault(f"The server answered with an error: {str(answer)[:200]}.", "See its log.")
    message = str(error.get("message", "The server refused."))
    kind = next((_KINDS[word] for word in (error.get("code"), error.get("type")) if word in _KINDS), None)
    if kind is not None:
        return kind(message)
    if error.get("param"):
        return BadRequest(message, field=str(error["param"]))
    return EngineFault(message)
