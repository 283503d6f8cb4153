"""Asks which model file to import, where it goes and how; what is wrong is said while it is typed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from tui.app.actions import bindings_for
from tui.app.figures import bytes_text, problem_text
from tui.app.stylesheets import stylesheet
from tui.domain import LmdeckError

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp
    from tui.models import Import, Way
    from tui.workbench import Workbench

WAYS: Final[tuple[Way, ...]] = ("move", "copy", "hard link", "symbolic link")
_DELAY: Final = 0.2
"""Seconds without another letter after which the file is looked at."""


class ImportDialog(ModalScreen["Import | None"]):
    """Answers with what shall be done, or with nothing."""

    BINDINGS = bindings_for("dialogs")
    CSS_PATH = stylesheet("dialogs")

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self._workbench = workbench
        self._plan: Import | None = None
        self._confirming = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog question remote import") as pane:
            pane.border_title = "Import a model"
            pane.border_subtitle = "enter import · tab next · esc cancel"
            for name, value, hint in (
                ("file", "", "~/Downloads/Model-Q4_K_M.gguf"),
                ("to", "", "owner/name; empty takes what the file says"),
                ("by", WAYS[0], ", ".join(WAYS)),
            ):
                with Horizontal(classes="field"):
                    yield Label(name.capitalize(), classes="label")
                    field = Input(value, placeholder=hint, id=f"import-{name}", compact=True)
                    field.cursor_blink = False
                    yield field
            yield Static(id="remote-note", markup=False)

    def on_mount(self) -> None:
        self._note(f"It goes into {self._workbench.paths.models}. By: {', '.join(WAYS)}; a letter is enough.")

    def _value(self, name: str) -> str:
        return self.query_one(f"#import-{name}", Input).value.strip()

    @on(Input.Changed)
    def _changed(self) -> None:
        self.set_timer(_DELAY, lambda: self.run_worker(self._look(), group="import", exclusive=True))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._confirming = True
        self.run_worker(self._look(), group="import", exclusive=True)

    async def _look(self) -> None:
        """Find out what would be done; do it where that was asked for."""
        confirming, self._confirming = self._confirming, False
        if not self._value("file"):
            return
        way = next((way for way in WAYS if way.startswith(self._value("by").lower() or "move")), None)
        owner, slash, name = self._value("to").partition("/")
        if way is None:
            self._note(f"✗ By one of: {', '.join(WAYS)}.", wrong=True)
            return
        if bool(owner or name) and not (slash and owner and name):
            self._note("✗ To is of the form owner/name.", wrong=True)
            return
        file = Path(self._value("file").strip("'\""))
        try:
            plan = await asyncio.to_thread(
                lambda: self._workbench.library.plan_import(file, way, owner=owner, name=name)
            )
        except LmdeckError as error:
            self._note(f"✗ {problem_text(error)}", wrong=True)
            return
        except OSError as error:
            cast("LmdeckApp", self.app).report(LmdeckError(f"{file} cannot be looked at: {error.strerror}."))
            return
        if confirming:
            self.dismiss(plan)
            return
        parts = f" ({len(plan.files)} files)" if len(plan.files) > 1 else ""
        self._note(f"{plan.way}: {bytes_text(plan.size)}{parts} → {plan.owner}/{plan.name}/{plan.files[0][1].name}")

    def _note(self, text: str, *, wrong: bool = False) -> None:
        self.query_one("#remote-note", Static).update(Content.styled(text, "$error" if wrong else "$foreground 75%"))

    def action_close(self) -> None:
        self.dismiss(None)
