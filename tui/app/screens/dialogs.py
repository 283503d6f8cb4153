"""Small dialogs: yes or no, and one line of text."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.app.actions import bindings_for
from tui.app.stylesheets import stylesheet


class ConfirmDialog(ModalScreen[bool]):
    """Asks before something that cannot be taken back. Enter or y says yes."""

    BINDINGS = bindings_for("dialogs")
    CSS_PATH = stylesheet("dialogs")

    def __init__(self, title: str, question: str, yes: str) -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._yes = yes

    def compose(self) -> ComposeResult:
        pane = Static(self._question, markup=False, classes="dialog question")
        pane.border_title = self._title
        pane.border_subtitle = f"y {self._yes} · esc cancel"
        yield pane

    def on_key(self, event: events.Key) -> None:
        if event.key in ("y", "enter"):
            event.stop()
            self.dismiss(True)
        elif event.key == "n":
            event.stop()
            self.dismiss(False)

    def action_close(self) -> None:
        self.dismiss(False)


class TextDialog(ModalScreen[str | None]):
    """Asks for one line of text. Answers with nothing when it is cancelled or empty."""

    BINDINGS = bindings_for("dialogs")
    CSS_PATH = stylesheet("dialogs")

    def __init__(self, title: str, value: str, hint: str = "enter keep · esc cancel") -> None:
        super().__init__()
        self._title = title
        self._value = value
        self._hint = hint

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog question") as pane:
            pane.border_title = self._title
            pane.border_subtitle = self._hint
            field = Input(self._value, compact=True, select_on_focus=True)
            field.cursor_blink = False
            yield field

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)

    def action_close(self) -> None:
        self.dismiss(None)


class NumberDialog(ModalScreen[int | None]):
    """Asks for one of several numbered things. A digit is enough where no longer number begins with it."""

    BINDINGS = bindings_for("dialogs")
    CSS_PATH = stylesheet("dialogs")

    def __init__(self, title: str, lines: list[str]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._typed = ""

    def compose(self) -> ComposeResult:
        rows = [
            Content.assemble((f"{number:>3}  ", "$primary bold"), line) for number, line in enumerate(self._lines, 1)
        ]
        pane = Static(Content("\n").join(rows), classes="dialog question")
        pane.border_title = self._title
        pane.border_subtitle = f"1–{len(self._lines)} · esc cancel"
        yield pane

    def on_key(self, event: events.Key) -> None:
        if event.character is not None and event.character.isdecimal():
            event.stop()
            self._typed += event.character
            if int(self._typed) * 10 > len(self._lines):
                self._answer()
        elif event.key == "enter":
            event.stop()
            self._answer()

    def _answer(self) -> None:
        number = int(self._typed or 0)
        self._typed = ""
        if 1 <= number <= len(self._lines):
            self.dismiss(number)

    def action_close(self) -> None:
        self.dismiss(None)
