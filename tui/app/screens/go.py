"""The overlay after ctrl+g: one letter, and you are there."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.app.actions import ACTIONS, bindings_for
from tui.app.figures import fit
from tui.app.stylesheets import stylesheet

COLUMNS = 3
COLUMN = 24


class GoScreen(ModalScreen[str | None]):
    """Answers with the id of the chosen action, or with nothing."""

    BINDINGS = bindings_for("dialogs")
    CSS_PATH = stylesheet("dialogs")

    def compose(self) -> ComposeResult:
        pane = Static(self._content(), classes="dialog go")
        pane.border_title = "Go to"
        pane.border_subtitle = "esc cancel"
        yield pane

    def _content(self) -> Content:
        entries = sorted((action.go, action.title) for action in ACTIONS if action.go)
        rows = -(-len(entries) // COLUMNS)
        parts: list[str | tuple[str, str]] = []
        for row in range(rows):
            for letter, title in entries[row::rows]:
                parts += [(f" {letter}  ", "$primary bold"), fit(title, COLUMN - 5), " "]
            parts.append("\n" if row < rows - 1 else "")
        return Content.assemble(*parts)

    def on_key(self, event: events.Key) -> None:
        chosen = next((action.id for action in ACTIONS if action.go and action.go == event.character), None)
        if chosen is not None:
            event.stop()
            self.dismiss(chosen)

    def action_close(self) -> None:
        self.dismiss(None)
