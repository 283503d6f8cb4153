"""The keys that work where the person is."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui.app.action import Where
from tui.app.actions import ACTIONS, bindings_for, key_label
from tui.app.figures import fit
from tui.app.stylesheets import stylesheet
from tui.app.widgets.key_bar import active_keys
from tui.app.widgets.row_list import wrap

HEADINGS: dict[Where, str] = {
    "composer": "In the composer", "transcript": "In the transcript", "threads": "In the list of threads",
    "lists": "In every list", "log": "In the log", "models": "Among the models", "load": "Before loading",
    "bench": "After measuring", "sampling": "With the thread's settings", "parameters": "Among the parameters",
    "requests": "Among the requests", "request": "With a request", "options": "Among the options",
    "tokens": "Among the tokens", "server": "In the server view", "picking": "Among what was found",
    "writing": "While you write", "reading": "In this text", "repositories": "Among the models found",
    "choices": "Among the files", "downloads": "Among the downloads", "discover": "When finding models",
    "dialogs": "In this dialog", "chat": "In the chat", "places": "From place to place", "everywhere": "Everywhere",
}  # fmt: skip
"""In the order in which help lists them: what is nearest comes first."""

EDITING = "ctrl+a ctrl+e line ends, ctrl+w word, ctrl+u ctrl+k line before and after, ctrl+z ctrl+y undo and redo"
KEYS_WIDTH = 20

HelpEntry = tuple[Where, str, str, str]
"""Where it applies, keys, title, help."""


def help_entries(screen: Screen[Any]) -> list[HelpEntry]:
    """Everything that a key does now, nearest first."""
    keys = active_keys(screen)
    entries: list[HelpEntry] = [
        (action.where, "  ".join(key_label(key) for key in keys[action.id]), action.title, action.help)
        for where in HEADINGS
        for action in ACTIONS
        if action.where == where and action.id in keys
    ]
    if any(where == "composer" for where, *_ in entries):
        last = max(index for index, entry in enumerate(entries) if entry[0] == "composer")
        entries.insert(last + 1, ("composer", "editing", "As in a shell", EDITING))
    return entries


class HelpScreen(ModalScreen[None]):
    """A scrollable list of keys, as the person's key map has them."""

    BINDINGS = [*bindings_for("dialogs"), ("q,question_mark", "close")]
    CSS_PATH = stylesheet("dialogs")

    def __init__(self, entries: list[HelpEntry]) -> None:
        super().__init__()
        self._entries = entries

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog help") as pane:
            pane.border_title = "Help"
            pane.border_subtitle = "esc close"
            yield Static()

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        table = self.query_one(Static)
        table.update(self._content(table.size.width))

    def _content(self, width: int) -> Content:
        """The entries in `width` cells; what is too long goes on below itself, not below its key."""
        parts: list[str | tuple[str, str]] = []
        heading = ""
        for where, keys, title, help_text in self._entries:
            if HEADINGS[where] != heading:
                parts.append((f"{chr(10) if heading else ''}{HEADINGS[where]}\n", "bold"))
                heading = HEADINGS[where]
            first, *more = wrap(f"{title}  {help_text}", width - KEYS_WIDTH - 3)
            parts += [(f"  {fit(keys, KEYS_WIDTH)} ", "$primary"), title]
            parts.append((first.removeprefix(title) + "\n", "$foreground 60%"))
            parts += [(f"{'':{KEYS_WIDTH + 3}}{line}\n", "$foreground 60%") for line in more]
        return Content.assemble(*parts)

    def action_close(self) -> None:
        self.dismiss(None)
