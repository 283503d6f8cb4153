"""My models: every model on this machine as a table, and everything about the one under the cursor."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import on

from tui.app.library_watch import LOOK_EVERY, LOOK_SOON, LibraryWatch
from tui.app.model_rows import SORTS, ModelRow, rows_of, sums_text
from tui.app.model_text import SECTIONS, detail_lines
from tui.app.screens import library_commands
from tui.app.screens.library_panes import LibraryPanes
from tui.app.widgets.row_list import RowList

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.engine import LoadedModel
    from tui.models import ModelDetails, ModelEntry, SoFar, TrashedModel
    from tui.workbench import Workbench

SORT = "library_sort"
"""The setting that keeps the order of the rows."""

_BORDER = 6
"""Cells of the lower border that are no text."""

_ON_A_MODEL = ("reload", "unload", "pin", "copy_path", "reveal", "show_section", "fold", "delete")


class LibraryScreen(LibraryPanes):
    """Answers with the key of the model to use, or with nothing."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self.loaded: dict[str, LoadedModel] = {}
        self.trash: list[TrashedModel] = []
        self._watch = LibraryWatch(workbench)
        self._so_far: SoFar | None = None
        self._entries: list[ModelEntry] = []
        self._opened: set[str] = set()
        self._sort = str(workbench.settings.get(SORT, SORTS[0]))
        self._details: dict[str, ModelDetails] = {}
        self._unfolded = False
        self._soon: Timer | None = None

    def on_mount(self) -> None:
        self.rows.empty_text = "Looking for models…"
        self.rows.set_items([])
        self.look()
        self.set_interval(LOOK_EVERY, self.look)

    def look(self) -> None:
        """Bring the table up to date."""
        self.begin_last(self._look, "look")

    async def _look(self) -> None:
        so_far = await self._watch.look()
        if not so_far.done:
            if self._soon is not None:
                self._soon.stop()
            self._soon = self.set_timer(LOOK_SOON, self.look)
        loaded = {model.key: model for model in await asyncio.to_thread(self.workbench.loaded)}
        trash = await asyncio.to_thread(lambda: self.workbench.library.trash.items())
        if so_far is self._so_far and loaded.keys() == self.loaded.keys() and trash == self.trash:
            return
        if so_far is not self._so_far:
            self._details.clear()
        self._so_far, self.loaded, self.trash = so_far, loaded, trash
        await self.show_rows()

    async def show_rows(self) -> None:
        """Put the models into rows again, as they are sorted and folded now."""
        so_far = self._so_far
        if so_far is None:
            return
        made = await asyncio.to_thread(self._make_rows, so_far)
        self.rows.loaded = frozenset(self.loaded)
        self.rows.empty_text = "Looking for models…" if not so_far.done else library_commands.empty_text(self)
        self.rows.set_items(made)
        self._show_sums()
        self.show_detail()
        self.refresh_bindings()

    def _show_sums(self) -> None:
        if self._so_far is not None:
            room = self.pane.size.width - _BORDER
            self.pane.border_subtitle = sums_text(self._so_far, len(self._entries), self._sort, room)

    def _make_rows(self, so_far: SoFar) -> list[ModelRow]:
        from tui.models import entries

        usage = self.workbench.usage
        self._entries = entries(so_far.models, usage.last_used)
        return rows_of(self._entries, usage.last_used, usage.pinned, self._opened, self._sort)

    @on(RowList.Highlighted)
    def _cursor_moved(self) -> None:
        self.show_detail()
        self.refresh_bindings()

    def show_detail(self) -> None:
        """Bring the details up to date."""
        self.begin_last(self._show_detail, "detail")

    async def _show_detail(self, *, keep: bool = False) -> None:
        row, section = self.row, self.detail.section
        details = self._details.get(row.info.key) if row is not None else None
        await self._draw(row, details, keep=keep)
        if row is not None and details is None and section != SECTIONS[0]:
            from tui.models import read_details

            details = await asyncio.to_thread(read_details, row.info)
            self._details[row.info.key] = details
            await self._draw(row, details, keep=keep)

    async def _draw(self, row: ModelRow | None, details: ModelDetails | None, *, keep: bool) -> None:
        section, width = self.detail.section, self.detail.text_width
        lines = await asyncio.to_thread(detail_lines, row, details, section, width, unfolded=self._unfolded)
        self.detail.show(lines, keep=keep)

    def details_of(self, row: ModelRow) -> ModelDetails | None:
        """What was read of a model's file."""
        return self._details.get(row.info.key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "undo":
            return bool(self.trash)
        if action == "unload":
            return self.row is not None and self.row.info.key in self.loaded
        if action == "fold":
            return self.row is not None and (bool(self.row.variants) or self.row.below)
        if action in _ON_A_MODEL:
            return self.row is not None
        return super().check_action(action, parameters)

    @on(RowList.Chosen)
    def _chosen(self) -> None:
        row = self.row
        if row is not None and row.info.key in self.loaded:
            self.dismiss(row.info.key)
        else:
            self.action_reload()

    def action_fold(self) -> None:
        row = self.row
        if row is None:
            return
        name = row.info.family if row.below else row.name
        self._opened ^= {name}
        self.begin(self._fold(name))

    async def _fold(self, name: str) -> None:
        await self.show_rows()
        self.rows.highlight(f"entry:{name}")

    def action_sort(self) -> None:
        position = SORTS.index(self._sort) if self._sort in SORTS else -1
        self._sort = SORTS[(position + 1) % len(SORTS)]
        self.deck.remember(SORT, self._sort)
        self.begin(self.show_rows())

    def action_show_section(self, section: str) -> None:
        self.detail.show_section(section)
        self.show_pane(self.detail)
        self.show_detail()

    def action_section(self, step: int) -> None:
        position = SECTIONS.index(self.detail.section)
        self.detail.show_section(SECTIONS[(position + step) % len(SECTIONS)])
        self.show_detail()

    def action_unfold(self) -> None:
        self._unfolded = not self._unfolded
        self.begin_last(lambda: self._show_detail(keep=True), "detail")

    def on_resize(self) -> None:
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        self.header.update(self.rows.header())
        self._show_sums()
        self.show_detail()

    def action_reload(self) -> None:
        library_commands.load(self)

    def action_unload(self) -> None:
        library_commands.unload(self)

    def action_pin(self) -> None:
        library_commands.pin(self)

    def action_delete(self) -> None:
        library_commands.delete(self)

    def action_undo(self) -> None:
        library_commands.undo(self)

    def action_empty_trash(self) -> None:
        library_commands.empty_trash(self)

    def action_import(self) -> None:
        library_commands.import_file(self)

    def action_copy_path(self) -> None:
        library_commands.copy_path(self)

    def action_copy_section(self) -> None:
        library_commands.copy_section(self)

    def action_reveal(self) -> None:
        library_commands.reveal(self)
