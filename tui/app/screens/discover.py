"""The model browser: search the Hub, see what fits this machine, download it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on

from tui.app.hub_text import Choice, card_lines
from tui.app.screens.discover_search import DiscoverSearch
from tui.app.screens.download_commands import DownloadCommands
from tui.app.widgets.hub_lists import ChoiceList, RepositoryList
from tui.app.widgets.row_list import RowList
from tui.domain import HubFailed, LmdeckError

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.models.hub import HubAddress, RepositoryDetails, Variant

RESTING = 0.25
"""Seconds that the cursor rests on a repository before it is asked for."""
NEAR_THE_END = 10
"""Rows between the cursor and the end of the list at which the next page is fetched."""


class DiscoverScreen(DownloadCommands, DiscoverSearch):
    """Answers with the path of a model that is to be loaded, or with nothing."""

    _details: RepositoryDetails | None = None
    _rows: Sequence[Choice] = ()
    """All choices of the repository, of which some may be hidden."""
    _asked_for = ""
    """The choice that was named, which is never hidden."""
    _readme: str | None = None
    _here: frozenset[str] = frozenset()
    _wanted = ""
    _resting: Timer | None = None

    def on_mount(self) -> None:
        self.watch_downloads(self.downloads)

    def named_found(self, repository: str) -> None:
        # It may be shown already, with the cursor on another file than the one that is asked for now.
        self._wanted = ""
        self._want(repository)

    def nothing_found(self) -> None:
        self._details, self._wanted, self._rows = None, "", ()
        self.choices.show_title("")
        self.choices.empty_text = ""
        self.choices.set_items([])
        self.card.show([])

    @on(RowList.Highlighted)
    def _cursor_moved(self, event: RowList.Highlighted) -> None:
        if event.rows is self.found:
            if self._resting is not None:
                self._resting.stop()
            if event.key:
                self._resting = self.set_timer(RESTING, lambda: self._want(event.key))
            if self.found.items and self.found.cursor >= len(self.found.items) - NEAR_THE_END:
                self.begin(self.show_more(), "more")
        elif event.rows is self.choices:
            self._show_card()

    def _want(self, repository: str) -> None:
        """Show a repository, unless it is shown or on its way."""
        if repository != self._wanted:
            self._wanted = repository
            self.begin(self._open(repository), "details")

    async def _open(self, repository: str) -> None:
        """Show the choices of a repository, and then one after the other whether they fit."""
        self._details, self._rows, self._readme = None, (), None
        self.choices.show_title(repository)
        self.choices.empty_text = "asking…"
        self.choices.set_items([])
        try:
            details = await asyncio.to_thread(self.workbench.hub.details, repository, self._named(repository).revision)
        except HubFailed as problem:
            self._wanted = ""
            self.choices.empty_text = f"{problem.message}\n\n{problem.advice}"
            self.choices.set_items([])
            return
        await self._look_here(details)
        if self._wanted != repository:
            return
        self._details = details
        self.choices.empty_text = "No GGUF files in it."
        self.choices.set_items([])
        self._asked_for = ""
        self._show_choices([Choice(one) for one in details.variants])
        self.choices.highlight(next((one.variant.name for one in self.choices.items if one.best), ""))
        self._show_card()
        self._go_to_named(details)
        await self._weigh(details)

    def _named(self, repository: str) -> HubAddress:
        """What of a repository was asked for."""
        from tui.models.hub import HubAddress

        address = self.address
        named = address is not None and address.repository.casefold() == repository.casefold()
        return address if address is not None and named else HubAddress(repository)

    def _go_to_named(self, details: RepositoryDetails) -> None:
        """Put the cursor on the quantisation or the file that was asked for, if one was."""
        from tui.models.hub import choose_variant

        address = self._named(details.repository.id)
        try:
            chosen = choose_variant(details.variants, address.quantization, address.repository, address.file)
        except LmdeckError as problem:
            self.deck.report(problem)
            return
        if chosen is not None:
            self._asked_for = chosen.name
            self.choices.highlight(chosen.name)

    async def _look_here(self, details: RepositoryDetails) -> None:
        """Find out which choices are on this machine."""
        queue, repository = self.workbench.downloads, details.repository.id
        self._here = await asyncio.to_thread(
            lambda: frozenset(one.name for one in details.variants if queue.has(repository, one))
        )

    async def _weigh(self, details: RepositoryDetails) -> None:
        """Find out which choices fit, the recommended one first, as that is mostly all one wants to know."""
        from tui.models.hub import in_preference

        for variant in in_preference(details.variants):
            choice = await asyncio.to_thread(self._weighed, details, variant)
            if self._details is not details:
                return
            rows = [choice if one.variant is variant else one for one in self._rows]
            self._show_choices(rows)
            self._show_card()

    def _weighed(self, details: RepositoryDetails, variant: Variant) -> Choice:
        try:
            return Choice(variant, fit=self.workbench.fit_on_hub(details, variant))
        except LmdeckError as problem:
            return Choice(variant, problem=str(problem))

    def _show_choices(self, rows: Sequence[Choice]) -> None:
        """Show choices with what has become of them here, and a star at the best."""
        from tui.models.hub import in_preference

        if self._details is None:
            return
        repository = self._details.repository.id
        ranks = {row.variant.name: row.rank for row in rows}
        best = next(iter(in_preference([row.variant for row in rows], lambda one: ranks[one.name])), None)
        shown = []
        for row in rows:
            job, here = self.download_of(repository, row.variant), row.variant.name in self._here
            shown.append(replace(row, here=here, download=job, best=row.variant is best))
        self._rows = shown
        if shown and all(row.too_large for row in shown):
            self.found.mark_too_large(repository)
        self._show_fitting(repository)

    def _show_fitting(self, repository: str) -> None:
        """Show the choices, without those that are known not to fit where only the others are wanted."""
        fitting = [row for row in self._rows if not self._hidden(row)]
        self.choices.show_title(repository, len(self._rows) - len(fitting))
        if self._rows and not fitting:
            self.choices.empty_text = f"None of its {len(self._rows)} files fits this machine.\n\no shows them."
        if fitting != self.choices.items:
            self.choices.set_items(fitting)

    def _hidden(self, row: Choice) -> bool:
        wanted = row.here or row.variant.name == self._asked_for or (row.download is not None and row.download.active)
        return self.only_fitting and row.too_large and not wanted

    def fitting_changed(self) -> None:
        if self._details is not None:
            self._show_fitting(self._details.repository.id)
            self._show_card()

    def downloads_changed(self) -> None:
        if self._details is not None:
            self.begin(self._after_change(self._details), "here")

    async def _after_change(self, details: RepositoryDetails) -> None:
        await self._look_here(details)
        if self._details is details:
            self._show_choices(self._rows)

    def _show_card(self) -> None:
        if self._details is not None and self._readme is None:
            self.card.border_title = "Card"
            self.card.show(card_lines(self._details, self.choices.current))

    def action_card(self) -> None:
        """Between the figures of a repository and its read-me."""
        if self._readme is not None:
            self._readme = None
            self._show_card()
        elif self._details is not None:
            self.begin(self._read(self._details), "readme")
        self.show_pane(self.card)

    async def _read(self, details: RepositoryDetails) -> None:
        self._readme = await asyncio.to_thread(self.workbench.hub.readme, details)
        self.card.border_title = "Read-me"
        self.card.show_markdown(self._readme)

    @on(RowList.Chosen)
    def _chosen(self, event: RowList.Chosen) -> None:
        if isinstance(event.rows, RepositoryList):
            self._want(event.key)
            self.show_pane(self.choices)
        elif isinstance(event.rows, ChoiceList) and self._details is not None and self.choices.current is not None:
            self.begin(self._get(self._details, self.choices.current))

    async def _get(self, details: RepositoryDetails, choice: Choice) -> None:
        """Download a choice, or load it if it is here."""
        repository = details.repository.id
        if choice.here:
            self.dismiss(self.path_of(repository, choice.variant))
            return
        queue = self.workbench.downloads
        download = await asyncio.to_thread(queue.add, repository, details.revision, choice.variant)
        if choice.fit is not None and choice.fit.kind == "none":
            self.deck.warn(f"{choice.variant.name} will not fit this machine. It is downloaded all the same.")
        await self.look_now()
        self.downloads.highlight(download.id)
