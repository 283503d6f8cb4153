"""OpenAI's paths, and what joins their wire types to the one road."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tui.domain import ModelInfo
from tui.server.answering import Answers, unless_gone
from tui.server.bodies import parsed, read_json
from tui.server.dialects import Dialect
from tui.server.openai import chat, completions
from tui.server.openai.embeddings import EmbeddingsRequest, RerankRequest, embeddings_body, rerank_body
from tui.server.openai.errors import error_body
from tui.server.openapi import takes
from tui.server.services import Services


def openai_dialect(answers: Answers) -> Dialect:
    """`/v1/…` as OpenAI's clients know it."""
    return Dialect("openai", ("/v1/",), lambda services: _routes(services, answers), error_body)


def _routes(services: Services, answers: Answers) -> Sequence[BaseRoute]:
    async def unnamed() -> str:
        """The key of the model that answers where a request names none, so that the answer can name it."""
        return (await run_in_threadpool(services.find_model, "")).key

    @takes(chat.ChatRequest)
    async def chat_completions(request: Request) -> Response:
        """Answer a conversation."""
        wire = parsed(chat.ChatRequest, await read_json(request, services.options().largest_body))
        wire.model = wire.model or await unnamed()
        requests = wire.to_requests()
        if not wire.stream:
            collected = await answers.whole(request, requests)
            return JSONResponse(chat.whole(collected, wire.model))
        include_usage = wire.stream_options is not None and wire.stream_options.include_usage
        chunks = chat.Chunks(wire.model, len(requests), include_usage=include_usage)
        return await answers.stream(request, requests, lambda batches: chat.encode(chunks, batches))

    @takes(completions.CompletionRequest)
    async def complete(request: Request) -> Response:
        """Go on from a prompt, or fill the gap before a suffix."""
        wire = parsed(completions.CompletionRequest, await read_json(request, services.options().largest_body))
        wire.model = wire.model or await unnamed()
        requests = wire.to_requests()
        if not wire.stream:
            wire.echoes()  # says what is wrong before anything is computed
            return JSONResponse(completions.whole(wire, await answers.whole(request, requests), wire.model))
        chunks = completions.Chunks(wire, wire.model)
        return await answers.stream(request, requests, lambda batches: chat.encode(chunks, batches))

    @takes(EmbeddingsRequest)
    async def embeddings(request: Request) -> Response:
        """Vectors of texts."""
        wire = parsed(EmbeddingsRequest, await read_json(request, services.options().largest_body))
        inputs = wire.inputs()

        def compute() -> dict[str, Any]:
            with services.provide(wire.model, wire.ttl) as model:
                found = model.embed(inputs, normalize=wire.normalize, truncate=wire.truncate).result()
                return embeddings_body(wire, model.key, found)

        return JSONResponse(await unless_gone(request, run_in_threadpool(compute)))

    @takes(RerankRequest)
    async def rerank(request: Request) -> Response:
        """How well documents answer a query."""
        wire = parsed(RerankRequest, await read_json(request, services.options().largest_body))
        texts = wire.texts()

        def compute() -> dict[str, Any]:
            with services.provide(wire.model, wire.ttl) as model:
                found = model.rank(wire.query, texts, truncate=wire.truncate).result()
                return rerank_body(wire, texts, model.key, found)

        return JSONResponse(await unless_gone(request, run_in_threadpool(compute)))

    async def models(_: Request) -> Response:
        """The models that requests can name."""
        listed = await run_in_threadpool(_listed, services)
        return JSONResponse({"object": "list", "data": [_model_object(info) for info in listed]})

    async def model(request: Request) -> Response:
        """One model."""
        info = await run_in_threadpool(services.known_model, request.path_params["model"])
        return JSONResponse(_model_object(info))

    return [
        Route("/v1/chat/completions", chat_completions, methods=["POST"]),
        Route("/v1/completions", complete, methods=["POST"]),
        Route("/v1/embeddings", embeddings, methods=["POST"]),
        Route("/v1/rerank", rerank, methods=["POST"]),
        Route("/v1/models", models),
        Route("/v1/models/{model:path}", model),
    ]


def _listed(services: Services) -> list[ModelInfo]:
    """Everything that can be asked: what is on disk where requests may load it, otherwise what is loaded."""
    loaded = [model.info for model in services.workbench.loaded()]
    if not services.options().just_in_time:
        return loaded
    usable = [info for info in services.workbench.catalogue.models(abilities=False) if info.usable]
    return loaded + [info for info in usable if info.key not in {model.key for model in loaded}]


def _model_object(info: ModelInfo) -> dict[str, Any]:
    return {
        "id": info.key,
        "object": "model",
        "created": int(info.modified or time.time()),
        "owned_by": info.publisher or info.remote or "organization_owner",
    }
