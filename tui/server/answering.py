"""The generations that one request sets off, from their start to their end or to the client's going away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import StreamingResponse

from tui.domain import (
    Cancelled,
    ContextTrimmed,
    EngineFault,
    Event,
    Failed,
    GenerationRequest,
    LmdeckError,
    ModelLoading,
    PromptProgress,
    Queued,
)
from tui.inference import Generation
from tui.server.collecting import Collected
from tui.server.records import RequestEntry
from tui.server.redaction import redacted_text
from tui.server.services import Services

FIRST_WORD_PATIENCE = 10.0
"""Seconds after which a stream begins though nothing was said yet, so that clients see that somebody is there."""
KEEP_ALIVE = 15.0
"""Seconds without an event after which a stream says that it is still there; proxies give up after 30 and more."""

_BEFORE_THE_ANSWER = (Queued, ModelLoading, PromptProgress, ContextTrimmed)

Batch = tuple[int, list[Event]]
"""The number of a choice, counted from 0, and what came for it."""

Result = TypeVar("Result")


class Answering:
    """Generations of one request, one for each choice that it wants. Used on the server's event loop."""

    def __init__(self, generations: Sequence[Generation], entry: RequestEntry | None) -> None:
        self._generations = generations
        self._entry = entry
        self._first: list[Batch] = []
        self._news: asyncio.Queue[Batch | None] = asyncio.Queue()
        self._readers = [
            asyncio.ensure_future(self._read(index, generation)) for index, generation in enumerate(generations)
        ]
        self._left = len(generations)

    def cancel(self) -> None:
        """Stop generating; what came already can still be read."""
        for generation in self._generations:
            generation.cancel()

    async def until_it_speaks(self) -> None:
        """Wait until the answer begins, so that what goes wrong before can be told with an HTTP status.

        Raises the LmdeckError that ended it before it began. Gives up waiting after some seconds.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_WORD_PATIENCE):
                while (batch := await self._news.get()) is not None:
                    self._first.append(batch)
                    for event in batch[1]:
                        if isinstance(event, Failed):
                            self.cancel()
                            raise event.error
                    if not all(isinstance(event, _BEFORE_THE_ANSWER) for event in batch[1]):
                        return
                self._news.put_nowait(None)

    async def batches(self) -> AsyncIterator[Batch | None]:
        """Everything that comes, in its order; `None` now and then while nothing does."""
        for batch in self._first:
            yield batch
        self._first.clear()
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE):
                    batch_or_end = await self._news.get()
            except TimeoutError:
                yield None
                continue
            if batch_or_end is None:
                return
            yield batch_or_end

    async def collect(self) -> list[Collected]:
        """Each answer whole. Raises the LmdeckError of the first that failed without saying anything."""
        answers = [Collected() for _ in self._generations]
        async for batch in self.batches():
            if batch is not None:
                answers[batch[0]].add(batch[1])
        for answer in answers:
            if answer.error is not None:
                raise answer.error
            if answer.stats.stop_reason == "modelUnloaded" and not answer.texts and not answer.reasonings:
                raise EngineFault("The model was unloaded while it answered.", "Ask again.")
        return answers

    async def _read(self, index: int, generation: Generation) -> None:
        try:
            async for events in generation.batches():
                if self._entry is not None:
                    if self._entry.keeps_texts and not self._entry.prompt:
                        self._entry.prompt = redacted_text(generation.prompt)
                    self._entry.saw(events)
                self._news.put_nowait((index, events))
        finally:
            self._left -= 1
            if self._left == 0:
                self._news.put_nowait(None)


class Answers:
    """Starts generations for requests, and knows those that run, so that the server can end them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._running: set[Answering] = set()

    async def start(self, requests: Sequence[GenerationRequest], entry: RequestEntry | None) -> Answering:
        """Generate an answer to each of the requests. Raises ModelNotFound."""
        # The catalogue may look at the disk.
        requests = await asyncio.to_thread(lambda: [self._services.with_defaults(request) for request in requests])
        if entry is not None:
            entry.model = requests[0].model
            entry.expects(len(requests))
        generations = [self._services.workbench.generate(request) for request in requests]
        answering = Answering(generations, entry)
        self._running.add(answering)
        return answering

    def ended(self, answering: Answering) -> None:
        """Nobody wants it any more: what still runs is stopped."""
        answering.cancel()
        self._running.discard(answering)

    def stop_all(self) -> None:
        """End every answer where it is, as if its reader had stopped it."""
        for answering in list(self._running):
            answering.cancel()

    async def whole(self, request: Request, requests: Sequence[GenerationRequest]) -> list[Collected]:
        """The answers to the requests, once they are there. Stops when the client goes away."""
        answering = await self.start(requests, request.scope.get("lmdeck.entry"))
        try:
            return await unless_gone(request, answering.collect())
        finally:
            self.ended(answering)

    async def stream(
        self,
        request: Request,
        requests: Sequence[GenerationRequest],
        encode: Callable[[AsyncIterator[Batch | None]], AsyncIterator[bytes]],
        *,
        at_once: bool = False,
    ) -> StreamingResponse:
        """A response that says what comes as it comes, in the words of `encode`.

        `at_once` begins it before the answer does, for dialects that tell of loading and reading too.
        """
        answering = await self.start(requests, request.scope.get("lmdeck.entry"))
        try:
            if not at_once:
                await unless_gone(request, answering.until_it_speaks())
        except BaseException:
            self.ended(answering)
            raise

        async def body() -> AsyncIterator[bytes]:
            try:
                async for piece in encode(answering.batches()):
                    yield piece
            finally:
                self.ended(answering)

        return event_stream(body())


def event_stream(body: AsyncIterator[bytes]) -> StreamingResponse:
    """Server-sent events, which nothing on the way should hold back."""
    headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
    return StreamingResponse(body, media_type="text/event-stream", headers=headers)


async def unless_gone(request: Request, work: Awaitable[Result]) -> Result:
    """The result of the work. Raises Cancelled, and stops it, when the client hangs up before."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Cancelled("The client went away.")
        return task.result()
    finally:
        for unfinished in (task, gone):
            unfinished.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


def error_of(events: Sequence[Event]) -> LmdeckError | None:
    """The error that ended an answer, if one is among its events."""
    return next((event.error for event in events if isinstance(event, Failed)), None)
