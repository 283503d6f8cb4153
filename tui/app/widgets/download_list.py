"""The list of downloads: how far each is, how fast, and what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len

from tui.app.actions import bindings_for
from tui.app.figures import fit, one_line
from tui.app.hub_text import active_text, download_figures, download_state
from tui.app.widgets.row_list import Pieces, RowList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.models.downloads import Download

_SIGNS = {
    "queued": ("·", "quiet"), "downloading": ("↓", "live"), "waiting": ("◌", "problem"), "verifying": ("≡", "live"),
    "paused": ("‖", "quiet"), "completed": ("✓", "live"), "failed": ("✗", "problem"), "cancelled": ("✗", "quiet"),
}  # fmt: skip
_BAR = 20
_WIDE = 96
_SHORTEST_REASON = 24
"""Cells below which the beginning of a reason says nothing."""


class DownloadList(RowList["Download"]):
    """Downloads, the newest first."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--problem"}
    BINDINGS = bindings_for("downloads")

    def __init__(self) -> None:
        super().__init__("Downloads", classes="pane")

    def key_of(self, item: Download) -> str:
        return item.id

    def search_text(self, item: Download) -> str:
        return f"{item.repository} {item.name} {item.state}"

    def show(self, downloads: Sequence[Download]) -> None:
        """Bring the rows up to date, drawing only those that differ."""
        if [one.id for one in downloads] == [one.id for one in self._shown] == [one.id for one in self.items]:
            changed = [row for row, one in enumerate(downloads) if one != self._shown[row]]
            self.items, self._shown = list(downloads), list(downloads)
            for row in changed:
                self.refresh_lines(row, 1)
        else:
            self.set_items(downloads)
        self.border_subtitle = active_text(downloads)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "open":
            return self.current is not None and self.current.state == "completed"
        return super().check_action(action, parameters)

    def pieces(self, item: Download, width: int, *, at_cursor: bool) -> Pieces:
        sign, role = _SIGNS[item.state]
        figures = download_figures(item) if item.state not in ("cancelled", "failed") else ""
        state = "" if item.state in ("downloading", "completed") and not item.elsewhere else download_state(item)
        bar = ""
        if width >= _WIDE and item.state in ("downloading", "paused", "waiting", "verifying", "queued"):
            full = round(item.part * _BAR)
            bar = "█" * full + "░" * (_BAR - full) + " "
        right = f" {bar}{figures} "
        if state:
            # What is said of it takes the place of the rate, which it has not got.
            right = f" {bar}{figures[:24]} {fit(one_line(state), 18)} " if figures else f" {one_line(state)} "
        name = one_line(f"{item.repository.partition('/')[2]} {item.name}")
        room = width - 2 - cell_len(right)
        named = [(f"{sign} ", role), (fit(name, room), "bold" if at_cursor else "")]
        if item.state == "failed" and room - cell_len(name) > _SHORTEST_REASON:
            named[1] = (f"{name}  ", named[1][1])
            named.append((fit(one_line(item.problem), room - cell_len(name) - 2), "problem"))
        return [*named, (right, "quiet")]
