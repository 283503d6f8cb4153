"""Starts what waits for a model in a thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.app.bridge import NOTHING, Bridge
from tui.domain import LmdeckError

if TYPE_CHECKING:
    from tui.workbench import Workbench


async def answer(workbench: Workbench, bridge: Bridge, thread_id: str, model: str) -> None:
    """Let a model answer or continue what waits in a thread. What could not be begun goes on waiting."""
    waiting = bridge.waiting.pop(thread_id, None)
    if waiting is None or bridge.running(thread_id):
        return
    try:
        if waiting.continues:
            stored = await asyncio.to_thread(lambda: workbench.threads.message(waiting.message_id))
            so_far = (stored.message.text, stored.message.reasoning) if stored else NOTHING
            await bridge.start(
                thread_id, model, lambda: workbench.continue_answer(waiting.message_id, model), so_far=so_far
            )
        else:
            await bridge.start(
                thread_id,
                model,
                lambda: workbench.answer(thread_id, model, parent_id=waiting.message_id),
                parent_id=waiting.message_id,
            )
    except LmdeckError:
        bridge.waiting.setdefault(thread_id, waiting)
        raise
