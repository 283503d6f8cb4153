"""Responses made for requests: whole, as they come, or in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.responses import Response as HttpResponse

from tui.domain import GenerationRequest
from tui.server.answering import Answers, Batch, event_stream, unless_gone
from tui.server.records import RequestEntry
from tui.server.responses.background import BackgroundResponse
from tui.server.responses.events import ResponseEvents, Wanted, on_the_wire, telling
from tui.server.responses.items import Item, listed
from tui.server.responses.kept import KeptResponses
from tui.server.responses.request import ResponsesRequest
from tui.server.responses.resource import Response, new_response
from tui.server.responses.tools import custom_names
from tui.server.services import Services


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be made."""

    wire: ResponsesRequest
    generation: GenerationRequest
    given: list[Item]
    entry: RequestEntry | None

    def events(self) -> ResponseEvents:
        """The response to be, once its model is known."""
        model = self.wire.model or (self.entry.model if self.entry is not None else "")
        wanted = Wanted(self.wire.wants_summary, self.wire.wants_sealed_reasoning, custom_names(self.wire.tools))
        return ResponseEvents(new_response(self.wire, self.generation, model), wanted)


class ResponseMaker:
    """Answers `POST /v1/responses`, and counts what it would take."""

    def __init__(self, services: Services, answers: Answers, kept: KeptResponses) -> None:
        self._services = services
        self._answers = answers
        self._kept = kept

    async def make(self, request: Request, wire: ResponsesRequest) -> HttpResponse:
        """The response, in the way that was asked for. Raises LmdeckError while nothing of it is there."""
        wire.check()
        given = await self._kept.resolved(listed(wire.input))
        generation = wire.to_request(await self._kept.conversation(wire.previous_response_id), given)
        order = _Order(wire, generation, given, request.scope.get("lmdeck.entry"))
        if wire.background:
            return await self._in_the_background(order)
        if wire.stream:
            return await self._as_it_comes(request, order)
        return JSONResponse(await self._whole(request, order))

    async def count(self, request: Request, wire: ResponsesRequest) -> int:
        """How many tokens the model would read for such a request. Raises LmdeckError."""
        wire.check()
        given = await self._kept.resolved(listed(wire.input))
        generation = wire.to_request(await self._kept.conversation(wire.previous_response_id), given)
        entry: RequestEntry | None = request.scope.get("lmdeck.entry")

        def count() -> int:
            found = self._services.with_defaults(generation)
            if entry is not None:
                entry.model = found.model
            return self._services.workbench.count_prompt(found)

        return await unless_gone(request, asyncio.to_thread(count))

    async def _whole(self, request: Request, order: _Order) -> Response:
        answering = await self._answers.start([order.generation], order.entry)
        events = order.events()

        async def read() -> None:
            async for _ in self._telling(order, events, answering.batches()):
                continue

        try:
            await unless_gone(request, read())
        finally:
            self._answers.ended(answering)
        response = events.response()
        if events.error is not None and not response["output"]:
            raise events.error
        return response

    async def _as_it_comes(self, request: Request, order: _Order) -> HttpResponse:
        async def encode(batches: AsyncIterator[Batch | None]) -> AsyncIterator[bytes]:
            async for told in self._telling(order, order.events(), batches):
                yield on_the_wire(told)

        return await self._answers.stream(request, [order.generation], encode)

    async def _in_the_background(self, order: _Order) -> HttpResponse:
        self._kept.background.check_room()
        answering = await self._answers.start([order.generation], order.entry)
        events = order.events()
        await self._kept.keep(events.response(), order.given)
        if order.entry is not None:
            order.entry.goes_on = True

        def at_end() -> None:
            self._answers.ended(answering)
            self._log_end(order.entry, events)

        async def keep(response: Response) -> None:
            await self._kept.keep(response, order.given)

        making = BackgroundResponse(answering, events, keep, at_end)
        self._kept.background.add(making)
        if order.wire.stream:
            return event_stream(making.follow())
        return JSONResponse(events.response())

    def _telling(
        self, order: _Order, events: ResponseEvents, batches: AsyncIterator[Batch | None]
    ) -> AsyncIterator[list[dict[str, object]] | None]:
        async def keep(response: Response) -> None:
            await self._kept.keep(response, order.given)

        return telling(events, batches, keep)

    def _log_end(self, entry: RequestEntry | None, events: ResponseEvents) -> None:
        if entry is None:
            return
        if events.error is not None:
            entry.ended("failed", status=200, error=str(events.error))
        else:
            stopped = not events.over or events.response()["status"] == "cancelled"
            entry.ended("cancelled" if stopped else "done", status=200)
        self._services.log.end(entry)
