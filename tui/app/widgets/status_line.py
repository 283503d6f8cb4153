"""The top row: which model, how full its context is, how fast it speaks, and whether the server is on."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from tui.app.figures import bar, bytes_text, count_text, fit, one_line
from tui.app.widgets.server_mark import MARK_WIDTH, ServerFigures, server_mark

GAUGE_WIDTH = 10
SHORTEST_NAME = 12
"""Cells of the model's name that stay before other figures go."""
WIDTH_FOR_SERVER = 50


_OFF = ServerFigures()


@dataclass(frozen=True, slots=True)
class Status:
    """What the top row shows. Zero means that a figure is not known, and its place stays empty."""

    model: str = ""
    context_used: int = 0
    context_length: int = 0
    speed: float = 0.0
    first_token: float = 0.0
    memory: int = 0
    server: ServerFigures = _OFF


class StatusLine(Widget):
    """One row of fixed height. Figures change digits, never the layout, so a redraw costs a hundred bytes."""

    status = Status()

    def show(self, status: Status) -> None:
        """Draw other figures, if they differ."""
        if status != self.status:
            self.status = status
            self.refresh()

    def render(self) -> Content:
        return status_content(self.status, self.size.width)


def status_content(status: Status, width: int) -> Content:
    """The row in `width` cells. What matters least goes first when there is no room."""
    wide = width >= 100
    brand = "▍lmdeck  " if wide else "▍"
    figures = _figures(status, wide=wide)
    name = one_line(status.model) or "no model: ctrl+o"
    gap = 3 if wide else 2
    mark = server_mark(status.server) if width >= WIDTH_FOR_SERVER else []
    row, width = width, width - (gap + MARK_WIDTH + 1 if mark else 0)
    while figures and 1 + len(brand) + 2 + min(cell_len(name), SHORTEST_NAME) + _room(figures, gap) > width:
        figures.remove(max(figures))
    room = max(0, width - 1 - len(brand) - 2 - _room(figures, gap))
    if cell_len(name) > room:
        name = fit(name, room)
    dot = ("● ", "$success") if status.model else ("○ ", "$foreground 60%")
    parts: list[str | tuple[str, str]] = [" ", (brand, "$primary bold"), dot, (name, "bold" if status.model else "")]
    for _priority, _order, text in sorted(figures, key=lambda figure: figure[1]):
        parts += [" " * gap, (text, "$foreground 75%")]
    if mark:
        used = Content.assemble(*parts).cell_length
        parts += [" " * (row - 1 - MARK_WIDTH - used), *mark]
    return Content.assemble(*parts)


def _room(figures: list[tuple[int, int, str]], gap: int) -> int:
    return sum(gap + cell_len(text) for _, _, text in figures)


def _figures(status: Status, *, wide: bool) -> list[tuple[int, int, str]]:
    """Priority, order and text of each figure. Widths do not depend on the values."""
    figures = []
    if status.context_length:
        part = status.context_used / status.context_length
        percent = f"{min(999, round(part * 100)):>2}%"
        used = f"{count_text(status.context_used):>4}/{count_text(status.context_length)}"
        text = f"ctx {used} {bar(part, GAUGE_WIDTH)}{percent}" if wide else f"ctx {percent}"
        figures.append((1, 1, text))
    if status.model:
        figures.append((2, 2, f"{status.speed:5.1f} tok/s" if status.speed else "   –  tok/s"))
        figures.append((3, 3, f"ttft {status.first_token:5.2f}s" if status.first_token else "ttft     –"))
    if status.memory:
        figures.append((4, 4, f"mem {bytes_text(status.memory)}"))
    return figures
