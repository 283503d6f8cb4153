"""Opens the sampling panel for the thread in hand, and keeps what was changed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.screens.sampling_panel import SamplingPanel

if TYPE_CHECKING:
    from tui.app.screens.chat import ChatScreen


async def sampling(screen: ChatScreen) -> None:
    """Show and change how the answers of the open thread are made; it need not have a message yet."""
    conversation = screen.conversation
    if not conversation.thread_id:
        folder_id = conversation.folder_id
        thread = await conversation.store(lambda store: store.create_thread(folder_id=folder_id))
        conversation.thread_id = thread.id
        await screen.refresh_threads()
    thread_id = conversation.thread_id
    model = screen.model_of(thread_id)
    settings = await conversation.store(lambda store: store.thread_settings(thread_id))
    panel = await SamplingPanel.open(screen.workbench, thread_id, model.key if model else "", settings)
    changed = await screen.app.push_screen_wait(panel)
    if changed is not None and changed != settings:
        screen.can_undo(await conversation.store(lambda store: store.save_thread_settings(thread_id, changed)))
