"""The layout of the server view, and how the focus moves among its panes."""

from __future__ import annotations

import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from textual import events, getters, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui.app.actions import bindings_for
from tui.app.request_history import RequestHistory
from tui.app.screens.place import Place
from tui.app.stylesheets import stylesheet
from tui.app.widgets.key_bar import KeyBar
from tui.app.widgets.option_list import OptionList
from tui.app.widgets.request_detail import RequestDetail
from tui.app.widgets.request_list import RequestList
from tui.app.widgets.row_list import RowList
from tui.app.widgets.served_models import ServedModels
from tui.app.widgets.server_line import ServerLine
from tui.app.widgets.token_list import TokenList

if TYPE_CHECKING:
    from tui.app.server_desk import ServerDesk
    from tui.workbench import Workbench


class ServerPanes(Place[None]):
    """Where there is room all panes stand beside each other, elsewhere the focused one with what belongs to it."""

    BINDINGS = bindings_for("server")
    place = "server"
    CSS_PATH = stylesheet("server")
    AUTO_FOCUS = "RequestList"

    status_line = getters.query_one(ServerLine)
    options = getters.query_one(OptionList)
    side = getters.query_one("#side", Vertical)
    option_help = getters.query_one(".option-help", Static)
    models = getters.query_one(ServedModels)
    tokens = getters.query_one(TokenList)
    requests = getters.query_one(RequestList)
    detail = getters.query_one(RequestDetail)

    def __init__(self, workbench: Workbench, desk: ServerDesk) -> None:
        super().__init__()
        self.workbench = workbench
        self.desk = desk
        self.history = RequestHistory()

    def compose(self) -> ComposeResult:
        yield ServerLine()
        with Horizontal(id="deck"):
            with Vertical(id="side"):
                yield OptionList()
                yield Static(classes="option-help", markup=False)
                yield ServedModels()
                yield TokenList()
            with Vertical(id="main"):
                requests = RequestList(lambda record: self.history.speed(record, time.monotonic()))
                yield requests.add_class("-shown")
                yield RequestDetail()
        yield KeyBar()

    def begin(self, work: Coroutine[Any, Any, None], group: str = "default") -> None:
        """Do some work beside the screen; of a group that is not the default one only the last goes on."""
        self.run_worker(self.deck.attempt(work), group=group, exclusive=group != "default")

    @property
    def _ring(self) -> list[Widget]:
        return [self.requests, self.detail, self.options, self.tokens]

    def show_pane(self, pane: Widget) -> None:
        """Focus a pane, which a narrow screen has to show first."""
        self._page_of(pane).add_class("-shown")
        self.remove_class("-aside")
        # It can take the focus only when the stylesheet has shown it, and only then may the other one go.
        self.call_after_refresh(pane.focus)

    def _page_of(self, pane: Widget) -> Widget:
        return self.side if pane in (self.options, self.tokens) else pane

    def action_focus_pane(self, name: str) -> None:
        self.show_pane(self.query_one(name))

    def action_next_pane(self, step: int) -> None:
        panes = self._ring
        position = panes.index(self.focused) if self.focused in panes else 0
        self.show_pane(panes[(position + step) % len(panes)])

    def action_back(self) -> None:
        """To the requests, and from there out."""
        if self.focused is self.requests or self.focused is None:
            self.dismiss()
        else:
            self.show_pane(self.requests)

    @on(events.DescendantFocus)
    def _focus_moved(self, event: events.DescendantFocus) -> None:
        if event.widget in self._ring:
            shown = self._page_of(event.widget)
            self.set_class(shown is self.side, "-aside")
            for page in (self.side, self.requests, self.detail):
                page.set_class(page is shown, "-shown")

    @on(RowList.Highlighted)
    def _cursor_moved(self, event: RowList.Highlighted) -> None:
        if event.rows is self.options:
            option = self.options.current
            self.option_help.update(option.parameter.help if option is not None else "", layout=False)
        elif event.rows is self.requests:
            self.show_detail()

    def show_detail(self) -> None:
        """Bring the details up to date."""
        raise NotImplementedError
