"""Dialogs of the server view: opening it to the network, and a token that is shown once."""

from __future__ import annotations

from typing import Literal

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.app.actions import bindings_for
from tui.app.screens.copying import copy_text
from tui.app.stylesheets import stylesheet

NetworkChoice = Literal["with tokens", "without tokens", "other address"]

_WARNING = """\
Every machine that can reach this one may then use your models, load others, and ask without end. \
What is said goes over the network unencrypted.

Require API tokens unless you trust everybody on every network that this machine joins."""


class NetworkDialog(ModalScreen[NetworkChoice | None]):
    """Asks before other machines are let in. There is no default: one of the keys has to be meant."""

    BINDINGS = bindings_for("dialogs")
    CSS_PATH = stylesheet("dialogs")
    _KEYS: dict[str, NetworkChoice] = {"t": "with tokens", "w": "without tokens", "o": "other address"}

    def compose(self) -> ComposeResult:
        choices = (
            ("t", "open it, and require API tokens (recommended)"),
            ("w", "open it without tokens"),
            ("o", "listen on one address only"),
        )
        rows = [Content.assemble((f"  {key}  ", "$primary bold"), text) for key, text in choices]
        pane = Static(Content("\n").join([Content(_WARNING), Content(""), *rows]), classes="dialog question")
        pane.border_title = "Let other machines in?"
        pane.border_subtitle = "esc cancel"
        yield pane

    def on_key(self, event: events.Key) -> None:
        if event.key in self._KEYS:
            event.stop()
            self.dismiss(self._KEYS[event.key])

    def action_close(self) -> None:
        self.dismiss(None)


class TokenDialog(ModalScreen[None]):
    """Shows a new token, which nobody can see again."""

    BINDINGS = bindings_for("dialogs")
    CSS_PATH = stylesheet("dialogs")

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self._name = name
        self._text = text

    def compose(self) -> ComposeResult:
        lines = (
            Content.styled(self._text, "$success bold"),
            Content(""),
            Content("It is shown this once. Clients send it as Authorization: Bearer, or as their API key."),
        )
        pane = Static(Content("\n").join(lines), classes="dialog question")
        pane.border_title = Content(f"API token “{self._name}”")
        pane.border_subtitle = "y copy · esc close"
        yield pane

    def on_key(self, event: events.Key) -> None:
        if event.key == "y":
            event.stop()
            copy_text(self, self._text, "API token")

    def action_close(self) -> None:
        self.dismiss(None)
