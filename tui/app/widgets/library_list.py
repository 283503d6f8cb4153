"""The table of My Models: a row for each model, its variants folded under one name."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from textual.content import Content
from textual.widget import Widget

from tui.app.actions import bindings_for
from tui.app.figures import fit, one_line
from tui.app.model_rows import ModelRow, columns_for, header_text, searched
from tui.app.widgets.row_list import Pieces, RowList

_MARKS = 4
"""Cells for loaded or broken, and for pinned or folded."""


class LibraryList(RowList[ModelRow]):
    """A dot marks loaded models, a cross those that cannot be used, a star pinned ones, a triangle folded variants."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--problem"}
    BINDINGS = bindings_for("library")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__("My models")
        self._clock = clock
        self.loaded: frozenset[str] = frozenset()

    def key_of(self, item: ModelRow) -> str:
        return item.id

    def search_text(self, item: ModelRow) -> str:
        return searched(item)

    def header(self) -> Content:
        """The line above the rows, in the width that they have."""
        width = self.scrollable_content_region.width - 1 - _MARKS
        return Content.styled(f"{' ' * (1 + _MARKS)}{header_text(max(0, width))}", "$foreground 55%")

    def pieces(self, item: ModelRow, width: int, *, at_cursor: bool) -> Pieces:  # noqa: ARG002
        room = width - _MARKS
        now = self._clock()
        cells = "".join(column.cell(item, now) for column in columns_for(room))
        name = fit(one_line(f"  {item.name}" if item.below else item.name), room - len(cells))
        keys = {item.info.key, *(model.key for model in item.variants)}
        star = "★" if item.pinned else " "
        fold = (" ", "▸", "▾")[bool(item.variants) + item.open]
        if not item.info.usable:
            return [("✗ ", "problem"), (star + fold, "quiet"), (name + cells, "quiet")]
        loaded = bool(self.loaded & keys)
        return [
            ("● " if loaded else "  ", "live"),
            (star + fold, "quiet"),
            (name, "bold" if loaded else ""),
            (cells, "quiet"),
        ]

    def _show_title(self) -> None:
        # The border is that of the pane, which has the titles of the columns as well.
        super()._show_title()
        title, self.border_title = self.border_title, None
        if isinstance(self.parent, Widget):
            self.parent.border_title = title
