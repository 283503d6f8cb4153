"""The server's place in the top row: off or on, where, and how many requests it is answering."""

from __future__ import annotations

from dataclasses import dataclass

MARK_WIDTH = 15
"""Cells that it takes whatever it says."""


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """What the top row shows of the server."""

    port: int = 0
    """0 while it is off."""
    open: bool = False
    """Whether other machines can reach it."""
    requests: int = 0
    troubled: bool = False
    """Whether it should run and does not."""


def server_mark(figures: ServerFigures) -> list[tuple[str, str]]:
    """The mark in pieces of text and style, in `MARK_WIDTH` cells: `● :1234   2 req`, with `*` if it is open to all."""
    if not figures.port:
        sign, style = ("✗", "$error") if figures.troubled else ("○", "$foreground 60%")
        return [(sign, style), (f" {'server off':<{MARK_WIDTH - 2}}", "$foreground 60%")]
    where = f"{'*' if figures.open else ''}:{figures.port}"
    count = f"{min(figures.requests, 99)} req" if figures.requests else ""
    text = f" {where:<6}{count:>{MARK_WIDTH - 2 - max(6, len(where))}}"
    return [("●", "$warning" if figures.open else "$success"), (text, "$foreground 75%")]
