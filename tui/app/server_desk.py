"""The local server as the screens have it: made after the first paint, started and stopped off the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui.app.widgets.server_mark import ServerFigures
from tui.domain import LmdeckError

if TYPE_CHECKING:
    from tui.domain import LocalServer, ServerOptions

LOOK_EVERY = 0.25
"""Seconds between two looks at the server while a screen shows it."""


class ServerDesk:
    """Holds the one server of this program. Only `close` may be called from another thread than the screen's."""

    def __init__(self, make: Callable[[], LocalServer]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._closed = False
        self._moves = asyncio.Lock()
        self._switching = False
        self._server: LocalServer | None = None
        self.moving = ""
        """What is being done to it now, such as "starting"; empty most of the time."""
        self.problem = ""
        """What went wrong when it was last started, stopped or changed, as a sentence."""

    @property
    def made(self) -> LocalServer | None:
        """The server, once somebody has needed it."""
        return self._server

    async def server(self) -> LocalServer | None:
        """The server, made now if need be; none after the end. Raises LmdeckError."""
        return self._server or await asyncio.to_thread(self._open)

    async def restore(self) -> None:
        """Start it if it ran when the program ended."""
        server = await self.server()
        if server is not None:
            async with self._moves:
                await self._move("starting", server.restore)

    async def switch(self) -> bool:
        """Start it, or stop it if it runs; false while that is going on already. Raises LmdeckError."""
        if self._switching:
            return False
        self._switching = True
        try:
            server = await self.server()
            if server is None:
                return False
            # At the start it may still be being restored; only then is it known which way it goes.
            async with self._moves:
                running = server.state.running
                await self._move("stopping" if running else "starting", server.stop if running else server.start)
            return True
        finally:
            self._switching = False

    async def change(self, options: ServerOptions) -> None:
        """Take other options. Raises LmdeckError, with nothing changed."""
        server = await self.server()
        if server is not None:
            async with self._moves:
                await self._move("changing", lambda: server.change(options))

    async def _move(self, what: str, work: Callable[[], None]) -> None:
        self.moving, self.problem = what, ""
        try:
            await asyncio.to_thread(work)
        except LmdeckError as error:
            self.problem = str(error)
            raise
        finally:
            self.moving = ""

    def figures(self) -> ServerFigures:
        """What the top row shows of it."""
        server = self._server
        if server is None:
            return ServerFigures()
        state = server.state
        return ServerFigures(
            port=(urlsplit(state.address).port or 0) if state.running else 0,
            open=not server.options.is_local,
            requests=server.log.running() if state.running else 0,
            troubled=bool(state.problem or self.problem),
        )

    def close(self) -> None:
        """End it without forgetting that it ran. Blocks; safe to call twice."""
        with self._lock:
            self._closed = True
            if self._server is not None:
                self._server.close()

    def _open(self) -> LocalServer | None:
        with self._lock:
            if self._server is None and not self._closed:
                self._server = self._make()
            return self._server
