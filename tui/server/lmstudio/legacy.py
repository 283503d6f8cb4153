"""LM Studio's older interface, `/api/v0/…`: OpenAI's shapes with figures of the answer and the model.

https://lmstudio.ai/docs/developer/rest/endpoints
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tui.domain import Event, Finished, GenerationStats, ModelInfo
from tui.engine import library_version
from tui.server.answering import Answers, unless_gone
from tui.server.bodies import parsed, read_json
from tui.server.dialects import Dialect, Refused
from tui.server.lmstudio.abilities import TemplateAbilities
from tui.server.lmstudio.listing import instances_of, legacy_object, listed
from tui.server.openai import chat, completions
from tui.server.openai.embeddings import EmbeddingsRequest, embeddings_body
from tui.server.openai.errors import error_body as openai_error_body
from tui.server.openapi import takes
from tui.server.services import Services

Extras = Callable[[GenerationStats], dict[str, Any]]
"""What is said beside an answer, from its figures."""


def lmstudio_v0_dialect(answers: Answers) -> Dialect:
    """`/api/v0/…`, which LM Studio keeps for its older clients."""
    return Dialect("lmstudio-v0", ("/api/v0/",), lambda services: _routes(services, answers), _error_body)


def _error_body(error: Any, status: int) -> dict[str, Any]:
    if isinstance(error, Refused) and status == 404:
        return {"error": error.message}
    return openai_error_body(error, status)


class ChunksWithExtras:
    """OpenAI's chunks, with the figures beside the last one of a choice."""

    def __init__(self, chunks: chat.Chunker, extras: Extras) -> None:
        self._chunks = chunks
        self._extras = extras

    def feed(self, index: int, events: Sequence[Event]) -> list[dict[str, Any]]:
        """What to say for what came for a choice."""
        found = self._chunks.feed(index, events)
        stats = next((event.stats for event in events if isinstance(event, Finished)), None)
        if stats is not None and found:
            found[-1] = {**found[-1], **self._extras(stats)}
        return found

    def last(self) -> list[dict[str, Any]]:
        """What to say when every choice has ended."""
        return self._chunks.last()


def _routes(services: Services, answers: Answers) -> Sequence[BaseRoute]:
    abilities = TemplateAbilities()

    async def extras(wire: chat.ChatRequest | completions.CompletionRequest) -> Extras:
        """What goes beside the answer; a request that names no model gets the name of the one that answers."""
        info = await run_in_threadpool(services.find_model, wire.model)
        wire.model = wire.model or info.key
        return lambda stats: extra_fields(stats, info)

    @takes(chat.ChatRequest)
    async def chat_completions(request: Request) -> Response:
        """Answer a conversation."""
        wire = parsed(chat.ChatRequest, await read_json(request, services.options().largest_body))
        more = await extras(wire)
        requests = wire.to_requests()
        if not wire.stream:
            collected = await answers.whole(request, requests)
            return JSONResponse({**chat.whole(collected, wire.model), **more(collected[0].stats)})
        include_usage = wire.stream_options is not None and wire.stream_options.include_usage
        chunks = chat.Chunks(wire.model, len(requests), include_usage=include_usage)
        with_extras = ChunksWithExtras(chunks, more)
        return await answers.stream(request, requests, lambda batches: chat.encode(with_extras, batches))

    @takes(completions.CompletionRequest)
    async def complete(request: Request) -> Response:
        """Go on from a prompt."""
        wire = parsed(completions.CompletionRequest, await read_json(request, services.options().largest_body))
        more = await extras(wire)
        requests = wire.to_requests()
        wire.echoes()  # says what is wrong before anything is computed
        if not wire.stream:
            collected = await answers.whole(request, requests)
            return JSONResponse({**completions.whole(wire, collected, wire.model), **more(collected[0].stats)})
        with_extras = ChunksWithExtras(completions.Chunks(wire, wire.model), more)
        return await answers.stream(request, requests, lambda batches: chat.encode(with_extras, batches))

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

    async def models(_: Request) -> Response:
        """The models there are, loaded or not."""

        def describe() -> list[dict[str, Any]]:
            return [legacy_object(model, abilities) for model in listed(services.workbench)]

        return JSONResponse({"object": "list", "data": await run_in_threadpool(describe)})

    async def model(request: Request) -> Response:
        """One model."""

        def describe() -> dict[str, Any]:
            info = services.known_model(request.path_params["model"])
            return legacy_object((info, instances_of(info, services.workbench.loaded())), abilities)

        return JSONResponse(await run_in_threadpool(describe))

    return [
        Route("/api/v0/chat/completions", chat_completions, methods=["POST"]),
        Route("/api/v0/completions", complete, methods=["POST"]),
        Route("/api/v0/embeddings", embeddings, methods=["POST"]),
        Route("/api/v0/models", models),
        Route("/api/v0/models/{model:path}", model),
    ]


def extra_fields(stats: GenerationStats, info: ModelInfo) -> dict[str, Any]:
    """The figures of an answer, the model and what computed it."""
    figures: dict[str, Any] = {
        "tokens_per_second": stats.generation_speed,
        "time_to_first_token": stats.time_to_first_token,
        "generation_time": stats.generated_tokens / stats.generation_speed if stats.generation_speed else 0.0,
        "stop_reason": stats.stop_reason,
    }
    if stats.draft_tokens_offered:
        figures |= {
            "total_draft_tokens_count": stats.draft_tokens_offered,
            "accepted_draft_tokens_count": stats.draft_tokens_accepted,
            "rejected_draft_tokens_count": stats.draft_tokens_offered - stats.draft_tokens_accepted,
            "ignored_draft_tokens_count": 0,
        }
    return {
        "stats": figures,
        "model_info": {
            "arch": info.architecture,
            "quant": info.quantization,
            "format": "gguf",
            "context_length": stats.context_length,
        },
        "runtime": runtime(),
    }


def runtime() -> dict[str, Any]:
    """What computes, as LM Studio calls its engines."""
    machine = f"{platform.system()}-{platform.machine()}".lower().replace("darwin", "mac")
    return {"name": f"llama.cpp-{machine}", "version": library_version(), "supported_formats": ["gguf"]}
