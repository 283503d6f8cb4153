"""A field to type in, and below it what was found so far: for search, for jumping, for choosing a folder or a file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.app.actions import bindings_for
from tui.app.stylesheets import stylesheet
from tui.app.widgets.pick_list import PickList, PickRow
from tui.app.widgets.row_list import RowList

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp

REST = 0.08
"""Seconds without a key after which is looked up what was typed."""

LookUp = Callable[[str], Awaitable[list[PickRow]]]


class PickDialog(ModalScreen[str | None]):
    """Answers with the key of what was picked, or with nothing. Looking up never holds up the typing."""

    BINDINGS = [*bindings_for("picking"), *bindings_for("dialogs")]
    CSS_PATH = stylesheet("dialogs")

    def __init__(
        self, title: str, look_up: LookUp, *, text: str = "", empty: str = "Nothing is found.", hint: str = "enter open"
    ) -> None:
        super().__init__()
        self._title = title
        self._look_up = look_up
        self.typed = text
        """What stands in the field."""
        self._hint = hint
        self._looking: asyncio.Task[None] | None = None
        self._wanted = False  # whether enter was pressed before anything was found
        self.rows = PickList()
        self.rows.empty_text = ""
        self._empty = empty

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog picker") as pane:
            pane.border_title = self._title
            pane.border_subtitle = f"{self._hint} · ↑↓ choose · esc close"
            field = Input(self.typed, compact=True, select_on_focus=True, placeholder="Type to find…")
            field.cursor_blink = False
            yield field
            yield self.rows

    def on_mount(self) -> None:
        self._begin(self.typed)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.typed = event.value
        self._begin(event.value)

    def _begin(self, text: str) -> None:
        self._wanted = False
        if self._looking is not None:
            self._looking.cancel()
        self._looking = asyncio.create_task(self._find(text))

    async def _find(self, text: str) -> None:
        await asyncio.sleep(REST if text else 0)
        await cast("LmdeckApp", self.app).attempt(self._show(text))

    async def _show(self, text: str) -> None:
        rows = await self._look_up(text)
        if not self.is_attached:
            return
        self.rows.empty_text = self._empty if text.strip() else ""
        self.rows.set_items(rows)
        self.rows.action_first()
        if self._wanted and rows:
            self.picked(rows[0].key)

    def on_unmount(self) -> None:
        if self._looking is not None:
            self._looking.cancel()

    def type(self, text: str) -> None:
        """Put another text into the field."""
        field = self.query_one(Input)
        field.value = text
        field.cursor_position = len(text)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._looking is not None and not self._looking.done():
            self._wanted = True
        elif self.rows.current is not None:
            self.picked(self.rows.current.key)

    @on(RowList.Chosen)
    def _clicked(self, event: RowList.Chosen) -> None:
        event.stop()
        self.picked(event.key)

    def picked(self, key: str) -> None:
        """Something was picked."""
        self.dismiss(key)

    def action_move(self, rows: int) -> None:
        self.rows.action_move(rows)

    def action_page(self, pages: int) -> None:
        self.rows.action_page(pages)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.rows.action_move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.rows.action_move(-1)

    def action_close(self) -> None:
        self.dismiss(None)
