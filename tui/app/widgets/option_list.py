"""The server's options, one row for each."""

from __future__ import annotations

from typing import ClassVar

from tui.app.actions import bindings_for
from tui.app.figures import fit, one_line
from tui.app.server_options import OptionRow
from tui.app.widgets.row_list import Pieces, RowList

LABEL_WIDTH = 16


class OptionList(RowList[OptionRow]):
    """Label and value; what lets others in is marked."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--problem"}
    BINDINGS = bindings_for("options")

    def __init__(self) -> None:
        super().__init__("Options", classes="pane")

    def key_of(self, item: OptionRow) -> str:
        return item.parameter.name

    def pieces(self, item: OptionRow, width: int, *, at_cursor: bool) -> Pieces:
        role = "problem" if item.risky else "focus" if at_cursor and self.has_focus else "bold"
        value = f"! {item.value}" if item.risky else item.value
        return [
            (" " + fit(item.parameter.label, LABEL_WIDTH), ""),
            (fit(one_line(value), width - LABEL_WIDTH - 1), role),
        ]
