"""The paths of LM Studio's native REST interface, and what joins its wire types to the one road."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tui import __version__
from tui.domain import GenerationRequest, Message, StorageFailed
from tui.server.answering import Answers, unless_gone
from tui.server.bodies import read_json
from tui.server.collecting import Collected
from tui.server.dialects import Dialect
from tui.server.lmstudio import chat, downloading, loading
from tui.server.lmstudio.abilities import TemplateAbilities
from tui.server.lmstudio.errors import error_body, strictly
from tui.server.lmstudio.events import ChatEvents, encode
from tui.server.lmstudio.listing import listed, model_object
from tui.server.lmstudio.store import ChatStore, Conversation
from tui.server.openapi import takes
from tui.server.services import Services


def lmstudio_dialect(answers: Answers) -> Dialect:
    """`/api/v1/…` as LM Studio's clients know it."""
    return Dialect("lmstudio", ("/api/v1/",), lambda services: _routes(services, answers), error_body)


def _routes(services: Services, answers: Answers) -> Sequence[BaseRoute]:
    abilities = TemplateAbilities()
    store = ChatStore(services.workbench.paths.rest_chats)

    @takes(chat.NativeChatRequest)
    async def answer(request: Request) -> Response:
        """Answer a message, in a conversation that is kept here if the client wants that."""
        wire = strictly(chat.NativeChatRequest, await read_json(request, services.options().largest_body))
        wire.check_integrations()
        turn = wire.turn()
        before, generation = await run_in_threadpool(_prepared, services, store, abilities, wire, turn)
        instance = generation.model

        async def keep(collected: Collected) -> str | None:
            if not wire.store or collected.error is not None:
                return None
            turns = (turn, chat.answer_message(collected))
            return await run_in_threadpool(store.add, before, wire.prompt_after(before), turns)

        if wire.stream:
            events = ChatEvents(instance)
            return await answers.stream(
                request, [generation], lambda batches: encode(events, batches, keep), at_once=True
            )
        (collected,) = await answers.whole(request, [generation])
        try:
            response_id = await keep(collected)
        except StorageFailed as problem:
            # The answer is worth more than going on from it; that it cannot be is seen by the missing id.
            services.workbench.log.write("server", "error", str(problem))
            response_id = None
        return JSONResponse(chat.result(instance, collected, response_id))

    async def models(_: Request) -> Response:
        """The models there are, and which of them are loaded."""

        def describe() -> list[dict[str, Any]]:
            return [model_object(model, abilities) for model in listed(services.workbench)]

        return JSONResponse({"models": await run_in_threadpool(describe)})

    @takes(loading.LoadRequest)
    async def load(request: Request) -> Response:
        """Load a model."""
        wire = strictly(loading.LoadRequest, await read_json(request, services.options().largest_body))
        gone = threading.Event()
        try:
            work = run_in_threadpool(loading.load, services, wire, lambda: not gone.is_set())
            model = await unless_gone(request, work)
        finally:
            gone.set()
        return JSONResponse(loading.load_body(model))

    @takes(loading.UnloadRequest)
    async def unload(request: Request) -> Response:
        """Free a loaded instance of a model."""
        wire = strictly(loading.UnloadRequest, await read_json(request, services.options().largest_body))
        await run_in_threadpool(loading.unload, services, wire)
        return JSONResponse({"instance_id": wire.instance_id})

    @takes(downloading.DownloadRequest)
    async def download(request: Request) -> Response:
        """Begin to download a model, or say that it is here."""
        wire = strictly(downloading.DownloadRequest, await read_json(request, services.options().largest_body))
        return JSONResponse(await run_in_threadpool(downloading.begin, services, wire))

    async def download_status(request: Request) -> Response:
        """How a download goes."""
        job = await run_in_threadpool(downloading.find_job, services, request.path_params["job_id"])
        return JSONResponse(downloading.status_body(job))

    async def status(_: Request) -> Response:
        """What program this is."""
        return JSONResponse({"package": "lmdeck", "version": __version__})

    return [
        Route("/api/v1/chat", answer, methods=["POST"]),
        Route("/api/v1/models", models),
        Route("/api/v1/models/load", load, methods=["POST"]),
        Route("/api/v1/models/unload", unload, methods=["POST"]),
        Route("/api/v1/models/download", download, methods=["POST"]),
        Route("/api/v1/models/download/status/{job_id}", download_status),
        Route("/lms-status", status),
    ]


def _prepared(
    services: Services, store: ChatStore, abilities: TemplateAbilities, wire: chat.NativeChatRequest, turn: Message
) -> tuple[Conversation, GenerationRequest]:
    """The conversation so far and the request that goes on with it, everything checked that can be beforehand."""
    before = store.conversation(wire.previous_response_id) if wire.previous_response_id is not None else Conversation()
    info = services.find_model(wire.model)
    abilities.check_reasoning(wire.reasoning, info, services.workbench.engine.get(info.key))
    generation = wire.to_request(info.key, before, turn)
    loading.make_context(services, info, wire.context_length)
    return before, generation
