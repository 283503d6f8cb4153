"""What can be done to the message that is being written, and what is known about it before it is sent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from tui.app.attachments import parts_of, words_in
from tui.domain import Message, text_message

if TYPE_CHECKING:
    from tui.app.screens.chat import ChatScreen

COUNTED = 2_000_000
"""Characters of a draft that are counted; longer ones are estimated from so many."""

NEARLY_FULL = 0.75
"""The part of the context from which on it is worked out what would be left out."""

ATTACH_FOLDER = "attach_folder"
"""The setting that says from which folder something was attached last."""


async def show_figures(screen: ChatScreen) -> None:
    """Show how many tokens the draft has, and what of the thread it would drive out of the context."""
    text = screen.composer.message_text
    thread_id = screen.conversation.thread_id
    model = screen.model_of(thread_id)
    if not text.strip() or model is None:
        screen.composer.show_figures("")
        return
    counted = text[:COUNTED]
    tokens = await asyncio.to_thread(screen.workbench.count_tokens, model.key, counted)
    if tokens is None:
        screen.composer.show_figures("")
        return
    exact = len(counted) == len(text)
    tokens = tokens if exact else tokens * len(text) // COUNTED
    figures = [f"{'' if exact else '≈ '}{tokens:,} tok"]
    length = model.context_length
    if length and screen.status_line.status.context_used + tokens > NEARLY_FULL * length:
        figures.append(await _overflow(screen, thread_id, model.key, text))
    if screen.composer.message_text == text:
        screen.composer.show_figures(" · ".join(part for part in figures if part))


async def _overflow(screen: ChatScreen, thread_id: str, model: str, text: str) -> str:
    """What would not be sent along."""
    draft = text_message("user", text)
    preview = await asyncio.to_thread(screen.workbench.preview, thread_id, model, draft)
    if preview is None:
        return ""
    told = [f"context {preview.tokens / preview.context_length:.0%}"]
    if preview.dropped_messages:
        count = preview.dropped_messages
        told.append(f"{count} message{'' if count == 1 else 's'} will be left out")
    if preview.clipped_messages:
        told.append(f"{preview.clipped_messages} will be shortened")
    return ", ".join(told)


async def prompt_text(screen: ChatScreen) -> tuple[str, str]:
    """A title and the prompt as the model reads it: as it was for an answer of now, otherwise as it would be."""
    thread_id = screen.conversation.thread_id
    answer = screen.bridge.answers.get(thread_id)
    shown = screen.transcript.cursor_message()
    if answer is not None and shown is not None and shown.id == answer.message_id and answer.generation.prompt:
        return "The prompt of this answer", answer.generation.prompt
    model = screen.model_of(thread_id)
    text = screen.composer.message_text
    draft = None
    if text.strip():
        draft = Message("user", await asyncio.to_thread(parts_of, text, words_in(text)))
    preview = None
    if model is not None:
        preview = await asyncio.to_thread(screen.workbench.preview, thread_id, model.key, draft)
    if preview is None:
        return "The prompt", "A prompt is rendered by a model that is loaded here. ctrl+o loads one."
    left_out = f", {preview.dropped_messages} messages left out" if preview.dropped_messages else ""
    with_draft = " with your draft" if draft else ""
    return f"The prompt of now{with_draft}: {preview.tokens:,} tokens{left_out}", preview.text


async def attach(screen: ChatScreen) -> None:
    """Ask for a file to go along with the message."""
    from tui.app.screens.attach_dialog import AttachDialog

    folder = Path(str(screen.workbench.settings.get(ATTACH_FOLDER, Path.cwd())))
    path = await screen.app.push_screen_wait(AttachDialog(folder))
    if path is not None:
        screen.deck.remember(ATTACH_FOLDER, str(Path(path).parent))
        screen.composer.attach(Path(path))
        screen.action_focus_composer()


async def edit_draft(screen: ChatScreen) -> None:
    """Write the message in the person's own editor."""
    from tui.app.external_editor import edit_text

    text = edit_text(screen.app, screen.composer.message_text)
    if text is not None:
        screen.composer.load_message(text)
    screen.action_focus_composer()
