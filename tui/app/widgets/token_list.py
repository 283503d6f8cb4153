"""The list of API tokens."""

from __future__ import annotations

import time

from tui.app.actions import bindings_for
from tui.app.figures import age_text, fit, one_line
from tui.app.widgets.row_list import Pieces, RowList
from tui.domain import PERMISSIONS, ApiToken


class TokenList(RowList[ApiToken]):
    """Name, what it may do, and how old it is."""

    BINDINGS = bindings_for("tokens")

    def __init__(self) -> None:
        super().__init__("API tokens", classes="pane")
        self.empty_text = "No API token yet.\nn makes one."

    def key_of(self, item: ApiToken) -> str:
        return item.id

    def pieces(self, item: ApiToken, width: int, *, at_cursor: bool) -> Pieces:  # noqa: ARG002
        allowed = "all" if set(item.permissions) == set(PERMISSIONS) else " ".join(item.permissions)
        figures = f" {allowed:<8} {age_text(max(0.0, time.time() - item.created)):>3} "
        return [(" " + fit(one_line(item.name), width - 1 - len(figures)), ""), (figures, "quiet")]
