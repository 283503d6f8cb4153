"""Who may come in: checked for every request before anything else looks at it, and noted in the log.

The server listens on this machine, but so does every web page that its owner opens: a page can send requests to
127.0.0.1, or make its own name point there (DNS rebinding). So names that are not this machine's and pages of other
origins are turned away unless they are allowed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui.domain import LmdeckError, Permission, StorageFailed
from tui.server.dialects import Dialect, Refused, status_of
from tui.server.records import RequestEntry
from tui.server.services import Services

SEND_PATIENCE = 60.0
"""Seconds that a client may leave what it asked for unread."""

_OPEN_PATHS = frozenset({"/lmstudio-greeting"})
_UNLOGGED_PATHS = frozenset({"/lmstudio-greeting", "/lms-status", "/health", "/metrics", "/openapi.json"})


class Gate:
    """The outermost part of the application."""

    def __init__(
        self, application: ASGIApp, services: Services, dialect_of: Callable[[str], Dialect], hostname: str = ""
    ) -> None:
        self._plain = application
        self._open = CORSMiddleware(
            application, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"], expose_headers=["*"]
        )
        self._services = services
        self._dialect_of = dialect_of
        name = (hostname or socket.gethostname()).lower()
        self._names = {"localhost", name, f"{name}.local", name.partition(".")[0]}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or refuse it in the words of its dialect."""
        if scope["type"] != "http":
            await self._plain(scope, receive, send)
            return
        headers, path = Headers(scope=scope), str(scope["path"])
        cors = self._services.options().cors
        if cors and scope["method"] == "OPTIONS":
            await self._open(scope, receive, send)
            return
        entry = self._entry(scope, headers)
        outgoing = _Outgoing(send, entry)
        if path not in _UNLOGGED_PATHS:
            scope["lmdeck.entry"] = entry
            self._services.log.begin(entry)
        try:
            self._check(scope, headers, entry)
            await (self._open if cors else self._plain)(scope, receive, outgoing)
        except LmdeckError as problem:
            await self._refuse(problem, scope, receive, outgoing)
        except TimeoutError:
            entry.ended("cancelled", error="The client did not read its answer.")
        except Exception as problem:
            # A defect of ours ends one request, not the server, and its details stay in here.
            entry.error = f"{type(problem).__name__}: {problem}"
            await self._refuse(
                Refused("Something went wrong inside lmdeck.", "Please report it.", status=500),
                scope,
                receive,
                outgoing,
            )
        finally:
            if entry.goes_on:
                entry.status = outgoing.status
            else:
                self._end(entry, outgoing, logged=path not in _UNLOGGED_PATHS)

    def _entry(self, scope: Scope, headers: Headers) -> RequestEntry:
        address = ":".join(map(str, scope["client"])) if scope.get("client") else "unknown"
        program = headers.get("user-agent", "")[:120]
        entry = RequestEntry(
            method=scope["method"],
            path=str(scope["path"])[:300],
            dialect=self._dialect_of(scope["path"]).name,
            client=f"{address} {program}".strip(),
            token="",
        )
        entry.keeps_texts = self._services.options().log_prompts
        return entry

    def _check(self, scope: Scope, headers: Headers, entry: RequestEntry) -> None:
        options = self._services.options()
        host = headers.get("host", "")
        if not self._is_ours(host_name(host), options.extra_hosts):
            raise Refused(
                f"This server is not called {host_name(host)[:100]!r}.",
                "Use localhost or the machine's address, or add the name to the server's hosts.",
                status=403,
            )
        origin = headers.get("origin")
        if origin is not None and not options.cors and not self._may_come_from(origin, host, options.extra_hosts):
            raise Refused(
                f"Pages of {origin[:100]} may not use this server.", "Turn CORS on to allow other origins.", status=403
            )
        if options.require_tokens and scope["path"] not in _OPEN_PATHS:
            entry.token = self._checked_token(headers, _permission_for(scope))

    def _is_ours(self, name: str, extra: tuple[str, ...]) -> bool:
        # A rebound name is a name: an address cannot be made to point elsewhere.
        if is_address(name) or not name:
            return True
        return name in self._names or name.endswith(".localhost") or name in {other.lower() for other in extra}

    def _may_come_from(self, origin: str, host: str, extra: tuple[str, ...]) -> bool:
        if origin == "null":  # sandboxed frames of any page
            return False
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https"):
            return True  # desktop programs and editor extensions have schemes of their own
        if parts.netloc == host:
            return True
        name = (parts.hostname or "").lower()
        return name == "localhost" or name.endswith(".localhost") or is_loopback(name) or name in extra

    def _checked_token(self, headers: Headers, permission: Permission) -> str:
        kind, _, given = headers.get("authorization", "").partition(" ")
        text = given.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "").strip()
        if not text:
            raise Refused(
                "This server needs an API token.", "Send it as Authorization: Bearer sk-lm-… or x-api-key.", status=401
            )
        try:
            token = self._services.tokens.find(text)
        except StorageFailed as problem:
            raise Refused(problem.message, problem.advice, status=503) from problem
        if token is None:
            raise Refused("This API token is not known here.", "Was it revoked? Make a new one.", status=401)
        if permission not in token.permissions:
            raise Refused(
                f"The API token {token.name!r} may not do this.", f"It needs the permission {permission!r}.", status=403
            )
        return token.name

    async def _refuse(self, problem: LmdeckError, scope: Scope, receive: Receive, outgoing: _Outgoing) -> None:
        entry_error = str(problem)
        if outgoing.entry is not None and not outgoing.entry.error:
            outgoing.entry.error = entry_error
        if outgoing.started:
            return
        status = status_of(problem)
        body = self._dialect_of(scope["path"]).error_body(problem, status)
        headers = {"www-authenticate": "Bearer"} if status == 401 else None
        await JSONResponse(body, status, headers)(scope, receive, outgoing)

    def _end(self, entry: RequestEntry, outgoing: _Outgoing, *, logged: bool) -> None:
        if not outgoing.finished:
            entry.ended("cancelled", status=outgoing.status, error="The client went away.")
        elif outgoing.status >= 400 or entry.error:
            entry.ended("failed", status=outgoing.status)
        else:
            entry.ended("done", status=outgoing.status)
        if logged:
            self._services.log.end(entry)


class _Outgoing:
    """Sends on, notes what was sent, and does not wait for ever for somebody who does not read."""

    def __init__(self, send: Send, entry: RequestEntry) -> None:
        self._send = send
        self.entry = entry
        self.started = self.finished = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.status = True, message["status"]
        async with asyncio.timeout(SEND_PATIENCE):
            await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.finished = True


def host_name(host: str) -> str:
    """The name or address in a Host header, without its port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def is_address(name: str) -> bool:
    """Whether it is an IP address rather than a name."""
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def is_loopback(name: str) -> bool:
    """Whether it is an address of this machine itself."""
    return is_address(name) and ipaddress.ip_address(name.partition("%")[0]).is_loopback


def _permission_for(scope: Scope) -> Permission:
    """What a token must be allowed for a path: changing what is loaded or on disk is more than asking."""
    path: str = scope["path"]
    manages = path.startswith("/api/v1/models/") and scope["method"] == "POST"
    return "models" if manages else "generate"
