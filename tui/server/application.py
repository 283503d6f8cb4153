"""The dialects put together into one application, behind one gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from tui import __version__
from tui.domain import LmdeckError
from tui.server.dialects import Dialect, Refused, told
from tui.server.gate import Gate
from tui.server.instances import instance_object
from tui.server.metrics import metrics_text
from tui.server.openapi import describe
from tui.server.services import Services


def build_application(services: Services, dialects: Sequence[Dialect]) -> ASGIApp:
    """Everything that the server answers to."""

    def dialect_of(path: str) -> Dialect:
        fitting = [
            (len(prefix), dialect) for dialect in dialects for prefix in dialect.prefixes if path.startswith(prefix)
        ]
        return max(fitting, key=lambda found: found[0])[1] if fitting else _PLAIN

    routes = [route for dialect in dialects for route in dialect.routes(services)]
    # Last of all a place for everything, or a known path with another method would be answered by Starlette.
    every = [*routes, *_own_routes(services, routes), Mount("/", _nothing_there)]
    router = Router(every, redirect_slashes=False, default=_nothing_there)
    return Gate(router, services, dialect_of)


async def _nothing_there(scope: Scope, _receive: Receive, _send: Send) -> None:
    # LM Studio's words, which its clients look for.
    raise Refused(
        f"Unexpected endpoint or method. ({scope['method']} {scope['path'][:200]})",
        "GET /openapi.json lists what there is.",
        status=404,
    )


def _own_routes(services: Services, others: Sequence[BaseRoute]) -> list[BaseRoute]:
    """What belongs to no dialect."""

    async def greeting(_: Request) -> Response:
        return JSONResponse({"lmstudio": True})

    async def health(_: Request) -> Response:
        loaded = services.workbench.loaded()
        known = services.workbench.catalogue.so_far().models if loaded else ()
        return JSONResponse(
            {
                "status": "ok",
                "lmdeck": __version__,
                "loaded": [model.key for model in loaded],
                "running": services.log.running(),
                "instances": [instance_object(model, known) for model in loaded],
            }
        )

    async def metrics(_: Request) -> Response:
        return PlainTextResponse(metrics_text(services), media_type="text/plain; version=0.0.4")

    async def openapi(_: Request) -> Response:
        return JSONResponse(describe(routes))

    routes: list[BaseRoute] = [
        *others,
        Route("/lmstudio-greeting", greeting),
        Route("/health", health),
        Route("/metrics", metrics),
        Route("/openapi.json", openapi),
    ]
    return routes[len(others) :]


def _plain_error(error: LmdeckError, _status: int) -> Any:
    return {"error": told(error)}


_PLAIN = Dialect("lmdeck", (), lambda _: (), _plain_error)
