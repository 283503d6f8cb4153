"""What can be done to the message that is being written, and what is known about it before it is sent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from tui.app.attachments import parts_of, without_images, words_in
from tui.domain import BadRequest, Message, text_message

if TYPE_CHECKING:
    from tui.app.ready_models import ReadyModel
    from tui.app.screens.chat import ChatScreen

COUNTED = 2_000_000
"""Characters of a draft that are counted; longer ones are estimated from so many."""

NEARLY_FULL = 0.75
"""The part of the context from which on it is worked out what would be left out."""

ATTACH_FOLDER = "attach_folder"
"""The setting that says from which folder something was attached last."""


async def show_figures(screen: ChatScreen) -> None:
    """Show how many tokens the draft has, and what of the thread it would drive out of the context.

    Files count with what is in them. What an image costs only its projector knows, so images are named beside.
    """
    written, attached = screen.composer.message_text, screen.composer.attached
    model = screen.model_of(screen.conversation.thread_id)
    figures = ""
    if written.strip() and model is not None:
        without, images = without_images(written, attached)
        try:
            text = await asyncio.to_thread(_with_files, without, attached)
        except BadRequest:
            figures = "a file cannot be sent"
        else:
            figures = await _figures_of(screen, model, text, images)
    if screen.composer.message_text == written:
        screen.composer.show_figures(figures)


def _with_files(text: str, attached: frozenset[str]) -> str:
    """A draft as a model reads it, with what is in its files. Blocks; raises BadRequest."""
    from tui.threads import with_files_as_text

    return with_files_as_text(Message("user", parts_of(text, attached))).text


async def _figures_of(screen: ChatScreen, model: ReadyModel, text: str, images: int) -> str:
    counted = text[:COUNTED]
    tokens = await asyncio.to_thread(screen.workbench.count_tokens, model.key, counted)
    if tokens is None:
        return ""
    exact = len(counted) == len(text)
    tokens = tokens if exact else tokens * len(text) // COUNTED
    parts = [f"{'' if exact else '≈ '}{tokens:,} tok"] if text.strip() else []
    parts += [f"{images} image{'' if images == 1 else 's'}"] if images else []
    figures = [" + ".join(parts)]
    length = model.context_length
    if length and screen.status_line.status.context_used + tokens > NEARLY_FULL * length:
        figures.append(await _overflow(screen, screen.conversation.thread_id, model.key, text))
    return " · ".join(part for part in figures if part)


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
