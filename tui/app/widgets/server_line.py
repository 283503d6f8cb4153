"""The top row of the server view: on or off, where, who may come, and what was done."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from tui.app.figures import count_text, fit, one_line


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What the row shows."""

    address: str = ""
    """Empty while it is off."""
    moving: str = ""
    """What is being done to it, such as "starting"."""
    problem: str = ""
    open: bool = False
    """Whether other machines can reach it."""
    since: float = 0.0
    running: int = 0
    requests: int = 0
    failed: int = 0


class ServerLine(Widget):
    """One row of fixed height."""

    facts = ServerFacts()

    def show(self, facts: ServerFacts) -> None:
        """Draw other facts, if they differ."""
        if facts != self.facts:
            self.facts = facts
            self.refresh()

    def render(self) -> Content:
        return server_line(self.facts, self.size.width)


def server_line(facts: ServerFacts, width: int) -> Content:
    """The row in `width` cells. The figures at the right keep their places."""
    wide = width >= 100
    left: list[tuple[str, str]] = [
        (" ", ""),
        ("▍lmdeck  " if wide else "▍", "$primary bold"),
        *_state(facts, wide=wide),
    ]
    right = _figures(facts, wide=wide)
    room = width - cell_len(right) - 1
    used = sum(cell_len(text) for text, _ in left)
    if used > room:
        text, style = left[-1]
        left[-1] = (fit(text, max(0, cell_len(text) - (used - room))), style)
        used = room
    return Content.assemble(*left, (" " * (room - used), ""), (right, "$foreground 75%"))


def _state(facts: ServerFacts, *, wide: bool) -> list[tuple[str, str]]:
    if facts.moving:
        return [("◌ ", "$warning"), (f"{facts.moving} …", "")]
    if facts.problem:
        return [("✗ ", "$error"), (one_line(facts.problem), "$error")]
    if not facts.address:
        return [("○ ", "$foreground 60%"), ("server off", "$foreground 75%")]
    pieces = [("● ", "$warning" if facts.open else "$success"), (facts.address, "bold")]
    if facts.open:
        pieces.append(("  open to the network", "$warning"))
    elif wide:
        pieces.append(("  this machine only", "$foreground 60%"))
    if wide:
        pieces.append((time.strftime("  since %H:%M", time.localtime(facts.since)), "$foreground 60%"))
    return pieces


def _figures(facts: ServerFacts, *, wide: bool) -> str:
    if not facts.requests and not facts.address:
        return ""
    running = f"{facts.running:>3} running" if wide else f"{facts.running:>3} run"
    return f"{running}  {count_text(facts.requests):>4} req  {count_text(facts.failed):>3} failed"
