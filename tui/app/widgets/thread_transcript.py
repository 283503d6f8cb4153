"""The transcript as a pane of the chat screen: its keys, its title, its count."""

from __future__ import annotations

from textual.content import Content

from tui.app.actions import bindings_for
from tui.app.figures import one_line
from tui.app.transcript import Transcript


class ThreadTranscript(Transcript):
    """A transcript whose border says which thread it shows."""

    BINDINGS = bindings_for("transcript")

    def show_title(self, title: str) -> None:
        """Put the thread's title into the upper border."""
        self.border_title = Content(one_line(title) or "New thread")

    def on_transcript_state_changed(self) -> None:
        count = f"{self.message_count} message{'' if self.message_count == 1 else 's'}" if self.message_count else ""
        follows = "↓ following" if self.following and count else ""
        self.border_subtitle = " · ".join(part for part in (follows, count) if part)
