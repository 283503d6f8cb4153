"""What screens do with downloads: watch them, and pause, retry, cancel or clear them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual import on
from textual.screen import Screen

from tui.app.screens.dialogs import ConfirmDialog
from tui.app.screens.while_open import while_open
from tui.app.widgets.download_list import DownloadList

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp
    from tui.models.downloads import Download
    from tui.models.hub import Variant
    from tui.workbench import Workbench

LOOK_EVERY = 0.5
"""Seconds between two looks at the downloads."""


class DownloadCommands(Screen["str | None"]):
    """For screens with a list of downloads; their answer is the path of a model to load."""

    workbench: Workbench
    _list: DownloadList
    _known: tuple[Download, ...] = ()
    _looking = False
    _look_due = False

    def watch_downloads(self, rows: DownloadList) -> None:
        """Keep a list up to date from now on."""
        self._list = rows
        self.look_at_downloads()
        self.set_interval(LOOK_EVERY, self.look_at_downloads)

    def look_at_downloads(self) -> None:
        """Take over how the downloads are now.

        A look that is under way is not ended for the next one: on a slow disk none would ever come to its end.
        """
        self._look_due = True
        if not self._looking:
            self._looking = True
            self._work(self._look_while_due())

    @property
    def _deck(self) -> LmdeckApp:
        return cast("LmdeckApp", self.app)

    def _work(self, work: Coroutine[Any, Any, None]) -> None:
        self.run_worker(self._deck.attempt(while_open(self, work)))

    async def _look_while_due(self) -> None:
        try:
            while self._look_due:
                self._look_due = False
                await self.look_now()
        finally:
            self._looking = False

    async def look_now(self) -> None:
        """Take over how the downloads are, and wait until that is shown."""
        queue = await asyncio.to_thread(lambda: self.workbench.downloads)
        found = await asyncio.to_thread(queue.all)
        if found == self._known and self._list.items:
            return
        self._known = found
        self._list.set_class(not found, "-empty")
        self._list.show(found)
        self.downloads_changed()

    def downloads_changed(self) -> None:
        """Hears that a download is another than at the last look."""

    def download_of(self, repository: str, variant: Variant) -> Download | None:
        """The latest download of a variant, as of the last look."""
        names = {file.path.rpartition("/")[2] for file in variant.files}
        mine = (one for one in self._known if one.repository == repository)
        return next((one for one in mine if names <= {file.name for file in one.files}), None)

    def path_of(self, repository: str, variant: Variant) -> str:
        """Where the first file of a variant is when it has arrived."""
        from tui.models.hub import places_of

        places = dict(places_of(repository, variant))
        return str(self.workbench.paths.models / Path(places[variant.files[0]]))

    def action_pause_download(self) -> None:
        one = self._list.current
        if one is not None:
            queue = self.workbench.downloads
            self._do(queue.pause if one.active else queue.resume, one)

    def action_retry_download(self) -> None:
        if self._list.current is not None:
            self._do(self.workbench.downloads.resume, self._list.current)

    def action_cancel_download(self) -> None:
        one = self._list.current
        if one is None or one.state in ("completed", "cancelled"):
            return
        question = f"{one.repository} {one.name}: what came so far ({one.part:.0%}) is thrown away."
        self.app.push_screen(
            ConfirmDialog("Cancel the download?", question, "cancel it"),
            lambda confirmed: self._do(self.workbench.downloads.cancel, one) if confirmed else None,
        )

    def action_clear_downloads(self) -> None:
        self._work(self._clear())

    async def _clear(self) -> None:
        for one in self._known:
            if one.over:
                await asyncio.to_thread(self.workbench.downloads.remove, one.id)
        self.look_at_downloads()

    def _do(self, command: Callable[[str], Any], one: Download) -> None:
        self._work(self._done(command, one))

    async def _done(self, command: Callable[[str], Any], one: Download) -> None:
        await asyncio.to_thread(command, one.id)
        self.look_at_downloads()

    @on(DownloadList.Chosen)
    def _download_chosen(self, event: DownloadList.Chosen) -> None:
        one = self._list.current
        if event.rows is not self._list or one is None:
            return
        if one.state != "completed":
            self.action_pause_download()
            return
        self.dismiss(str(self.workbench.paths.models / Path(one.main_place)))
