"""Copying, by every way that works here: from the main screen a selection, a message, a code block."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.app.app import LmdeckApp
    from tui.app.screens.chat_panes import ChatPanes


def copy_selection(screen: ChatPanes) -> None:
    """Copy what is selected; without a selection, say which key quits, since that is what ctrl+c is often meant for."""
    text = screen.composer.selected_text if screen.composer.has_focus else ""
    text = text or screen.transcript.selected_text() or screen.get_selected_text() or ""
    if text:
        copy_text(screen, text, f"{len(text):,} characters")
    else:
        screen.notify("Nothing is selected. ctrl+q quits.", markup=False)


def copy_message(screen: ChatPanes) -> None:
    """Copy the message under the cursor as it was written."""
    message = screen.transcript.cursor_message()
    if message is None:
        screen.notify("There is no message yet.", markup=False)
    else:
        copy_text(screen, screen.transcript.message_source(message.id), "Message")


def copy_code(screen: ChatPanes) -> None:
    """Copy a code block of the message under the cursor; with several, ask which."""
    message = screen.transcript.cursor_message()
    blocks = screen.transcript.code_blocks(message.id) if message is not None else []
    if not blocks:
        screen.notify("This message has no code block. j and k move to another one.", markup=False)
        return
    if len(blocks) == 1:
        copy_text(screen, blocks[0], "Code block")
        return
    from tui.app.screens.dialogs import NumberDialog

    def answered(number: int | None) -> None:
        if number is not None:
            copy_text(screen, blocks[number - 1], f"Code block {number}")

    first_lines = [block.strip().partition("\n")[0] for block in blocks]
    screen.app.push_screen(NumberDialog("Copy which code block?", first_lines), answered)


def copy_thread(screen: ChatPanes) -> None:
    """Copy all messages that are shown, each under its author."""
    messages = screen.transcript.shown_messages()
    text = "\n\n".join(f"**{message.author}**\n\n{message.text.strip()}" for message in messages)
    if messages:
        copy_text(screen, f"{text}\n", f"{len(messages)} messages")
    else:
        screen.notify("There is no message yet.", markup=False)


def copy_text(screen: Screen[Any], text: str, what: str) -> None:
    """Copy text by every way that works here, and say which it was."""
    screen.run_worker(_copy(screen, text, what), group="copy")


async def _copy(screen: Screen[Any], text: str, what: str) -> None:
    from tui.app.clipboard import copy

    target = cast("LmdeckApp", screen.app).workbench.paths.data / "clipboard.txt"
    try:
        ways = await asyncio.to_thread(copy, text, screen.app.copy_to_clipboard, target, dict(os.environ))
    except OSError as error:
        screen.notify(f"Nothing was copied: {error}", severity="error", markup=False)
    else:
        screen.notify(f"{what} copied: {ways}.", markup=False)
