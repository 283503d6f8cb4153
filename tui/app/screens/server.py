"""The server view: whether it is on and for whom, what is loaded, and every request as it comes."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from textual import events, on

from tui.app.request_history import search
from tui.app.request_text import SECTIONS, section_lines
from tui.app.screens import server_commands
from tui.app.screens.server_panes import ServerPanes
from tui.app.server_desk import LOOK_EVERY
from tui.app.server_options import option_rows
from tui.app.widgets.request_list import RequestList
from tui.app.widgets.row_list import RowList
from tui.app.widgets.served_models import ServedModel
from tui.app.widgets.server_line import ServerFacts

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.domain import LocalServer, RequestRecord, ServerOptions

SEARCH_DELAY = 0.2
"""Seconds without another letter after which the disk is searched."""

_ON_A_REQUEST = ("section", "copy_section", "copy_curl", "replay", "clear_log")

MODELS_EVERY = 4
"""Looks at the server for each look at the loaded models."""


class ServerScreen(ServerPanes):
    """Looks at the server a few times a second while it is shown; nothing is drawn that did not change."""

    server: LocalServer | None = None
    _shown_options: ServerOptions | None = None
    _shown_detail: tuple[RequestRecord | None, str, int] | None = None
    _delay: Timer | None = None
    _looks = 0
    _any_requests = False

    def on_mount(self) -> None:
        self.begin(self._open())
        self._timer = self.set_interval(LOOK_EVERY, self.look)

    def on_screen_suspend(self) -> None:
        self._timer.pause()

    def on_screen_resume(self) -> None:
        self._timer.resume()

    async def _open(self) -> None:
        self.server = server = await self.desk.server()
        if server is None:
            return
        self.look()
        await self.refresh_tokens()
        self.history.add_older(await asyncio.to_thread(server.log.search))
        self.look()

    def look(self) -> None:
        """Take over what has changed since the last look."""
        server = self.server
        if server is None:
            return
        state, totals = server.state, server.log.totals()
        running = server.log.running()
        self.status_line.show(
            ServerFacts(
                address=state.address,
                moving=self.desk.moving,
                problem=self.desk.problem or state.problem or server.log.problem,
                open=not server.options.is_local,
                since=state.since,
                running=running,
                requests=totals.requests,
                failed=totals.failed,
            )
        )
        if server.options is not self._shown_options:
            self._shown_options = server.options
            self.options.set_items(option_rows(server.options))
        self.history.update(server.log.latest(), time.monotonic())
        self._show_requests(server)
        self._looks += 1
        if self._looks % MODELS_EVERY == 1:
            self.begin(self._show_models(server), "models")

    def _show_requests(self, server: LocalServer) -> None:
        records = self.history.shown()
        if not records:
            self.requests.show_empty(server_commands.empty_text(server, self.requests.filter_text))
        self.requests.show(records)
        self.show_detail()
        if bool(records) != self._any_requests:
            self._any_requests = bool(records)
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _ON_A_REQUEST:
            return self.requests.current is not None
        return super().check_action(action, parameters)

    async def _show_models(self, server: LocalServer) -> None:
        loaded = await asyncio.to_thread(self.workbench.loaded)
        records = [record for record in server.log.latest() if not record.over]
        waiting = [record.model for record in records if record.state == "queued"]
        models = [
            ServedModel(
                key=model.key,
                running=max(0, model.running - waiting.count(model.key)),
                waiting=waiting.count(model.key),
                memory=model.memory_bytes,
                goes_after=model.ttl,
            )
            for model in loaded
        ]
        coming = {record.model: record.progress for record in records if record.state == "loading"}
        known = {model.key for model in models}
        models += [ServedModel(key, 0, 0, 0, None, progress) for key, progress in coming.items() if key not in known]
        self.models.show(models)

    def show_detail(self) -> None:
        """Bring the details up to date, if there is anything new in them."""
        record = self.requests.current
        wanted = (record, self.detail.section, self.detail.text_width)
        if not self.detail.display or wanted == self._shown_detail:
            return
        same = self._shown_detail is not None and self._is_same(self._shown_detail, record)
        self._shown_detail = wanted
        self.begin(self._draw_detail(record, keep=same), "detail")

    def _is_same(self, shown: tuple[RequestRecord | None, str, int], record: RequestRecord | None) -> bool:
        before, section, _ = shown
        return before is not None and record is not None and before.id == record.id and section == self.detail.section

    async def _draw_detail(self, record: RequestRecord | None, *, keep: bool) -> None:
        server, section, width = self.server, self.detail.section, self.detail.text_width
        if record is None or server is None:
            self.detail.show((), keep=False)
            self.detail.border_subtitle = ""
            return
        # Requests from disk are listed without their texts.
        whole = await asyncio.to_thread(server.log.find, record.id) or record
        lines = await asyncio.to_thread(section_lines, whole, section, width)
        self.detail.show(lines, keep=keep)
        self.detail.border_subtitle = time.strftime("%H:%M:%S", time.localtime(record.started)) + " · ←→ section"

    def on_resize(self, _: events.Resize) -> None:
        self.call_after_refresh(self.show_detail)

    def _focus_moved(self, event: events.DescendantFocus) -> None:
        super()._focus_moved(event)
        self.call_after_refresh(self.show_detail)

    def action_section(self, step: int) -> None:
        position = SECTIONS.index(self.detail.section)
        self.detail.show_section(SECTIONS[(position + step) % len(SECTIONS)])
        self.show_detail()

    @on(RowList.Chosen)
    def _row_chosen(self, event: RowList.Chosen) -> None:
        if event.rows is self.requests:
            self.show_pane(self.detail)
        elif event.rows is self.options:
            server_commands.change_option(self, event.key)

    @on(RequestList.Sought)
    def _sought(self, event: RequestList.Sought) -> None:
        if self._delay is not None:
            self._delay.stop()
        self._delay = self.set_timer(SEARCH_DELAY, lambda: self.begin(self._search(event.text), "search"))

    async def _search(self, text: str) -> None:
        words = text.casefold().split()
        if self.server is None:
            return
        found, matches = await asyncio.to_thread(search, self.server.log, words) if words else ([], {})
        self.history.add_older(found)
        self.history.look_for(words, matches)
        self._show_requests(self.server)

    async def refresh_tokens(self) -> None:
        """Read the API tokens again."""
        if self.server is not None:
            self.tokens.set_items(await asyncio.to_thread(self.server.tokens.list))

    def action_create_token(self) -> None:
        server_commands.create_token(self)

    def action_revoke_token(self) -> None:
        server_commands.revoke_token(self)

    def action_clear_log(self) -> None:
        server_commands.clear_log(self)

    def action_copy_section(self) -> None:
        self.begin(server_commands.copy_section(self))

    def action_copy_curl(self) -> None:
        self.begin(server_commands.copy_curl(self))

    def action_copy_address(self) -> None:
        server_commands.copy_address(self)

    def action_replay(self) -> None:
        self.begin(server_commands.replay(self))
