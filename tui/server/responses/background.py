"""Responses that are made whether anybody waits for them or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from tui.domain import EngineFault, Failed, Finished, GenerationStats
from tui.server.answering import KEEP_ALIVE, Answering
from tui.server.dialects import Refused
from tui.server.responses.events import ResponseEvents, WireEvent, on_the_wire, telling
from tui.server.responses.resource import Response

MOST_RUNNING = 64
_KEPT_AFTER_THEIR_END = 32
_KEPT_BYTES = 64 * 2**20
"""Of the events of those that have ended. Beyond either the oldest go; their responses are on disk."""
# Seconds that a response which is cancelled has to end by itself, with its figures.
_CANCEL_PATIENCE = 5.0


class BackgroundResponse:
    """One response in the making. Used on the server's event loop."""

    def __init__(
        self,
        answering: Answering,
        events: ResponseEvents,
        keep: Callable[[Response], Awaitable[None]],
        at_end: Callable[[], None],
    ) -> None:
        self._answering = answering
        self._events = events
        self._keep = keep
        self._at_end = at_end
        self._lines: list[bytes] = []
        """Every event on the wire, at the place of its sequence number."""
        self._news = asyncio.Event()
        self._forgotten = self._ended = False
        self._task = asyncio.ensure_future(self._make())

    @property
    def id(self) -> str:
        """The response's id."""
        return self._events.id

    @property
    def done(self) -> bool:
        """Whether it was told to its end."""
        return self._ended

    @property
    def size(self) -> int:
        """Bytes of its events."""
        return sum(map(len, self._lines))

    def response(self) -> Response:
        """The response as it is now."""
        return self._events.response()

    async def cancel(self) -> None:
        """Stop it, and wait until it has ended. Does nothing to one that has."""
        if self.done:
            return
        self._events.cancel()
        self._answering.cancel()
        await asyncio.wait({self._task}, timeout=_CANCEL_PATIENCE)
        if not self._ended:  # what it waits for, such as a model that loads, does not hold up its end
            await self._end_with(Finished(GenerationStats(stop_reason="userStopped")))

    async def forget(self) -> None:
        """Stop it, and let nothing of it be kept."""
        self._forgotten = True
        await self.cancel()

    async def follow(self, after: int = -1) -> AsyncIterator[bytes]:
        """Its events with a higher sequence number than `after`: those that were, and those to come."""
        place = max(after + 1, 0)
        while True:
            news = self._news
            if place < len(self._lines):
                lines = self._lines[place:]
                place += len(lines)
                yield b"".join(lines)
            elif self._ended:
                return
            else:
                try:
                    await asyncio.wait_for(news.wait(), KEEP_ALIVE)
                except TimeoutError:
                    yield on_the_wire(None)

    async def _make(self) -> None:
        try:
            async for told in telling(self._events, self._answering.batches(), self._save):
                self._tell(told or [])
        except Exception as problem:
            # A defect of ours ends this response, and is told.
            fault = EngineFault(f"Something went wrong inside lmdeck: {problem!r}", "Please report it.")
            await self._end_with(Failed(fault))
        finally:
            self._ended = True
            self._tell([])
            self._at_end()

    async def _end_with(self, event: Finished | Failed) -> None:
        told = self._events.feed([event])
        await self._save(self._events.response())
        self._ended = True
        self._tell(told)

    async def _save(self, response: Response) -> None:
        if not self._forgotten:
            await self._keep(response)

    def _tell(self, told: list[WireEvent]) -> None:
        self._lines += [on_the_wire([event]) for event in told]
        news, self._news = self._news, asyncio.Event()
        news.set()


class BackgroundResponses:
    """Those that are made now, and some that were, so that their events can still be read."""

    def __init__(self) -> None:
        self._all: dict[str, BackgroundResponse] = {}

    def check_room(self) -> None:
        """Raise Refused while too many are made at once."""
        if sum(not one.done for one in self._all.values()) >= MOST_RUNNING:
            raise Refused(
                f"{MOST_RUNNING} responses are being made in the background already.", "Ask later.", status=429
            )

    def add(self, one: BackgroundResponse) -> None:
        """Know one more; the oldest that have ended go."""
        self._all[one.id] = one
        kept, size = 0, 0
        for other in [other for other in reversed(self._all.values()) if other.done]:
            kept, size = kept + 1, size + other.size
            if kept > _KEPT_AFTER_THEIR_END or size > _KEPT_BYTES:
                del self._all[other.id]

    def get(self, identifier: str) -> BackgroundResponse | None:
        """One of them."""
        return self._all.get(identifier)

    async def forget(self, identifier: str) -> bool:
        """Stop one if it is being made, and know it no more; False if it was not known."""
        one = self._all.pop(identifier, None)
        if one is not None:
            await one.forget()
        return one is not None
