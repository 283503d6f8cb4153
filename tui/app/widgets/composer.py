"""Where a message is written."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from tui.app.actions import bindings_for
from tui.app.attachments import looks_like_path, pasted_path, word_for, words_in

LONG_PASTE = 8_000
"""Characters from which on a paste is kept beside the text: the text area lays out all of its text at once, which
takes seconds for a megabyte."""

LONG_PASTE_LINES = 300

HINT = "enter send · ^j newline"


class Composer(TextArea):
    """A text area that grows with its text. A long paste and a file stand in it as one bracketed word each."""

    BINDINGS = bindings_for("composer")

    @dataclass
    class Submitted(Message):
        """The person wants this text sent, with the files that these words in it stand for."""

        text: str
        attached: frozenset[str]

    def __init__(self, *, id: str, classes: str) -> None:
        super().__init__(
            id=id,
            classes=classes,
            show_line_numbers=False,
            highlight_cursor_line=False,
            tab_behavior="focus",
            soft_wrap=True,
            placeholder="Type a message. enter sends it, ctrl+j starts a new line.",
        )
        # A blinking cursor costs bytes and a wake-up twice a second, also over SSH.
        self.cursor_blink = False
        self.sent_before: list[str] = []
        """What was sent before, the newest first."""
        self._browsed = -1  # which entry of the history is shown
        self._set_aside = ""  # what was written before the history was opened
        self._pastes: dict[str, str] = {}
        self._attached: set[str] = set()  # also of messages that were sent: the history brings their words back

    def on_mount(self) -> None:
        self.border_title = "Message"
        self.border_subtitle = HINT

    def show_figures(self, figures: str) -> None:
        """Put what is known of the draft into the lower border."""
        self.border_subtitle = f"{figures} · {HINT}" if figures else HINT

    @property
    def message_text(self) -> str:
        """The whole text, with every long paste in its place."""
        if not self._pastes:
            return self.text
        pattern = "|".join(re.escape(word) for word in self._pastes)
        return re.sub(pattern, lambda match: self._pastes[match.group()], self.text)

    @property
    def attached(self) -> frozenset[str]:
        """The words that stand for files, wherever they come."""
        return frozenset(self._attached)

    def load_message(self, text: str) -> None:
        """Hold another text, with the cursor at its end."""
        self._pastes.clear()
        self._browsed = -1
        self._show(text)
        # A draft that was put aside with files in it still has their words.
        self._attached |= words_in(self.text)

    def attach(self, path: Path) -> None:
        """Put the word for a file where the cursor is."""
        word = word_for(path)
        self._attached.add(word)
        self._insert(word + " ")

    def _show(self, text: str) -> None:
        self.load_text(self._folded(text))
        self.move_cursor(self.document.end)

    def _folded(self, text: str) -> str:
        if len(text) < LONG_PASTE and text.count("\n") < LONG_PASTE_LINES:
            return text
        word = f"[pasted text {len(self._pastes) + 1}: {len(text):,} characters]"
        self._pastes[word] = text
        return word

    def _insert(self, text: str) -> None:
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)

    def action_send(self) -> None:
        if (text := self.message_text).strip():
            self.post_message(self.Submitted(text, self.attached))

    def action_newline(self) -> None:
        self._replace_via_keyboard("\n", *self.selection)

    def action_history(self, step: int) -> None:
        """Show what was sent before (1), or what came after that (-1), down to what was being written."""
        place = self._browsed + step
        if not -1 <= place < len(self.sent_before):
            return
        if self._browsed < 0:
            self._set_aside = self.message_text
        self._browsed = place
        self._show(self._set_aside if place < 0 else self.sent_before[place])

    @property
    def _browsing(self) -> bool:
        """Whether the arrows walk through the history: nothing was typed since it was opened."""
        shown = self.sent_before[self._browsed] if 0 <= self._browsed < len(self.sent_before) else ""
        return self.message_text == shown

    def action_cursor_up(self, select: bool = False) -> None:
        if not select and self.navigator.is_first_wrapped_line(self.cursor_location) and self._browsing:
            self.action_history(1)
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        last = self.navigator.is_last_wrapped_line(self.cursor_location)
        if not select and last and self._browsed >= 0 and self._browsing:
            self.action_history(-1)
        else:
            super().action_cursor_down(select)

    async def _on_key(self, event: events.Key) -> None:
        # Enter belongs to the registry's bindings, so that the key map can change what it does.
        if event.key == "enter":
            event.prevent_default()

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        # A terminal on which a file is dropped pastes its path. Looking for the file may take a while.
        path = await asyncio.to_thread(pasted_path, event.text) if looks_like_path(event.text) else None
        if path is not None:
            self.attach(path)
            return
        self._insert(self._folded(event.text.replace("\r\n", "\n").replace("\r", "\n")))
