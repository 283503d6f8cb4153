"""The search of the model browser: what one types, how it is ordered and narrowed, and the repositories that come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Input

from tui.app.figures import one_line
from tui.app.hub_text import SIZES
from tui.app.screens.discover_panes import DiscoverPanes
from tui.domain import HubFailed

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.models.hub import HubAddress, Repository, SortBy

TYPING_PAUSE = 0.5
"""Seconds without another letter after which the search begins by itself."""

ORDERS: tuple[tuple[SortBy, str], ...] = (
    ("match", "best match"), ("trending", "trending"), ("downloads", "downloads"), ("likes", "likes"),
    ("updated", "newest change"), ("created", "newest"),
)  # fmt: skip
ONLY_FITTING = "discover_only_fitting"
"""The setting that hides files which will not fit."""
WELCOME = "Type what you look for. Without any words, what is popular these days is shown."
NOTHING = "Try fewer or other words."
NOTHING_NARROWED = (
    "author: wants a name as it is on the Hub, and licence: one as the Hub writes it, such as apache-2.0, mit, gemma, "
    "llama3.1 or cc-by-4.0."
)


class DiscoverSearch(DiscoverPanes):
    """Fills the list of repositories."""

    address: HubAddress | None = None
    """What was asked for by its name or address; `None` after a search by words."""
    _pages: Iterator[tuple[Repository, ...]] | None = None
    _searched = ""
    _order = 0
    _narrowed = 0
    _typing: Timer | None = None
    _said = ""
    only_fitting = False

    def on_mount(self) -> None:
        self.only_fitting = self.workbench.settings.get(ONLY_FITTING, False) is True
        self.found.empty_text = WELCOME
        self._say("")
        self._search("")

    def nothing_found(self) -> None:
        """Hears that there is no repository to show any more."""

    def fitting_changed(self) -> None:
        """Hears that files which will not fit are to be shown or hidden."""

    def named_found(self, repository: str) -> None:
        """Hears that the one repository that was asked for is there."""

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(TYPING_PAUSE, lambda: self._search(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.search_now(event.value)

    def search_now(self, text: str) -> None:
        """Search without waiting for another letter, and go to what is found."""
        if self._typing is not None:
            self._typing.stop()
        self._search(text, again=True)
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
            self.address = await asyncio.to_thread(hub.address, text)
            if self.address is not None:
                details = await asyncio.to_thread(hub.details, self.address.repository, self.address.revision)
                self._pages = iter(())
                self._show_found([details.repository])
                self.named_found(details.repository.id)
                return
            usual: SortBy = "trending" if order == "match" and not text else order
            self._pages = hub.search(text, usual)
            self._show_found(await self._next_page())
        except HubFailed as problem:
            self._pages = None
            self._show_found([])
            self.found.empty_text = f"{problem.message}\n\n{problem.advice}"
            self.found.set_items([])
            self._say("offline" if problem.offline else "no results")

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
        narrowed = any(word in self._searched.lower() for word in ("author:", "licence:", "license:"))
        advice = f"{NOTHING}\n\n{NOTHING_NARROWED}" if narrowed else NOTHING
        self.found.empty_text = f"Nothing on the Hub fits “{one_line(self._searched)}”. {advice}"
        self.found.set_items(found)
        self.found.action_first()
        self._say(f"{len(found)} found" if found else "nothing found")
        if not found:
            self.nothing_found()

    async def show_more(self) -> None:
        """Show the next page below what is there."""
        more = await self._next_page()
        known = {one.id for one in self.found.items}
        if fresh := [one for one in more if one.id not in known]:
            self.found.set_items([*self.found.items, *fresh])
            self._say(f"{len(self.found.items)} found")

    def _say(self, text: str) -> None:
        self._said = text
        size = SIZES[self._narrowed][0]
        parts = [
            text,
            f"s {ORDERS[self._order][1]}",
            f"f {size}",
            f"o {'only fitting' if self.only_fitting else 'all files'}",
        ]
        self.box.say(" · ".join(part for part in parts if part))

    def action_sort(self) -> None:
        self._order = (self._order + 1) % len(ORDERS)
        self._search(self._searched, again=True)

    def action_narrow(self) -> None:
        self._narrowed = (self._narrowed + 1) % len(SIZES)
        self._search(self._searched, again=True)

    def action_only_fitting(self) -> None:
        self.only_fitting = not self.only_fitting
        self.deck.remember(ONLY_FITTING, self.only_fitting)
        self._say(self._said)
        self.fitting_changed()

    def action_author(self) -> None:
        """All models of who made the one under the cursor."""
        if (one := self.found.current) is not None:
            self.box.field.value = f"author:{one.id.partition('/')[0]}"
            self.search_now(self.box.field.value)
