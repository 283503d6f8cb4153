"""The way to the Hub: one event loop in a thread of its own, and one HTTP client for all that goes there.

Callers in other threads wait for what they ask; `close` wakes them all. So a server that sends nothing holds up neither
the screen nor the end of the program.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import ipaddress
import json
import os
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import httpx

from tui import __version__
from tui.domain import Cancelled, HubFailed
from tui.engine.remote import LeavableLoop
from tui.models.hub.failures import nonsense, refused, unreachable

Result = TypeVar("Result")
Value = str | int | float | bool | None
Query = Mapping[str, str | int | bool | Sequence[str]]

MOST_JSON = 32 * 1024 * 1024
"""Bytes of one answer of the interface. A repository with thousands of files has some megabytes."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the Hub may keep us waiting. Seconds."""

    connect: float = 10.0
    silence: float = 20.0
    """Without a single byte."""


class HubConnection:
    """Asks the Hub. Safe to use from any thread; nothing is opened before the first request."""

    def __init__(self, endpoint: str = "", patience: Patience | None = None) -> None:
        """`endpoint` is where the Hub is; by default what `HF_ENDPOINT` says, or huggingface.co."""
        self._endpoint = endpoint.rstrip("/")
        self._patience = patience or Patience()
        self._lock = threading.Lock()
        self._loop: LeavableLoop | None = None
        self._closed = False
        self._client: httpx.AsyncClient | None = None

    @property
    def endpoint(self) -> str:
        """Where the Hub is, without a slash at the end."""
        if not self._endpoint:
            from huggingface_hub import constants

            self._endpoint = (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")
        return self._endpoint

    def start(self, work: Coroutine[Any, Any, Result]) -> concurrent.futures.Future[Result]:
        """Begin some work on the connection's own loop. Raises Cancelled when it is closed."""
        with self._lock:
            if self._closed:
                work.close()
                raise Cancelled("The connection to the Hub was closed.")
            if self._loop is None:
                self._loop = LeavableLoop()
                threading.Thread(target=self._serve, args=(self._loop,), name="lmdeck-hub", daemon=True).start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do some work on the connection's loop and wait for it. Raises what it raises, Cancelled when closed."""
        try:
            return self.start(work).result()
        except concurrent.futures.CancelledError as gone:
            raise Cancelled("The connection to the Hub was closed.") from gone

    def close(self) -> None:
        """Stop all work. Who waits for it gets Cancelled."""
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)

    def file_url(self, repository: str, revision: str, path: str) -> str:
        """Where the bytes of a file are."""
        return f"{self.endpoint}/{quote(repository)}/resolve/{quote(revision, safe='')}/{quote(path)}"

    async def json(self, address: str, query: Query | None = None, *, repository: str = "") -> tuple[Any, str]:
        """An answer of the interface, and where the next page of it is; an empty text where there is none.

        `address` is a path, or the whole address of a next page. Raises HubFailed.
        """
        url = urljoin(f"{self.endpoint}/", address)
        async with self.opened(url, query, repository=repository) as response:
            body = await self._body(response, MOST_JSON)
            following = response.links.get("next", {}).get("url", "")
        try:
            value = json.loads(body)
        except (ValueError, RecursionError) as problem:
            raise nonsense(self.endpoint, "what should be JSON is not") from problem
        following = self._here(urljoin(url, following)) if following else ""
        if following and _origin(following) != _origin(self.endpoint):
            raise nonsense(self.endpoint, "the next page of its list is on another machine")
        return value, following

    async def text(self, repository: str, revision: str, path: str, most: int) -> str:
        """The beginning of a text file, at most `most` bytes of it. Raises HubFailed."""
        url = self.file_url(repository, revision, path)
        async with self.opened(url, repository=repository, file=path) as response:
            body = await self._body(response, most, cut=True)
        return body.decode("utf-8", errors="replace")

    async def piece(self, repository: str, revision: str, path: str, start: int, stop: int) -> bytes:
        """The bytes of a file from `start` to before `stop`, or to its end. Raises HubFailed."""
        url = self.file_url(repository, revision, path)
        wanted = {"Range": f"bytes={start}-{stop - 1}"}
        async with self.opened(url, headers=wanted, repository=repository, file=path) as response:
            if response.status_code != 206 and start:
                raise nonsense(self.endpoint, "it does not serve parts of files")
            return await self._body(response, stop - start, cut=True)

    @asynccontextmanager
    async def opened(
        self,
        url: str,
        query: Query | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        repository: str = "",
        file: str = "",
    ) -> AsyncIterator[httpx.Response]:
        """An answer whose body has not been read yet. Raises HubFailed for every status that is not a success.

        Problems while the body is read are also told as HubFailed.
        """
        client = self._ready_client()
        try:
            async with client.stream(
                "GET", url, params=_flat(query) or None, headers={**self._own_headers(), **(headers or {})}
            ) as response:
                if response.status_code >= 400:
                    raise refused(response, self.endpoint, repository, file)
                yield response
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as problem:
            raise unreachable(problem, self.endpoint) from problem

    def _here(self, url: str) -> str:
        """An address as it is here: mirrors pass on the Hub's own."""
        from huggingface_hub.utils._http import fix_hf_endpoint_in_url

        return fix_hf_endpoint_in_url(url, self.endpoint)

    async def _body(self, response: httpx.Response, most: int, *, cut: bool = False) -> bytes:
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > most:
                if cut:
                    return bytes(body[:most])
                raise nonsense(self.endpoint, "its answer does not end")
        return bytes(body)

    def _own_headers(self) -> dict[str, str]:
        """Who we are, and the token of who is logged in: asked each time, so that a login counts at once."""
        from huggingface_hub import constants
        from huggingface_hub.utils._headers import build_hf_headers

        if constants.is_offline_mode():
            raise HubFailed(
                "The Hub may not be asked: HF_HUB_OFFLINE is set.", "Unset it to search and download.", lasting=True
            )
        try:
            headers = build_hf_headers(library_name="lmdeck", library_version=__version__)
        except (OSError, ValueError) as problem:
            raise HubFailed(
                f"The stored login of the Hub cannot be used: {problem}.", "Log in again with `hf auth login`."
            ) from problem
        # The bytes are checked against sizes and checksums of what lies on the Hub, not of a packed form of it.
        return {**headers, "Accept-Encoding": "identity"}

    def _ready_client(self) -> httpx.AsyncClient:
        if self._client is None:
            try:
                self._client = httpx.AsyncClient(
                    follow_redirects=True,
                    timeout=httpx.Timeout(self._patience.silence, connect=self._patience.connect, pool=None),
                    limits=httpx.Limits(max_connections=None),
                    # A proxy that the environment names cannot reach this machine's own ports.
                    trust_env=not _is_this_machine(self.endpoint),
                )
            except (ImportError, OSError, ValueError, httpx.InvalidURL) as problem:
                raise HubFailed(
                    f"What the environment says about proxies or certificates cannot be used: {problem}.",
                    "Correct or unset HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR.",
                    lasting=True,
                ) from problem
        return self._client

    def _serve(self, loop: LeavableLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            if self._client is not None:
                loop.create_task(self._client.aclose())
            loop.wind_up()


def _flat(query: Query | None) -> list[tuple[str, Value]]:
    """A query with lists as repeated names, as the Hub's interface wants them."""
    return [
        (name, str(one).lower() if isinstance(one, bool) else one)
        for name, value in (query or {}).items()
        for one in ([value] if isinstance(value, str | int) else value)
    ]


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
