"""The list of requests, newest first, redrawn row by row while they change."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.message import Message

from tui.app.actions import bindings_for
from tui.app.figures import count_text, fit, one_line
from tui.app.widgets.row_list import Pieces, RowList
from tui.domain import RequestRecord

PATH_WIDTH = 20
CLIENT_WIDTH = 12
WIDTH_FOR_CLIENT = 92

_SIGNS: dict[str, tuple[str, str]] = {
    "done": ("✓", "quiet"), "failed": ("✗", "problem"), "cancelled": ("–", "quiet"), "queued": ("○", "live"),
}  # fmt: skip


class RequestList(RowList[RequestRecord]):
    """Follows the newest request while the cursor is on the first row; elsewhere the cursor stays with its request."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--problem"}
    BINDINGS = [*bindings_for("requests"), *bindings_for("request")]

    @dataclass
    class Sought(Message):
        """Other words are looked for."""

        text: str

    def __init__(self, speed: Callable[[RequestRecord], float]) -> None:
        super().__init__("Requests", classes="pane")
        self._speed = speed
        self._sought = ""

    def key_of(self, item: RequestRecord) -> str:
        return item.id

    def search_text(self, item: RequestRecord) -> str:  # noqa: ARG002
        """What fits is found out where all the texts are, which is not here."""
        return self.filter_text

    def show(self, records: Sequence[RequestRecord]) -> None:
        """Bring the rows up to date, drawing only those that differ."""
        following = self.cursor == 0
        if [record.id for record in records] == [record.id for record in self.items]:
            changed = [row for row, record in enumerate(records) if record != self.items[row]]
            self.items = list(records)
            self._shown = list(records)
            for row in changed:
                self.refresh_lines(row, 1)
        else:
            self.set_items(records)
            if following and self.cursor:
                self.cursor = 0
        self._show_state()

    def show_empty(self, text: str) -> None:
        """Say something else while there are no rows."""
        if text != self.empty_text:
            self.empty_text, self._empty_lines = text, []
            self.refresh()

    def _refilter(self) -> None:
        super()._refilter()
        if self.filter_text != self._sought:
            self._sought = self.filter_text
            self.post_message(self.Sought(self.filter_text))

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self._show_state()

    def _show_state(self) -> None:
        follows = "↑ following" if self.cursor == 0 and self.items else ""
        count = f"{len(self.items):,}" if self.items else ""
        self.border_subtitle = " · ".join(part for part in (follows, count) if part)

    def pieces(self, item: RequestRecord, width: int, *, at_cursor: bool) -> Pieces:  # noqa: ARG002
        sign, role = _SIGNS.get(item.state, ("●", "live"))
        clock = time.strftime(" %H:%M:%S ", time.localtime(item.started))
        figures = self._figures(item)
        client = f" {fit(program(item.client), CLIENT_WIDTH)}" if width >= WIDTH_FOR_CLIENT else ""
        status = f" {item.status or '':<3} "
        room = width - len(clock) - 1 - len(status) - PATH_WIDTH - 1 - len(client) - len(figures)
        return [
            (clock, "quiet"),
            (sign, role),
            (status, role if item.state == "failed" else "quiet"),
            (fit(one_line(short_path(item)), PATH_WIDTH) + " ", ""),
            (fit(one_line(item.model), room), "quiet"),
            (client, "quiet"),
            (figures, "live" if not item.over else ""),
        ]

    def _figures(self, item: RequestRecord) -> str:
        """Tokens, speed and time in fixed columns; before the first token what it does instead."""
        seconds = f"{item.seconds:7.2f} s " if item.seconds < 1000 else f"{item.seconds / 60:5.0f} min "
        tokens = item.stats.generated_tokens if item.stats is not None else item.tokens
        if not item.over and not tokens:
            return f" {fit(item.progress or 'waiting', 20)}{seconds}"
        count = f"{count_text(tokens)} tok" if tokens else ""
        return f" {count:>8}{_speed_text(self._speed(item)):>12}{seconds}"


def _speed_text(speed: float) -> str:
    if not speed:
        return ""
    return f"{speed:.1f} tok/s" if speed < 1000 else f"{speed:,.0f} tok/s"


def short_path(record: RequestRecord) -> str:
    """What was asked for: the path, with its method where that is not the usual one."""
    usual = record.method == "POST" or (record.method == "GET" and record.path.endswith("/models"))
    return record.path if usual else f"{record.method} {record.path}"


def program(client: str) -> str:
    """The program of a client, without address and version: `python-httpx` of `127.0.0.1:5 python-httpx/0.28`."""
    address, _, agent = client.partition(" ")
    return one_line(agent.partition(" ")[0].partition("/")[0]) or address
