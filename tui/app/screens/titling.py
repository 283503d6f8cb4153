"""Lets a model find the title of a thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.domain import GenerationRequest, SamplingConfig, TextDelta

if TYPE_CHECKING:
    from tui.app.running_answer import RunningAnswer
    from tui.app.screens.chat import ChatScreen
    from tui.threads import Undo

SETTING = "generated_titles"
"""The setting: "never", "auto" for models that are fast enough not to be noticed, "always"."""

FAST_ENOUGH = 15.0
"""Tokens per second."""

LONGEST = 40
"""Tokens of a title."""

FIRST_EXCHANGE = 2
"""Messages."""


async def title_if_wanted(screen: ChatScreen, answer: RunningAnswer) -> None:
    """Give a thread a title after its first answer, if people want that."""
    wanted = str(screen.workbench.settings.get(SETTING, "auto"))
    thread = screen.summary_of(answer.thread_id)
    stats = answer.stats
    if wanted == "never" or thread is None or stats is None or thread.message_count != FIRST_EXCHANGE:
        return
    model = screen.model_of(answer.thread_id)
    if wanted == "auto" and model is not None and model.builtin:
        return  # the guide is too small for it, and the first message is a good title
    natural = answer.error is None and stats.stop_reason == "eosFound" and thread.title_origin == "first message"
    if natural and (wanted == "always" or stats.generation_speed >= FAST_ENOUGH):
        await title_thread(screen, answer.thread_id)


async def title_thread(screen: ChatScreen, thread_id: str) -> Undo | None:
    """Ask the thread's model for a title, and give it to the thread unless the person has. `None` if none came."""
    from tui.threads import clean_title, title_request

    model = screen.model_of(thread_id)
    if model is None:
        return None
    stored = await screen.conversation.store(lambda store: store.messages(thread_id))
    request = GenerationRequest(
        model.key,
        title_request([message.message for message in stored if message.kind == "message"]),
        SamplingConfig(max_tokens=LONGEST, temperature=0.3),
        # A title may wait; what the person asks may not.
        origin="server",
        reasoning_effort="off",
    )
    generation = await asyncio.to_thread(screen.workbench.generate, request)
    said = "".join([event.text async for event in generation if isinstance(event, TextDelta)])
    title = clean_title(said)
    if not title:
        return None
    undo = await screen.conversation.store(lambda store: store.set_title(thread_id, title, generated=True))
    await screen.refresh_threads()
    return undo
