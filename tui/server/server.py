"""The server's life: started, stopped and changed while the rest of the program goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from tui import __version__
from tui.domain import BadRequest, EngineFault, LmdeckError, ServerOptions, ServerState
from tui.presence import Holder, announce, withdraw
from tui.server.options import check_options, read_options, write_options
from tui.server.request_log import RequestLog
from tui.server.tokens import TokenStore
from tui.workbench import Workbench

if TYPE_CHECKING:
    import uvicorn

    from tui.server.answering import Answers

_RUNNING = "server_running"
_STARTING_PATIENCE = 10.0
_STOPPING_PATIENCE = 10.0
# Seconds in which streams may send their last words when the server stops.
_LAST_WORDS = 3


class Server:
    """Serves a workbench over HTTP. Every method may be called from any thread and blocks for a moment."""

    def __init__(self, workbench: Workbench, holder: Holder = "screen") -> None:
        self._workbench = workbench
        self._holder = holder
        self._options = read_options(workbench.settings)
        self._lock = threading.RLock()
        self._running: _Running | None = None
        self._problem = ""
        self.log = RequestLog(workbench.paths.requests)
        self.tokens = TokenStore(workbench.paths.tokens)

    @property
    def options(self) -> ServerOptions:
        """The options that hold now, or will when it is started."""
        return self._options

    @property
    def state(self) -> ServerState:
        """Whether it runs, and where."""
        running = self._running
        if running is None:
            return ServerState(False, "", self._problem)
        return ServerState(True, running.address, self._problem, running.since)

    def start(self, options: ServerOptions | None = None, *, remember: bool = True) -> None:
        """Listen; with `remember` do so with the same options the next time. Does nothing while it runs already.

        Raises Busy if the port is taken, BadRequest for options that cannot be, EngineFault if it does not come up.
        """
        with self._lock:
            if self._running is not None:
                return
            chosen = options or self._options
            self._begin(chosen)
            if remember:
                write_options(self._workbench.settings, chosen)
                self._workbench.settings.set(_RUNNING, True)

    def stop(self, *, remember: bool = True) -> None:
        """End running streams properly, then listen no more; with `remember` also after the next start."""
        with self._lock:
            if remember:
                self._workbench.settings.set(_RUNNING, False)
            self._problem = ""
            running, self._running = self._running, None
            if running is not None:
                withdraw(self._workbench.paths.servers)
                running.stop()
                self._workbench.log.write("server", "info", "stopped")

    def change(self, options: ServerOptions) -> None:
        """Take other options at once. Where it listens changes without a gap, or not at all if that fails."""
        check_options(options)
        with self._lock:
            before, running = self._options, self._running
            moves = (options.port, options.bind) != (before.port, before.bind)
            if running is not None and moves:
                self._begin(options)
                running.stop()
            self._take(options)
            write_options(self._workbench.settings, options)

    def restore(self) -> None:
        """Start it if it ran when the program ended; what is in the way is told in the state and the log."""
        if not self._workbench.settings.get(_RUNNING, False):
            return
        try:
            self.start()
        except LmdeckError as problem:
            self._problem = str(problem)
            self._workbench.log.write("server", "error", str(problem))

    def replay(self, request_id: str) -> None:
        """Send the body of a request once more to this server, which answers it like any other. Raises BadRequest."""
        running, record = self._running, self.log.find(request_id)
        if running is None:
            raise BadRequest("The server is off, so nobody would answer.", "Turn it on first.", field="server")
        if record is None:
            raise BadRequest("This request is not in the log any more.", "Choose another one.", field="request")
        from tui.server.replay import send_again

        send_again(record, running.address, self.tokens.own)

    def close(self) -> None:
        """Stop it without forgetting that it ran."""
        self.stop(remember=False)
        self.log.close()

    def _begin(self, options: ServerOptions) -> None:
        check_options(options)
        from tui.server.listening import listen

        opened = listen(options.bind, options.port)
        host, port = opened.getsockname()[:2]
        from tui.server.assembly import assemble

        application, answers = assemble(self._workbench, self.log, self.tokens, lambda: self._options)
        import uvicorn

        config = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            lifespan="off",
            loop="asyncio",
            server_header=False,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_LAST_WORDS,
        )
        running = _Running(uvicorn.Server(config), answers, f"http://{_called(str(host))}:{port}")
        running.start(opened)
        self._take(options)
        self._running, self._problem = running, ""
        self._announce(running, options)
        reach = "" if options.is_local else ", open to the network"
        self._workbench.log.write("server", "info", f"listening on {running.address}{reach}")

    def _announce(self, running: _Running, options: ServerOptions) -> None:
        try:
            announce(
                self._workbench.paths.servers,
                holder=self._holder,
                address=running.address,
                bind=options.bind,
                version=__version__,
                since=running.since,
                key=self.tokens.own,
            )
        except OSError as refused:
            self._workbench.log.write("server", "warning", f"other programs cannot find this server: {refused}")

    def _take(self, options: ServerOptions) -> None:
        self._options = options
        self._workbench.auto_evict = options.auto_evict


class _Running:
    """One thread with one event loop that serves one socket."""

    def __init__(self, server: uvicorn.Server, answers: Answers, address: str) -> None:
        self._server = server
        self._answers = answers
        self.address = address
        self.since = time.time()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._up = threading.Event()

    def start(self, listening: object) -> None:
        """Serve from a new thread. Raises EngineFault if it does not come up."""
        self._thread = threading.Thread(target=self._serve, args=(listening,), name="lmdeck-server", daemon=True)
        self._thread.start()
        if not self._up.wait(_STARTING_PATIENCE) or not self._server.started:
            self.stop()
            raise EngineFault("The server did not come up.", "See the log for the reason.")

    def stop(self) -> None:
        """End it; streams say their last words before."""
        self._server.should_exit = True
        self._in_loop(self._answers.stop_all)
        if self._thread is not None:
            self._thread.join(_STOPPING_PATIENCE)

    def _in_loop(self, call: Callable[[], None]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(call)

    def _serve(self, listening: object) -> None:
        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            watcher = asyncio.ensure_future(self._announce())
            try:
                await self._server.serve(sockets=[listening])  # type: ignore[list-item]
            finally:
                watcher.cancel()

        try:
            asyncio.run(run())
        finally:
            self._up.set()

    async def _announce(self) -> None:
        while not self._server.started:
            await asyncio.sleep(0.005)
        self._up.set()


def _called(host: str) -> str:
    """How clients on this machine call an address."""
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
