"""The transcript as a pane of the chat screen: its keys, its title, its count, and finding text in it."""

from __future__ import annotations

from textual import events
from textual.content import Content

from tui.app.actions import bindings_for
from tui.app.figures import one_line
from tui.app.transcript import Transcript


class ThreadTranscript(Transcript):
    """A transcript whose border says which thread it shows, and what is looked for in it."""

    BINDINGS = bindings_for("transcript")

    def __init__(self, *, classes: str) -> None:
        super().__init__(classes=classes)
        self._title = ""
        self._pane = ""
        self._wanted = ""
        self._typing = False

    def show_title(self, title: str, pane: str = "") -> None:
        """Put the thread's title into the upper border, and which of several panes this is."""
        self._title, self._pane = title, pane
        self._show_border()

    def on_transcript_state_changed(self) -> None:
        count = f"{self.message_count} message{'' if self.message_count == 1 else 's'}" if self.message_count else ""
        follows = "↓ following" if self.following and count else ""
        plain = "plain text" if self.plain else ""
        self.border_subtitle = " · ".join(part for part in (plain, follows, count) if part)

    def action_plain(self) -> None:
        """Show texts as they were written, or with their markup drawn."""
        self.show_plain(not self.plain)
        self.on_transcript_state_changed()

    def action_find(self) -> None:
        """Type what is looked for; the text is marked meanwhile."""
        self._typing, self._wanted = True, ""
        self._look()

    def action_find_next(self, step: int) -> None:
        """Go to the next place of what is looked for."""
        if not self._wanted:
            self.action_find()
            return
        self.find_next(step)
        self._show_border()

    def look_for_words(self, text: str) -> None:
        """Mark the words of a search."""
        self._typing, self._wanted = False, text
        self._look(words=True)

    def _look(self, *, words: bool = False) -> None:
        self.look_for(self._wanted, words=words)
        self._show_border()
        self.refresh_bindings()

    def _show_border(self) -> None:
        looking = ""
        if self._typing or self._wanted:
            place, count = self.found_place
            found = f" {place} of {count} message{'' if count == 1 else 's'}" if count else " not found"
            looking = f"/{self._wanted}{'▏' if self._typing else ''}{found if self._wanted.strip() else ''}"
        title = one_line(self._title) or "New thread"
        self.border_title = Content(" · ".join(part for part in (self._pane, title, looking) if part))

    def check_consume_key(self, key: str, character: str | None = None) -> bool:  # noqa: ARG002
        return self._typing and character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" and (self._typing or self._wanted):
            self._typing, self._wanted = False, ""
        elif not self._typing:
            return
        elif event.key == "enter":
            self._typing = False
        elif event.key == "backspace":
            self._wanted = self._wanted[:-1]
        elif event.is_printable and event.character:
            self._wanted += event.character
        else:
            return
        event.stop()
        event.prevent_default()
        if event.key == "enter":
            self._show_border()
            self.refresh_bindings()
        else:
            self._look()
