"""HTTP for a thread of its own: a client for one exchange, and an event loop that can be left at any moment."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from tui.domain import RemoteEndpoint, RemoteFailed

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may keep us waiting. Seconds."""

    connect: float = 10.0
    silence: float = 600.0
    """Without a single byte. Reading a long prompt on a small machine takes minutes, in which nothing comes."""
    ending: float = 5.0
    """Between the end of an answer and the end of its stream, which brings nothing but the figures."""


MOST_PENDING = 16 * 1024 * 1024
"""Bytes that may come without a complete event, or as one body. More is not an answer, and must not fill the memory."""


# Seconds for connections to be closed behind a task that has ended.
_CLEANING = 1.0


class LeavableLoop(asyncio.SelectorEventLoop):
    """An event loop in which nothing keeps a cancelled task, or the end of the program, waiting.

    Names are looked up in a daemon thread. The usual executor's threads are waited for when Python ends, which takes
    half a minute with a name server that does not answer.
    """

    async def getaddrinfo(self, host: Any, port: Any, **hints: Any) -> Any:
        found: asyncio.Future[Any] = self.create_future()

        def settle(result: Any, problem: BaseException | None) -> None:
            if found.done():
                return
            if problem is None:
                found.set_result(result)
            else:
                found.set_exception(problem)

        def look_up() -> None:
            result, problem = None, None
            try:
                result = socket.getaddrinfo(host, port, **hints)
            except (OSError, UnicodeError) as refused:
                problem = refused
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self.call_soon_threadsafe(settle, result, problem)

        threading.Thread(target=look_up, name="lmdeck-name-lookup", daemon=True).start()
        return await found

    def wind_up(self) -> None:
        """Let what was left behind clean up after itself, and close. Called where nothing runs any more."""
        left = asyncio.all_tasks(self)
        if left:
            self.run_until_complete(asyncio.wait(left, timeout=_CLEANING))
        self.run_until_complete(self.shutdown_asyncgens())
        self.close()


def run_alone(work: Coroutine[Any, Any, Result]) -> Result:
    """Run some asynchronous work to its end in this thread."""
    loop = LeavableLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.wind_up()


def open_client(endpoint: RemoteEndpoint, patience: Patience) -> httpx.AsyncClient:
    """A client for one exchange. A fresh connection each time can be closed at once, and is never a stale one.

    Raises RemoteFailed where what the environment says about proxies and certificates cannot be used.
    """
    headers = {"User-Agent": "lmdeck", "Accept-Encoding": "identity"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    try:
        verify = httpx.create_ssl_context() if endpoint.url.startswith("https:") else False
    except OSError as problem:
        raise RemoteFailed(
            f"The certificates to trust cannot be read: {problem.strerror or problem}.",
            "Correct or unset SSL_CERT_FILE and SSL_CERT_DIR.",
        ) from problem
    try:
        return httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(patience.silence, connect=patience.connect),
            # Redirects are reported, not followed: the key is for the address that it was given for.
            follow_redirects=False,
            # A proxy that the environment names cannot reach this machine's own ports.
            trust_env=not _is_this_machine(endpoint.url),
            verify=verify,
        )
    except (ImportError, ValueError, httpx.InvalidURL) as problem:
        raise RemoteFailed(
            f"The proxy that the environment names cannot be used: {problem}.",
            "Correct or unset HTTP_PROXY, HTTPS_PROXY and ALL_PROXY.",
        ) from problem


class PendingBody(httpx.AsyncByteStream):
    """A body that can be looked back at: what came since its reader last emptied `pending`.

    Raises RemoteFailed where that grows beyond all measure.
    """

    def __init__(self, response: httpx.Response) -> None:
        self.pending = bytearray()
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._stream = response.stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self.pending += piece
            if len(self.pending) > MOST_PENDING:
                raise RemoteFailed("The server sends far more than an answer could have.", "Is its address right?")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


async def read_body(response: httpx.Response) -> bytes:
    """A whole body. Raises RemoteFailed where it does not end."""
    response.stream = PendingBody(response)
    return await response.aread()


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
