"""What can be done in the server view: options, tokens, and the request under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.app.curl import curl_command
from tui.app.request_text import section_text
from tui.app.screens.copying import copy_text
from tui.app.screens.dialogs import ConfirmDialog, NumberDialog, TextDialog
from tui.app.screens.server_dialogs import NetworkChoice, NetworkDialog, TokenDialog
from tui.app.server_options import duration_text, with_text, with_value
from tui.domain import EVERYWHERE, LOOPBACK, PERMISSIONS, LmdeckError, Permission, ServerOptions

if TYPE_CHECKING:
    from tui.app.screens.server import ServerScreen
    from tui.domain import LocalServer, RequestRecord

_HINTS = {"just_in_time_ttl": "90 s, 60 min, 2 h, or never", "port": "1024 to 65535"}


def base_url(server: LocalServer) -> str:
    """The URL that clients find the server at, also while it is off."""
    return server.state.address or f"http://{LOOPBACK}:{server.options.port}"


def empty_text(server: LocalServer, sought: str) -> str:
    """What the list of requests says while it is empty."""
    if sought:
        return f"No request has “{sought}” in it.\nesc shows all again."
    if not server.state.running:
        return f"The server is off.\n\ns turns it on. Clients of OpenAI then find it at\n{base_url(server)}/v1"
    token = " -H 'Authorization: Bearer sk-lm-…'" if server.options.require_tokens else ""
    return (
        f"No request yet.\n\nPoint a client at {base_url(server)}/v1 (a copies that), or try\n"
        f"curl {base_url(server)}/v1/models{token}"
    )


def change_option(screen: ServerScreen, name: str) -> None:
    """Switch an option over, or ask for its value."""
    server, row = screen.server, screen.options.current
    if server is None or row is None:
        return
    options, parameter = server.options, row.parameter
    if parameter.kind == "boolean":
        _take(screen, with_value(options, name, not getattr(options, name)))
    elif name == "bind":
        if options.is_local:
            screen.app.push_screen(NetworkDialog(), lambda choice: _open_to_network(screen, choice))
        else:
            _take(screen, replace(options, bind=LOOPBACK))
    else:
        value = duration_text(options.just_in_time_ttl) if name == "just_in_time_ttl" else str(getattr(options, name))

        def answered(text: str | None) -> None:
            if text is not None:
                _attempt(screen, lambda: _take(screen, with_text(options, parameter, text)))

        screen.app.push_screen(TextDialog(parameter.label, value, _HINTS[name]), answered)


def _attempt(screen: ServerScreen, work: Callable[[], None]) -> None:
    try:
        work()
    except LmdeckError as error:
        screen.deck.report(error)


def _open_to_network(screen: ServerScreen, choice: NetworkChoice | None) -> None:
    server = screen.server
    if server is None or choice is None:
        return
    if choice == "other address":

        def answered(address: str | None) -> None:
            if address:
                _take(screen, replace(server.options, bind=address))

        screen.app.push_screen(TextDialog("Listen on which address?", "", "an address of this machine"), answered)
        return
    _take(screen, replace(server.options, bind=EVERYWHERE, require_tokens=choice == "with tokens"))
    if choice == "with tokens" and not screen.tokens.items:
        screen.notify("There is no API token yet: t, then n, makes one.", markup=False)


def _take(screen: ServerScreen, options: ServerOptions) -> None:
    screen.begin(_change(screen, options))


async def _change(screen: ServerScreen, options: ServerOptions) -> None:
    await screen.desk.change(options)
    screen.look()


def create_token(screen: ServerScreen) -> None:
    """Ask for a name and for what it may do, make the token, and show it once."""

    def named(name: str | None) -> None:
        if name:
            lines = ["ask models, and load, unload or download them", "ask models only"]
            screen.app.push_screen(NumberDialog("What may it do?", lines), lambda number: permitted(name, number))

    def permitted(name: str, number: int | None) -> None:
        if number is not None:
            screen.begin(_create_token(screen, name, PERMISSIONS if number == 1 else ("generate",)))

    screen.app.push_screen(TextDialog("New API token", "", "what it is for, such as “laptop” · enter go on"), named)


async def _create_token(screen: ServerScreen, name: str, permissions: tuple[Permission, ...]) -> None:
    if screen.server is not None:
        text = await asyncio.to_thread(screen.server.tokens.create, name, permissions)
        await screen.refresh_tokens()
        screen.app.push_screen(TokenDialog(name, text))


def revoke_token(screen: ServerScreen) -> None:
    """Ask, then make the token under the cursor worthless."""
    server, token = screen.server, screen.tokens.current
    if server is None or token is None:
        return

    async def revoke() -> None:
        await asyncio.to_thread(server.tokens.revoke, token.id)
        await screen.refresh_tokens()

    def answered(confirmed: bool | None) -> None:
        if confirmed:
            screen.begin(revoke())

    question = f"Clients that use “{token.name}” are refused from then on."
    screen.app.push_screen(ConfirmDialog("Revoke the token?", question, "revoke"), answered)


def clear_log(screen: ServerScreen) -> None:
    """Ask, then forget every request that has ended."""
    server = screen.server
    if server is None:
        return

    async def clear() -> None:
        await asyncio.to_thread(server.log.clear)
        screen.history.clear()
        screen.look()

    def answered(confirmed: bool | None) -> None:
        if confirmed:
            screen.begin(clear())

    question = "Every request that has ended is forgotten, on disk too. This cannot be undone."
    screen.app.push_screen(ConfirmDialog("Clear the log?", question, "clear"), answered)


async def copy_section(screen: ServerScreen) -> None:
    """Copy what the detail pane shows, all of it."""
    section = screen.detail.section
    record = await _whole_request(screen)
    if record is None:
        return
    text = section_text(record, section)
    if text:
        copy_text(screen, text, section)
    else:
        screen.notify(f"The {section.lower()} is empty.", markup=False)


async def copy_curl(screen: ServerScreen) -> None:
    """Copy a command that sends the request under the cursor."""
    record = await _whole_request(screen)
    if record is not None and screen.server is not None:
        server = screen.server
        command = curl_command(record, base_url(server), with_token=server.options.require_tokens)
        copy_text(screen, command, "curl command")


def copy_address(screen: ServerScreen) -> None:
    """Copy the base URL that clients of OpenAI want."""
    if screen.server is not None:
        copy_text(screen, f"{base_url(screen.server)}/v1", "Address")


async def replay(screen: ServerScreen) -> None:
    """Send the request under the cursor once more."""
    record = screen.requests.current
    if record is not None and screen.server is not None:
        await asyncio.to_thread(screen.server.replay, record.id)
        screen.notify("Sent again.", markup=False)


async def _whole_request(screen: ServerScreen) -> RequestRecord | None:
    record = screen.requests.current
    if record is None or screen.server is None:
        return None
    return await asyncio.to_thread(screen.server.log.find, record.id)
