"""The paths of the Responses API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tui.domain import BadRequest, ContextExceeded, LmdeckError
from tui.server.answering import Answers, event_stream
from tui.server.bodies import parsed, read_json
from tui.server.dialects import Dialect
from tui.server.openai.errors import error_body
from tui.server.openapi import takes
from tui.server.responses.kept import KeptResponses
from tui.server.responses.making import ResponseMaker
from tui.server.responses.request import ResponsesRequest
from tui.server.services import Services

_MOST_LISTED = 100


def responses_dialect(answers: Answers) -> Dialect:
    """`/v1/responses` as OpenAI's clients know it."""
    return Dialect("openai", ("/v1/responses",), lambda services: _routes(services, answers), _error_body)


def _routes(services: Services, answers: Answers) -> Sequence[BaseRoute]:
    kept = KeptResponses(services)
    maker = ResponseMaker(services, answers, kept)

    @takes(ResponsesRequest)
    async def create(request: Request) -> Response:
        """Answer a conversation, which may be one that is kept here."""
        wire = parsed(ResponsesRequest, await read_json(request, services.options().largest_body))
        return await maker.make(request, wire)

    @takes(ResponsesRequest)
    async def input_tokens(request: Request) -> Response:
        """How many tokens a model would read for a response, without making it."""
        wire = parsed(ResponsesRequest, await read_json(request, services.options().largest_body))
        return JSONResponse({"object": "response.input_tokens", "input_tokens": await maker.count(request, wire)})

    async def retrieve(request: Request) -> Response:
        """A response that is kept, or its events while it is made in the background."""
        identifier = request.path_params["id"]
        if request.query_params.get("stream") == "true":
            after = _number(request, "starting_after", -1)
            making = await kept.followed(identifier)
            return event_stream(making.follow(after))
        return JSONResponse(await kept.find(identifier))

    async def delete(request: Request) -> Response:
        """Forget a response."""
        identifier = request.path_params["id"]
        await kept.delete(identifier)
        return JSONResponse({"id": identifier, "object": "response", "deleted": True})

    async def cancel(request: Request) -> Response:
        """Stop a response that is made in the background."""
        return JSONResponse(await kept.cancel(request.path_params["id"]))

    async def input_items(request: Request) -> Response:
        """What a response answered, the last item first."""
        items = await kept.input_items(request.path_params["id"])
        return JSONResponse(_page(request, items))

    return [
        Route("/v1/responses", create, methods=["POST"]),
        Route("/v1/responses/input_tokens", input_tokens, methods=["POST"]),
        Route("/v1/responses/{id}", retrieve, methods=["GET"]),
        Route("/v1/responses/{id}", delete, methods=["DELETE"]),
        Route("/v1/responses/{id}/cancel", cancel, methods=["POST"]),
        Route("/v1/responses/{id}/input_items", input_items, methods=["GET"]),
    ]


def _page(request: Request, items: list[dict[str, Any]]) -> dict[str, Any]:
    order = request.query_params.get("order", "desc")
    if order not in ("asc", "desc"):
        raise BadRequest(f"There is no order {order[:20]!r}.", "Choose asc or desc.", field="order")
    limit = _number(request, "limit", 20)
    if not 1 <= limit <= _MOST_LISTED:
        raise BadRequest(f"{limit} items cannot be listed.", f"Ask for 1 to {_MOST_LISTED}.", field="limit")
    if order == "desc":
        items = items[::-1]
    if after := request.query_params.get("after"):
        place = next((index for index, item in enumerate(items) if item["id"] == after), None)
        if place is None:
            raise BadRequest(f"There is no item {after[:100]!r}.", "Name one of the list.", field="after")
        items = items[place + 1 :]
    page = items[:limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": len(items) > limit,
    }


def _number(request: Request, name: str, usual: int) -> int:
    text = request.query_params.get(name)
    try:
        return usual if text is None else int(text)
    except ValueError:
        raise BadRequest(f"{name} is not a number.", "Send a whole number.", field=name) from None


def _error_body(error: LmdeckError, status: int) -> Any:
    body = error_body(error, status)
    if body["error"]["param"] == "max_tokens":
        body["error"]["param"] = "max_output_tokens"
    if isinstance(error, ContextExceeded):
        body["error"]["param"] = "input"
    if status == 429:
        body["error"]["type"] = "rate_limit_error"
    return body
