"""Screens of their own above the chat, and the keys that lead from each of them to the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from textual.screen import Screen

from tui.app.action import Action
from tui.app.actions import BY_ID, bindings_for

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp

Result = TypeVar("Result")


class Place(Screen[Result]):
    """A screen that a key of the chat leads to; the same keys lead on from it, without going back first."""

    BINDINGS = bindings_for("places")
    place = ""
    """The id of the action that leads here."""

    @property
    def deck(self) -> LmdeckApp:
        """The application, with what it offers beyond Textual's."""
        return cast("LmdeckApp", self.app)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == BY_ID[self.place].command:
            return False  # one is here already
        return super().check_action(action, parameters)

    def action_go(self) -> None:
        from tui.app.screens.go import GoScreen

        self.app.push_screen(GoScreen(), lambda chosen: self._leave_for(chosen) if chosen else None)

    def action_show_library(self) -> None:
        self._leave_for("library")

    def action_show_server(self) -> None:
        self._leave_for("server")

    def action_discover(self) -> None:
        self._leave_for("discover")

    def action_show_downloads(self) -> None:
        self._leave_for("downloads")

    def _leave_for(self, action_id: str) -> None:
        # A screen cannot wait for its own end.
        self.app.run_worker(self.deck.attempt(perform(self.deck, BY_ID[action_id])))


async def perform(deck: LmdeckApp, action: Action) -> None:
    """Do something as its key would in the chat, after leaving what lies above that.

    A place that is open already is gone back to. What the whole application does leaves nothing.
    """
    while len(deck.screen_stack) > 1 and not action.command.startswith("app."):
        if isinstance(deck.screen, Place) and deck.screen.place == action.id:
            return
        await deck.screen.dismiss(None)
    await deck.run_action(action.command, deck.screen)
