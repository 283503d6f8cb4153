"""The layout of the model browser, and how the focus moves among its panes."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from textual import events, getters, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input

from tui.app.actions import bindings_for
from tui.app.screens.place import Place
from tui.app.screens.while_open import while_open
from tui.app.stylesheets import stylesheet
from tui.app.widgets.download_list import DownloadList
from tui.app.widgets.hub_lists import ChoiceList, RepositoryList
from tui.app.widgets.key_bar import KeyBar
from tui.app.widgets.search_box import SearchBox
from tui.app.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from tui.workbench import Workbench


class DiscoverPanes(Place["str | None"]):
    """A narrow screen shows the models found or the files of one; a wide one shows both."""

    BINDINGS = bindings_for("discover")
    place = "discover"
    CSS_PATH = [stylesheet("transcript"), stylesheet("discover")]
    AUTO_FOCUS = "SearchBox Input"

    box = getters.query_one(SearchBox)
    found = getters.query_one(RepositoryList)
    side = getters.query_one("#side", Vertical)
    choices = getters.query_one(ChoiceList)
    card = getters.query_one(TextPane)
    downloads = getters.query_one(DownloadList)

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self.workbench = workbench
        self._going: Widget | None = None

    def compose(self) -> ComposeResult:
        yield SearchBox("words, author:NAME, licence:mit, owner/name, or an address")
        with Horizontal(id="deck"):
            yield RepositoryList().add_class("-shown")
            with Vertical(id="side"):
                yield ChoiceList()
                yield TextPane("Card")
        yield DownloadList().add_class("-empty")
        yield KeyBar()

    def begin(self, work: Coroutine[Any, Any, None], group: str = "default") -> None:
        """Do some work beside the screen; of a group that is not the default one only the last goes on."""
        self.run_worker(self.deck.attempt(while_open(self, work)), group=group, exclusive=group != "default")

    @property
    def _ring(self) -> list[Widget]:
        panes: list[Widget] = [self.found, self.choices, self.card]
        return [*panes, self.downloads] if self.downloads.display else panes

    def show_pane(self, pane: Widget) -> None:
        """Focus a pane, which a narrow screen has to show first."""
        self.set_class(pane in (self.choices, self.card), "-aside")
        self._going = pane
        if pane.focusable:
            pane.focus()
        else:  # it can take the focus only when the stylesheet has shown it
            self.call_after_refresh(pane.focus)

    def action_search(self) -> None:
        self._going = None
        self.box.field.focus()
        self.box.field.select_all()

    def action_show_downloads(self) -> None:
        from tui.app.screens.downloads import DownloadsScreen

        self.app.push_screen(DownloadsScreen(self.workbench), self._load_arrived)

    def _load_arrived(self, path: str | None) -> None:
        if path:
            self.dismiss(path)

    def action_next_pane(self, step: int) -> None:
        panes = self._ring
        focused = self.focused
        position = panes.index(focused) if focused in panes else -1 if step > 0 else 0
        self.show_pane(panes[(position + step) % len(panes)])

    def action_back(self) -> None:
        """To the models found, and from there out."""
        if (isinstance(self.focused, Input) and self.found.items) or self.focused in (
            self.choices,
            self.card,
            self.downloads,
        ):
            self.show_pane(self.found)
        else:
            self.dismiss(None)

    @on(events.DescendantFocus)
    def _focus_moved(self, event: events.DescendantFocus) -> None:
        if self._going not in (None, event.widget):
            return  # news of where the focus was before
        self._going = None
        if event.widget is self.found:
            self.remove_class("-aside")
        elif event.widget in (self.choices, self.card):
            self.add_class("-aside")
