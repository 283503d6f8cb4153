"""The layout of My models, how the focus moves between its panes, and the work that goes on beside them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, cast

from textual import events, getters, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui.app.actions import bindings_for
from tui.app.screens.place import Place
from tui.app.stylesheets import stylesheet
from tui.app.widgets.key_bar import KeyBar
from tui.app.widgets.library_list import LibraryList
from tui.app.widgets.model_detail import ModelDetail

if TYPE_CHECKING:
    from tui.app.model_rows import ModelRow
    from tui.workbench import Workbench


class LibraryPanes(Place["str | None"]):
    """A narrow screen shows the models or the details of one; a wide one shows both."""

    BINDINGS = bindings_for("my models")
    place = "library"
    CSS_PATH = stylesheet("library")
    AUTO_FOCUS = "LibraryList"

    rows = getters.query_one(LibraryList)
    detail = getters.query_one(ModelDetail)
    pane = getters.query_one(".library-pane", Vertical)
    header = getters.query_one(".library-header", Static)

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self.workbench = workbench

    @property
    def row(self) -> ModelRow | None:
        """The row under the cursor."""
        return self.rows.current

    def compose(self) -> ComposeResult:
        with Vertical(classes="library-pane -shown"):
            yield Static(classes="library-header")
            yield LibraryList()
        yield ModelDetail()
        yield KeyBar()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work beside the screen."""
        self.run_worker(self.deck.attempt(work))

    def begin_last(self, work: Callable[[], Coroutine[Any, Any, None]], group: str) -> None:
        """Do some work beside the screen, of each group only what was begun last."""

        async def attempt() -> None:
            await self.deck.attempt(work())

        # What is replaced before it begins must not be made.
        self.run_worker(cast("Callable[[], Awaitable[None]]", attempt), group=group, exclusive=True)

    def show_detail(self) -> None:
        """Bring the details up to date."""
        raise NotImplementedError

    def show_pane(self, pane: Widget) -> None:
        """Focus a pane, which a narrow screen has to show first."""
        (self.pane if pane is self.rows else pane).add_class("-shown")
        # It can take the focus only when the stylesheet has shown it, and only then may the other one go.
        self.call_after_refresh(pane.focus)

    @on(events.DescendantFocus)
    def _focus_moved(self, event: events.DescendantFocus) -> None:
        self.pane.set_class(event.widget is self.rows, "-shown")
        self.detail.set_class(event.widget is self.detail, "-shown")
        self.call_after_refresh(self.show_detail)

    def action_next_pane(self) -> None:
        self.show_pane(self.detail if self.focused is self.rows else self.rows)

    def action_back(self) -> None:
        if self.focused is self.detail:
            self.show_pane(self.rows)
        else:
            self.dismiss(None)
