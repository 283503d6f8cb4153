"""All downloads: how far they are, why one waits or failed, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import getters, on
from textual.app import ComposeResult

from tui.app.actions import bindings_for
from tui.app.hub_text import download_lines
from tui.app.screens.download_commands import DownloadCommands
from tui.app.stylesheets import stylesheet
from tui.app.widgets.download_list import DownloadList
from tui.app.widgets.key_bar import KeyBar
from tui.app.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from tui.workbench import Workbench

EMPTY = "No downloads.\n\nF3 finds models on Hugging Face; so does: lmdeck get NAME"


class DownloadsScreen(DownloadCommands):
    """Answers with the path of a model that has arrived and is to be loaded, or with nothing."""

    BINDINGS = bindings_for("dialogs")
    place = "downloads"
    CSS_PATH = [stylesheet("transcript"), stylesheet("discover")]
    AUTO_FOCUS = "DownloadList"

    rows = getters.query_one(DownloadList)
    facts = getters.query_one(TextPane)

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self.workbench = workbench

    def compose(self) -> ComposeResult:
        yield DownloadList()
        facts = TextPane("Details")
        facts.can_focus = False
        yield facts
        yield KeyBar()

    def on_mount(self) -> None:
        self.rows.empty_text = EMPTY
        self.watch_downloads(self.rows)

    @on(DownloadList.Highlighted)
    def downloads_changed(self) -> None:
        one = self.rows.current
        self.facts.show(download_lines(one) if one is not None else [])

    def action_close(self) -> None:
        self.dismiss(None)
