"""Turning the server on and off, from wherever the person is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.screens.dialogs import ConfirmDialog

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp


def switch(app: LmdeckApp) -> None:
    """Start the server, or stop it; ask first where that ends answers."""
    running = app.desk.figures().requests
    if not running:
        _begin(app)
    elif not isinstance(app.screen, ConfirmDialog):
        what = "A request is" if running == 1 else f"{running} requests are"
        question = f"{what} being answered. They end where they are."
        app.push_screen(ConfirmDialog("Turn the server off?", question, "turn off"), lambda yes: _begin_if(app, yes))


def _begin_if(app: LmdeckApp, confirmed: bool | None) -> None:
    if confirmed:
        _begin(app)


def _begin(app: LmdeckApp) -> None:
    app.run_worker(app.attempt(_switch(app)), group="server")


async def _switch(app: LmdeckApp) -> None:
    if not await app.desk.switch():
        return
    server = app.desk.made
    if server is None:
        return
    if not app.screen_stack[0].is_current:  # the server view shows it by itself
        return
    if not server.state.running:
        app.notify("The server is off.", markup=False)
    elif server.options.is_local:
        app.notify(f"The server is on: {server.state.address}", markup=False)
    else:
        app.warn(f"The server is on, open to the network: {server.state.address}")
