"""Where a message is written."""

from __future__ import annotations

import re
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from tui.app.actions import bindings_for

LONG_PASTE = 8_000
"""Characters from which on a paste is kept beside the text: the text area lays out all of its text at once, which
takes seconds for a megabyte."""

LONG_PASTE_LINES = 300


class Composer(TextArea):
    """A text area that grows with its text. A long paste stands in it as one bracketed word."""

    BINDINGS = bindings_for("composer")

    @dataclass
    class Submitted(Message):
        """The person wants this text sent. The composer still holds it."""

        text: str

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
        self._pastes: dict[str, str] = {}

    def on_mount(self) -> None:
        self.border_title = "Message"
        self.border_subtitle = "enter send · ^j newline"

    @property
    def message_text(self) -> str:
        """The whole text, with every long paste in its place."""
        if not self._pastes:
            return self.text
        pattern = "|".join(re.escape(word) for word in self._pastes)
        return re.sub(pattern, lambda match: self._pastes[match.group()], self.text)

    def load_message(self, text: str) -> None:
        """Hold another text, with the cursor at its end."""
        self._pastes.clear()
        self.load_text(self._folded(text))
        self.move_cursor(self.document.end)

    def _folded(self, text: str) -> str:
        if len(text) < LONG_PASTE and text.count("\n") < LONG_PASTE_LINES:
            return text
        word = f"[pasted text {len(self._pastes) + 1}: {len(text):,} characters]"
        self._pastes[word] = text
        return word

    def action_send(self) -> None:
        if (text := self.message_text).strip():
            self.post_message(self.Submitted(text))

    def action_newline(self) -> None:
        self._replace_via_keyboard("\n", *self.selection)

    async def _on_key(self, event: events.Key) -> None:
        # Enter belongs to the registry's bindings, so that the key map can change what it does.
        if event.key == "enter":
            event.prevent_default()

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        if result := self._replace_via_keyboard(self._folded(text), *self.selection):
            self.move_cursor(result.end_location)
