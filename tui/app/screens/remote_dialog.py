"""Adds a remote engine: a name, an address and a key that is never seen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.app.actions import bindings_for
from tui.app.figures import problem_text
from tui.app.stylesheets import stylesheet
from tui.domain import BadRequest, LmdeckError

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp
    from tui.workbench import Workbench

ABOUT = "Any OpenAI-compatible server: another lmdeck, llama-server, vLLM. Its models join the list beside yours."
FIELDS = (
    ("name", "Name", "home"),
    ("url", "Address", "http://192.168.1.20:1234/v1"),
    ("key", "API key", "if it wants one"),
)
"""Id, label and example of each line."""


class RemoteDialog(ModalScreen[str | None]):
    """Answers with the name of the remote engine that was added, or with nothing."""

    BINDINGS = bindings_for("dialogs")
    CSS_PATH = stylesheet("dialogs")
    AUTO_FOCUS = "#name"

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._adding = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog question remote") as pane:
            pane.border_title = "Add a remote engine"
            pane.border_subtitle = "enter next line, then add · esc cancel"
            for name, label, example in FIELDS:
                with Horizontal(classes="field"):
                    yield Static(label, markup=False, classes="label")
                    field = Input(id=name, placeholder=example, compact=True, password=name == "key")
                    field.cursor_blink = False
                    yield field
            yield Static(Content.styled(ABOUT, "$foreground 60%"), id="remote-note")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """The last field adds, those before it lead to the next."""
        if event.input.id == "key":
            self._add()
        else:
            self.focus_next(Input)

    def _add(self) -> None:
        if not self._adding:
            self._adding = True
            self.run_worker(cast("LmdeckApp", self.app).attempt(self._add_now()))

    async def _add_now(self) -> None:
        name, url, key = (self.query_one(f"#{field}", Input).value for field, *_ in FIELDS)
        try:
            endpoint = await asyncio.to_thread(self._workbench.add_remote, name, url, key)
        except LmdeckError as error:
            self.query_one("#remote-note", Static).update(Content.styled(f"✗ {problem_text(error)}", "$error"))
            if isinstance(error, BadRequest):
                self.query_one(f"#{error.field}", Input).focus()
        else:
            self.dismiss(endpoint.name)
        finally:
            self._adding = False

    def action_close(self) -> None:
        self.dismiss(None)
