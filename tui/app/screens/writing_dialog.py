"""A text of several lines to be written or changed: messages, notes, system prompts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from tui.app.actions import bindings_for
from tui.app.stylesheets import stylesheet

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, and whether it was kept by the second key."""

    text: str
    second: bool = False


class WritingDialog(ModalScreen[Written | None]):
    """Answers with the text, or with nothing. A changed text is not thrown away without asking."""

    BINDINGS = [*bindings_for("writing"), *bindings_for("dialogs")]
    CSS_PATH = stylesheet("dialogs")

    def __init__(self, title: str, text: str, *, second: str = "", note: str = "") -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._second = second
        self._note = note
        self.field = TextArea(text, show_line_numbers=False, soft_wrap=True, tab_behavior="focus", compact=True)
        self.field.cursor_blink = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog writing") as pane:
            pane.border_title = self._title
            second = f"^r {self._second} · " if self._second else ""
            pane.border_subtitle = f"^s keep · {second}F5 editor · esc cancel"
            if self._note:
                yield Static(self._note, markup=False, classes="note")
            yield self.field

    def on_mount(self) -> None:
        # Textual would do this by itself, but after the first drawing: what is typed before would be lost.
        self.set_focus(self.field)
        self.field.move_cursor(self.field.document.end)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "keep_second":
            return bool(self._second)
        return super().check_action(action, parameters)

    def action_keep(self) -> None:
        self._after_typing(self._keep)

    def action_keep_second(self) -> None:
        self._after_typing(self._keep, second=True)

    def action_editor(self) -> None:
        self._after_typing(self._open_editor)

    def _after_typing(self, then: Callable[..., None], **how: bool) -> None:
        """Do it behind the keys that came before this one: they may still wait for the field."""
        self.field.call_later(self.call_later, then, **how)

    def _keep(self, *, second: bool = False) -> None:
        self.dismiss(Written(self.field.text, second))

    def _open_editor(self) -> None:
        self.run_worker(cast("LmdeckApp", self.app).attempt(self._edit()))

    async def _edit(self) -> None:
        from tui.app.external_editor import edit_text

        text = edit_text(self.app, self.field.text)
        if text is not None:
            self.field.load_text(text)
            self.field.move_cursor(self.field.document.end)

    def action_close(self) -> None:
        if self.field.text == self._text:
            self.dismiss(None)
            return
        from tui.app.screens.dialogs import ConfirmDialog

        def answered(discard: bool | None) -> None:
            if discard:
                self.dismiss(None)

        question = "What you have changed here would be lost. esc goes back to it, ^s there keeps it."
        self.app.push_screen(ConfirmDialog("Discard the changes?", question, "discard"), answered)
