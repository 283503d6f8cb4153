"""A server on this machine that speaks OpenAI's wire format as a test tells it, faults and all.

It is written on bare sockets, so that a test decides every byte and the moment in which it leaves.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

_TLS_HANDSHAKE = b"\x16\x03"
"""What a client begins with that believes in TLS. Servers of plain HTTP answer that they do not understand."""

PATIENCE = 20.0
"""Seconds after which a test that waits for something has failed."""


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """The server's end of one connection, after a request has come in."""

    def __init__(self, plug: socket.socket) -> None:
        self._plug = plug

    def raw(self, data: bytes) -> None:
        """Send bytes as they are. A client that has gone is no matter."""
        with suppress(OSError):
            self._plug.sendall(data)

    def head(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """The status line and headers of a response."""
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in (headers or {}).items())]
        self.raw("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")

    def whole(self, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """A complete response: bytes, or something to send as JSON."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.head(status, {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})})
        self.raw(body)

    def begin_stream(self, headers: Mapping[str, str] | None = None) -> None:
        """The head of a chunked event stream."""
        self.head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", **(headers or {})})

    def chunk(self, data: bytes) -> None:
        """One chunk of a chunked body."""
        self.raw(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def event(self, value: Any) -> None:
        """One server-sent event: text as it is, anything else as JSON."""
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        self.chunk(f"data: {text}\n\n".encode())

    def end_stream(self) -> None:
        """The end of a chunked body."""
        self.raw(b"0\r\n\r\n")

    def reset(self) -> None:
        """Break the connection as a machine that falls over does."""
        with suppress(OSError):
            self._plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._plug.close()

    def gone(self) -> bool:
        """Wait until the client has closed the connection; false if it does not."""
        self._plug.settimeout(PATIENCE)
        try:
            return self._plug.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True


Handler = Callable[[Connection, Received], None]


@dataclass
class Stub:
    """The server, as a test sees it."""

    listener: socket.socket
    context: ssl.SSLContext | None = None
    requests: list[Received] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)
    """What answers each path."""
    _connections: list[socket.socket] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @property
    def url(self) -> str:
        scheme = "https" if self.context else "http"
        return f"{scheme}://127.0.0.1:{self.port}/v1"

    def on_chat(self, handler: Handler) -> None:
        """Let chat completions be answered so."""
        self.handlers["/v1/chat/completions"] = handler

    def on_models(self, handler: Handler) -> None:
        """Let lists of models be answered so."""
        self.handlers["/v1/models"] = handler

    def serve_models(self, *ids: str) -> None:
        """Have these models."""
        value = {"object": "list", "data": [{"id": name, "object": "model", "owned_by": "stub"} for name in ids]}
        self.on_models(lambda connection, _request: connection.whole(value))

    def serve_answer(self, *chunks: Any) -> None:
        """Stream these chunks, then the end."""
        self.on_chat(streaming(*chunks, "[DONE]"))

    def run(self) -> None:
        while True:
            try:
                plug, _ = self.listener.accept()
            except OSError:
                return
            self._connections.append(plug)
            threading.Thread(target=self._serve, args=(plug,), daemon=True).start()

    def _serve(self, plug: socket.socket) -> None:
        with suppress(OSError):
            if self.context is not None:
                plug = self.context.wrap_socket(plug, server_side=True)
            with plug:
                while (request := read_request(plug)) is not None:
                    self.requests.append(request)
                    handler = self.handlers.get(request.path, not_found)
                    handler(Connection(plug), request)

    def close(self) -> None:
        for plug in (self.listener, *self._connections):
            with suppress(OSError):
                plug.shutdown(socket.SHUT_RDWR)
            plug.close()


@contextmanager
def openai_stub(context: ssl.SSLContext | None = None) -> Iterator[Stub]:
    """A stub on a free port."""
    stub = Stub(socket.create_server(("127.0.0.1", 0)), context)
    threading.Thread(target=stub.run, daemon=True).start()
    try:
        yield stub
    finally:
        stub.close()


def read_request(plug: socket.socket) -> Received | None:
    """The next request on a connection; `None` when the client has closed it."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = plug.recv(65536)
        if not piece:
            return None
        data += piece
        if data.startswith(_TLS_HANDSHAKE):
            plug.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            return None
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += plug.recv(65536)
    return Received(method, path, headers, body)


def streaming(*chunks: Any, headers: Mapping[str, str] | None = None) -> Handler:
    """Answers with an event for each chunk, and an end as it should be."""

    def handler(connection: Connection, _request: Received) -> None:
        connection.begin_stream(headers)
        for chunk in chunks:
            connection.event(chunk)
        connection.end_stream()

    return handler


def refusing(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Handler:
    """Answers with a status and a body."""
    return lambda connection, _request: connection.whole(value, status, headers)


def not_found(connection: Connection, _request: Received) -> None:
    """What a path that nobody serves answers."""
    connection.whole({"error": {"message": "no such path", "type": "invalid_request_error"}}, 404)


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    """A chunk of an answer."""
    return chunk_of([{"index": 0, "delta": fields, "finish_reason": finish}])


def chunk_of(choices: Sequence[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """A chunk with these choices."""
    return {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": list(choices), **fields}


def usage(prompt: int, completion: int, **fields: Any) -> dict[str, Any]:
    """The chunk that comes last where usage was asked for."""
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return chunk_of([], usage={**counts, **fields})
