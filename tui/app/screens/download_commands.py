"""What screens do with downloads: watch them, and pause, retry, cancel or clear them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual import on

from tui.app.screens.dialogs import ConfirmDialog
from tui.app.screens.place import Place
from tui.app.screens.while_open import while_open
from tui.app.widgets.download_list import DownloadList

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp
    from tui.models.downloads import Download, DownloadState
    from tui.models.hub import Variant
    from tui.workbench import Workbench

LOOK_EVERY = 0.5
"""Seconds between two looks at the downloads."""

_POSSIBLE: dict[str, tuple[DownloadState, ...]] = {
    "pause_download": ("queued", "downloading", "waiting", "verifying"),
    "resume_download": ("paused",),
    "retry_download": ("waiting", "failed", "cancelled"),
    "cancel_download": ("queued", "downloading", "waiting", "verifying", "paused", "failed"),
}
"""In which states of a download there is something for an action to do."""


class DownloadCommands(Place["str | None"]):
    """For screens with a list of downloads; their answer is the path of a model to load."""

    workbench: Workbench
    _list: DownloadList | None = None
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
        if self._list is None or (found == self._known and self._list.items):
            return
        self._known = found
        self._list.set_class(not found, "-empty")
        self._list.show(found)
        self.refresh_bindings()
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

    @property
    def _download(self) -> Download | None:
        """The download under the cursor."""
        return self._list.current if self._list is not None else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _POSSIBLE:
            one = self._download
            return one is not None and not one.elsewhere and one.state in _POSSIBLE[action]
        if action == "clear_downloads":
            return any(one.over for one in self._known)
        return super().check_action(action, parameters)

    @on(DownloadList.Highlighted)
    def _another_download(self) -> None:
        self.refresh_bindings()

    def action_pause_download(self) -> None:
        self._do(self.workbench.downloads.pause)

    def action_resume_download(self) -> None:
        self._do(self.workbench.downloads.resume)

    def action_retry_download(self) -> None:
        self._do(self.workbench.downloads.resume)

    def action_cancel_download(self) -> None:
        one = self._download
        if one is None:
            return
        question = f"{one.repository} {one.name}: what came so far ({one.part:.0%}) is thrown away."
        self.app.push_screen(
            ConfirmDialog("Cancel the download?", question, "cancel it"),
            lambda confirmed: self._work(self._done(self.workbench.downloads.cancel, one)) if confirmed else None,
        )

    def action_clear_downloads(self) -> None:
        self._work(self._clear())

    async def _clear(self) -> None:
        for one in self._known:
            if one.over:
                await asyncio.to_thread(self.workbench.downloads.remove, one.id)
        self.look_at_downloads()

    def _do(self, command: Callable[[str], Any]) -> None:
        if self._download is not None:
            self._work(self._done(command, self._download))

    async def _done(self, command: Callable[[str], Any], one: Download) -> None:
        await asyncio.to_thread(command, one.id)
        self.look_at_downloads()

    @on(DownloadList.Chosen)
    def _download_chosen(self, event: DownloadList.Chosen) -> None:
        one = self._download
        if event.rows is self._list and one is not None and one.state == "completed":
            self.dismiss(str(self.workbench.paths.models / Path(one.main_place)))
