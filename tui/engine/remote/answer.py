"""One answer of a remote engine on its way: asks, reads the stream, and stops at once when it shall."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from contextlib import aclosing, suppress
from typing import Any

import httpx
from httpx_sse import EventSource, ServerSentEvent

from tui.domain import EngineFault, Event, Failed, Finished, GenerationRequest, LmdeckError, RemoteEndpoint
from tui.engine.remote.connection import LeavableLoop, Patience, PendingBody, open_client, read_body
from tui.engine.remote.failures import (
    broken_off,
    complaint_from,
    not_an_answer,
    parse_complaint,
    refusal,
    silent,
    stream_refusal,
    unreachable,
)
from tui.engine.remote.payload import chat_payload, without_refused
from tui.engine.remote.reading import AnswerReader

_DONE = "[DONE]"
# How much of a refusal is waited for. Seconds.
_REFUSAL_PATIENCE = 5.0


class RemoteAnswer:
    """An answer that comes over the network, in a thread and an event loop of its own.

    Everything that can go wrong comes as a `Failed` event, after what came before it.
    """

    def __init__(
        self,
        endpoint: RemoteEndpoint,
        model: str,
        request: GenerationRequest,
        *,
        context_length: int = 0,
        patience: Patience | None = None,
    ) -> None:
        """Ask. Raises BadRequest for what cannot be asked of a remote engine; all else comes as an event."""
        self._endpoint = endpoint
        self._model = model
        self._request = request
        self._patience = patience or Patience()
        self._payload = chat_payload(model, request)
        self._reader = AnswerReader(endpoint, max_tokens=request.sampling.max_tokens, context_length=context_length)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._loop = LeavableLoop()
        self._task = self._loop.create_task(self._answer())
        threading.Thread(target=self._run, name="lmdeck-remote-answer", daemon=True).start()

    def take(self, timeout: float) -> list[Event]:
        """What came since the last take, waiting up to `timeout` seconds for something."""
        events: list[Event] = []
        with suppress(queue.Empty):
            events.append(self._events.get(timeout=timeout))
            while True:
                events.append(self._events.get_nowait())
        return events

    def cancel(self) -> None:
        """Close the connection, in whatever state it is. What came so far stays; safe from any thread, any time."""
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._task.cancel)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._task)
        except BaseException as problem:
            # Whoever reads waits for an end, and must get one.
            self._put(Failed(_defect(problem)))
        finally:
            self._loop.wind_up()

    def _put(self, *events: Event) -> None:
        for event in events:
            self._events.put(event)

    async def _answer(self) -> None:
        try:
            await self._ask()
            self._put(*self._reader.end())
        except asyncio.CancelledError:
            self._put(Finished(self._reader.stats("userStopped")))
        except LmdeckError as problem:
            self._fail(problem)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.InvalidURL) as problem:
            self._fail(unreachable(self._endpoint, problem))
        except httpx.TimeoutException:
            self._fail(silent(self._endpoint, self._patience.silence))
        except httpx.HTTPError:
            self._fail(broken_off(self._endpoint, begun=self._reader.begun))
        except Exception as problem:
            self._fail(_defect(problem))

    def _fail(self, problem: LmdeckError) -> None:
        self._put(Failed(problem, self._reader.stats("failed")))

    async def _ask(self) -> None:
        """Send the request, if need be again without what the server refuses and nobody asked for."""
        payload = self._payload
        url = f"{self._endpoint.url}/chat/completions"
        headers = {"Accept": "text/event-stream", "Content-Type": "application/json"}
        async with open_client(self._endpoint, self._patience) as client:
            while True:
                # Escaped, because text that is no valid Unicode can be written in no other way.
                body = json.dumps(payload).encode("ascii")
                async with client.stream("POST", url, content=body, headers=headers) as response:
                    if response.is_success:
                        return await self._read(response)
                    complaint = parse_complaint(await _refusal_body(response))
                smaller = None
                if response.status_code in (400, 422):
                    smaller = without_refused(payload, complaint.field, self._request.sampling)
                if smaller is None:
                    raise refusal(self._endpoint, response.status_code, complaint, response.headers, self._model)
                payload = smaller

    async def _read(self, response: httpx.Response) -> None:
        """Read the stream to its end. Raises LmdeckError or httpx's errors where that comes too early."""
        body = response.stream = PendingBody(response)
        # Servers that stream do not always say so, and event streams are UTF-8 whatever they say.
        response.headers["content-type"] = "text/event-stream"
        response.encoding = "utf-8"
        streamed = False
        try:
            async with aclosing(EventSource(response).aiter_sse()) as stream, asyncio.timeout(None) as limit:
                async for event in stream:
                    streamed = True
                    body.pending.clear()
                    if event.data.strip() == _DONE:
                        return
                    if event.data:
                        self._put(*self._reader.read(self._decoded(event)))
                    if self._reader.reason is not None and limit.when() is None:
                        limit.reschedule(self._loop.time() + self._patience.ending)
        except (httpx.TransportError, TimeoutError):
            if self._reader.reason is None:
                raise
        if not streamed:
            self._read_whole(bytes(body.pending))
        if self._reader.reason is None:
            raise broken_off(self._endpoint, begun=self._reader.begun)

    def _decoded(self, event: ServerSentEvent) -> Any:
        try:
            value = json.loads(event.data)
        except (ValueError, RecursionError) as damage:
            if event.event == "error":
                raise stream_refusal(self._endpoint, complaint_from(event.data)) from damage
            raise not_an_answer(self._endpoint, event.data, begun=self._reader.begun) from damage
        if event.event == "error":
            raise stream_refusal(self._endpoint, complaint_from(value))
        return value

    def _read_whole(self, body: bytes) -> None:
        """Read the answer of a server that does not stream."""
        try:
            value = json.loads(body)
        except (ValueError, RecursionError) as damage:
            sample = body[:400].decode("utf-8", "replace")
            raise not_an_answer(self._endpoint, sample, begun=False) from damage
        self._put(*self._reader.read(value))
        if self._reader.reason is None:
            raise not_an_answer(self._endpoint, json.dumps(value), begun=self._reader.begun)


async def _refusal_body(response: httpx.Response) -> bytes:
    """What the server says to its refusal, as far as it says it soon."""
    try:
        async with asyncio.timeout(_REFUSAL_PATIENCE):
            return await read_body(response)
    except (httpx.TransportError, TimeoutError, LmdeckError):
        return b""


def _defect(problem: BaseException) -> EngineFault:
    return EngineFault(f"Something went wrong inside lmdeck: {problem!r}", "Please report it.")
