"""The model browser: search the Hub, see what fits this machine, download it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Input

from tui.app.figures import one_line
from tui.app.hub_text import SIZES, Choice, card_lines
from tui.app.screens.discover_panes import DiscoverPanes
from tui.app.screens.download_commands import DownloadCommands
from tui.app.widgets.hub_lists import ChoiceList, RepositoryList
from tui.app.widgets.row_list import RowList
from tui.domain import HubFailed, LmdeckError

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.models.hub import Repository, RepositoryDetails, SortBy, Variant

TYPING_PAUSE = 0.5
"""Seconds without another letter after which the search begins by itself."""
RESTING = 0.25
"""Seconds that the cursor rests on a repository before it is asked for."""
NEAR_THE_END = 10
"""Rows between the cursor and the end of the list at which the next page is fetched."""

ORDERS: tuple[tuple[SortBy, str], ...] = (
    ("match", "best match"), ("trending", "trending"), ("downloads", "downloads"), ("likes", "likes"),
    ("updated", "newest change"), ("created", "newest"),
)  # fmt: skip
WELCOME = "Type what you look for. Without any words, what is popular these days is shown."


class DiscoverScreen(DownloadCommands, DiscoverPanes):
    """Answers with the path of a model that is to be loaded, or with nothing."""

    _pages: Iterator[tuple[Repository, ...]] | None = None
    _details: RepositoryDetails | None = None
    _readme: str | None = None
    _here: frozenset[str] = frozenset()
    _searched = ""
    _wanted = ""
    _order = 0
    _narrowed = 0
    _typing: Timer | None = None
    _resting: Timer | None = None

    def on_mount(self) -> None:
        self.found.empty_text = WELCOME
        self._say("")
        self.watch_downloads(self.downloads)
        self._search("")

    # --- searching

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(TYPING_PAUSE, lambda: self._search(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self._typing is not None:
            self._typing.stop()
        self._search(event.value, again=True)
        self.show_pane(self.found)

    def _search(self, text: str, *, again: bool = False) -> None:
        if text.strip() != self._searched or again or self._pages is None:
            self._searched = text.strip()
            self.begin(self._look_for(self._searched), "search")

    async def _look_for(self, text: str) -> None:
        """Show the first page of what fits."""
        self._say("searching…")
        hub = await asyncio.to_thread(lambda: self.workbench.hub)
        self.box.name_hub(hub.endpoint)
        order = ORDERS[self._order][0]
        try:
            address = await asyncio.to_thread(hub.address, text)
            if address is not None:
                details = await asyncio.to_thread(hub.details, address.repository, address.revision)
                self._pages = iter(())
                self._show_found([details.repository])
                return
            usual: SortBy = "trending" if order == "match" and not text else order
            self._pages = hub.search(text, usual)
            self._show_found(await self._next_page())
        except HubFailed as problem:
            self._pages = None
            self._show_found([])
            self.found.empty_text = f"{problem.message}\n\n{problem.advice}"
            self.found.set_items([])
            self._say("offline" if problem.offline else "✗")

    async def _next_page(self) -> Sequence[Repository]:
        """The next page that has something in it of the wanted size; nothing at the end."""
        most = SIZES[self._narrowed][1] * 10**9
        while self._pages is not None:
            page = await asyncio.to_thread(next, self._pages, None)
            if page is None:
                self._pages = iter(())
                return ()
            wanted = [one for one in page if not most or 0 < one.parameters <= most]
            if wanted:
                return wanted
        return ()

    def _show_found(self, found: Sequence[Repository]) -> None:
        self.found.empty_text = f"Nothing on the Hub fits “{one_line(self._searched)}”. Try fewer or other words."
        self.found.set_items(found)
        self.found.action_first()
        self._say(f"{len(found)} found" if found else "nothing found")
        if not found:
            self._details, self._wanted = None, ""
            self.choices.show_title("")
            self.choices.set_items([])
            self.card.show([])

    async def _more(self) -> None:
        more = await self._next_page()
        known = {one.id for one in self.found.items}
        if fresh := [one for one in more if one.id not in known]:
            self.found.set_items([*self.found.items, *fresh])
            self._say(f"{len(self.found.items)} found")

    def _say(self, text: str) -> None:
        size = SIZES[self._narrowed][0]
        parts = [text, f"s {ORDERS[self._order][1]}", f"f {size}"]
        self.box.say(" · ".join(part for part in parts if part))

    def action_sort(self) -> None:
        self._order = (self._order + 1) % len(ORDERS)
        self._search(self._searched, again=True)

    def action_narrow(self) -> None:
        self._narrowed = (self._narrowed + 1) % len(SIZES)
        self._search(self._searched, again=True)

    # --- one repository

    @on(RowList.Highlighted)
    def _cursor_moved(self, event: RowList.Highlighted) -> None:
        if event.rows is self.found:
            if self._resting is not None:
                self._resting.stop()
            if event.key:
                self._resting = self.set_timer(RESTING, lambda: self._want(event.key))
            if self.found.items and self.found.cursor >= len(self.found.items) - NEAR_THE_END:
                self.begin(self._more(), "more")
        elif event.rows is self.choices:
            self._show_card()

    def _want(self, repository: str) -> None:
        """Show a repository, unless it is shown or on its way."""
        if repository != self._wanted:
            self._wanted = repository
            self.begin(self._open(repository), "details")

    async def _open(self, repository: str) -> None:
        """Show the choices of a repository, and then one after the other whether they fit."""
        self._readme = None
        self.choices.show_title(repository)
        self.choices.empty_text = "asking…"
        self.choices.set_items([])
        try:
            details = await asyncio.to_thread(self.workbench.hub.details, repository)
        except HubFailed as problem:
            self._wanted = ""
            self.choices.empty_text = f"{problem.message}\n\n{problem.advice}"
            self.choices.set_items([])
            return
        await self._look_here(details)
        self._details = details
        self.choices.empty_text = "No GGUF files in it."
        self.choices.set_items([])
        self._show_choices([Choice(one) for one in details.variants])
        self.choices.highlight(next((one.variant.name for one in self.choices.items if one.best), ""))
        self._show_card()
        await self._weigh(details)

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
            rows = [choice if one.variant is variant else one for one in self.choices.items]
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
        if shown != self.choices.items:
            self.choices.set_items(shown)

    def downloads_changed(self) -> None:
        if self._details is not None:
            self.begin(self._after_change(self._details), "here")

    async def _after_change(self, details: RepositoryDetails) -> None:
        await self._look_here(details)
        if self._details is details:
            self._show_choices(self.choices.items)

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
        await asyncio.to_thread(self.workbench.downloads.add, repository, details.revision, choice.variant)
        if choice.fit is not None and choice.fit.kind == "none":
            self.deck.warn(f"{choice.variant.name} will not fit this machine. It is downloaded all the same.")
        self.look_at_downloads()
