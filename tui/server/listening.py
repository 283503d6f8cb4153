"""Getting a port to listen on, and saying who has it when it is taken."""

from __future__ import annotations

import errno
import http.client
import json
import socket

from tui.domain import BadRequest, Busy

_PROBE_PATIENCE = 0.5
_BACKLOG = 2048


def listen(bind: str, port: int) -> socket.socket:
    """A socket that listens there. Raises Busy or BadRequest with what can be done."""
    try:
        family, _, _, _, address = socket.getaddrinfo(bind, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as problem:
        raise BadRequest(
            f"{bind!r} is no address of this machine: {problem.strerror or problem}.",
            "127.0.0.1 is this machine only, 0.0.0.0 is every network.",
            field="server.bind",
        ) from problem
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(_BACKLOG)
    except OSError as problem:
        opened.close()
        if problem.errno == errno.EADDRINUSE:
            raise Busy(
                f"Port {port} is taken{_by_whom(bind, port)}.", "Choose another port, or stop what uses it."
            ) from problem
        if problem.errno in (errno.EACCES, errno.EPERM):
            raise BadRequest(
                f"Port {port} is not for ordinary users.", "Choose one above 1023.", field="server.port"
            ) from problem
        raise BadRequest(
            f"The server cannot listen on {bind}:{port}: {problem.strerror or problem}.",
            "Choose another address or port.",
            field="server.bind",
        ) from problem
    return opened


def _by_whom(bind: str, port: int) -> str:
    """Who listens there already, as the end of a sentence, as far as they say."""
    host = "127.0.0.1" if bind in ("0.0.0.0", "::", "") else bind
    if _asked(host, port, "/health").get("lmdeck"):
        return " by another lmdeck"
    if _asked(host, port, "/lmstudio-greeting").get("lmstudio"):
        return " by LM Studio"
    if "version" in _asked(host, port, "/api/version"):
        return " by Ollama"
    return " by another program"


def _asked(host: str, port: int, path: str) -> dict[str, object]:
    connection = http.client.HTTPConnection(host, port, timeout=_PROBE_PATIENCE)
    try:
        connection.request("GET", path)
        answer = json.loads(connection.getresponse().read(4096))
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    finally:
        connection.close()
    return answer if isinstance(answer, dict) else {}
