"""A text to be read and copied: the prompt as the model read it, the facts about a message."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.app.actions import bindings_for
from tui.app.screens.copying import copy_text
from tui.app.stylesheets import stylesheet
from tui.app.transcript.text import clean

MOST_DRAWN = 200_000
"""Characters; more would hold the screen up. All of it is copied."""


class ReadingDialog(ModalScreen[None]):
    """Scrolls; y copies."""

    BINDINGS = [*bindings_for("reading"), *bindings_for("dialogs")]
    CSS_PATH = stylesheet("dialogs")

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog reading") as pane:
            pane.border_title = self._title
            pane.border_subtitle = "y copy · esc close"
            shown = clean(self._text[:MOST_DRAWN])
            if len(self._text) > MOST_DRAWN:
                shown += f"\n… {len(self._text) - MOST_DRAWN:,} more characters; y copies them too."
            yield Static(shown, markup=False)

    def action_copy(self) -> None:
        copy_text(self, self._text, "Text")

    def action_close(self) -> None:
        self.dismiss(None)
