"""Opens the sampling panel for the thread in hand, and keeps what was changed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.screens.sampling_panel import SamplingPanel
from tui.app.screens.thread_setup import keep_settings, thread_to_set_up

if TYPE_CHECKING:
    from tui.app.screens.chat import ChatScreen


async def sampling(screen: ChatScreen) -> None:
    """Show and change how the answers of the open thread are made; it need not have a message yet."""
    conversation = screen.conversation
    made = not conversation.thread_id
    thread_id = await thread_to_set_up(screen)
    model = screen.model_of(thread_id)
    settings = await conversation.store(lambda store: store.thread_settings(thread_id))
    panel = await SamplingPanel.open(screen.workbench, thread_id, model.key if model else "", settings)
    changed = await screen.app.push_screen_wait(panel)
    await keep_settings(screen, thread_id, settings, changed if changed is not None else settings, made=made)
