"""`lmdeck serve`: the server without a screen, in the foreground, one line for each request."""

from __future__ import annotations

import queue
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from tui.domain import LocalServer, RequestRecord, ServedRequest, ServerOptions
    from tui.presence import Holder
    from tui.workbench import Workbench

    MakeServer = Callable[[Workbench, Holder], LocalServer]

Command = TypeVar("Command", bound=Callable[..., Any])

_STOP = None


def server_options(command: Command) -> Command:
    """The options of a command that starts a server; what is left out is as the screen has it."""
    for option in (
        click.option("--require-tokens", is_flag=True, help="Refuse requests without an API token."),
        click.option("--no-jit", is_flag=True, help="Requests may not load models."),
        click.option("--cors", is_flag=True, help="Let pages of any web site use the server."),
        click.option("--bind", metavar="ADDRESS", help="Where to listen: 127.0.0.1, or 0.0.0.0 for every network."),
        click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 takes any free one."),
    ):
        command = option(command)
    return command


@click.command()
@server_options
@click.option("--quiet", is_flag=True, help="Do not report requests.")
@click.pass_obj
def serve(
    make_server: MakeServer,
    port: int | None,
    bind: str | None,
    cors: bool,
    no_jit: bool,
    require_tokens: bool,
    quiet: bool,
) -> None:
    """Serve the models on disk until ctrl+c, without a screen.

    The address goes to standard output, one line for each request to standard error.
    """
    from tui.paths import find_paths
    from tui.workbench import Workbench

    workbench = Workbench(find_paths())
    server = make_server(workbench, "serve")
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def stop(number: int, _: FrameType | None) -> None:
        lines.put(_STOP)
        # A second one does not wait for answers to end.
        signal.signal(number, signal.SIG_DFL)

    def ended(request: ServedRequest) -> None:
        if request.over and not quiet:
            lines.put(request_line(request.record()))

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    forget = server.log.watch(ended)
    try:
        options = chosen_options(server.options, port, bind, cors=cors, no_jit=no_jit, require_tokens=require_tokens)
        server.start(options, remember=False)
        click.echo(server.state.address)
        warn_of_network(server.options)
        workbench.resume_downloads()
        while (line := lines.get()) is not _STOP:
            _report(line)
    finally:
        server.close()
        forget()
        workbench.close()
        while not lines.empty():
            _report(lines.get())


def _report(line: str | None) -> None:
    if line is not _STOP:
        with suppress(OSError):  # whoever read the lines went away
            click.echo(line, err=True)


def chosen_options(
    options: ServerOptions, port: int | None, bind: str | None, *, cors: bool, no_jit: bool, require_tokens: bool
) -> ServerOptions:
    """The saved options with what was given on the command line."""
    return replace(
        options,
        port=options.port if port is None else port,
        bind=options.bind if bind is None else bind,
        cors=options.cors or cors,
        just_in_time=options.just_in_time and not no_jit,
        require_tokens=options.require_tokens or require_tokens,
    )


def warn_of_network(options: ServerOptions) -> None:
    """Say that other machines can come in, which is easily forgotten."""
    if options.is_local:
        return
    click.secho(f"Other machines can reach this server: it listens on {options.bind}.", fg="yellow", err=True)
    if not options.require_tokens:
        click.echo("Anybody there may use your models. --require-tokens keeps strangers out.", err=True)


def request_line(record: RequestRecord) -> str:
    """One request in one line: when, status, what, which model, figures, who."""
    parts = [
        time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.started)),
        str(record.status or "---"),
        record.method,
        record.path,
        record.model,
    ]
    if record.stats is not None:
        parts += [f"{record.stats.generated_tokens} tok", f"{record.stats.generation_speed:.1f} tok/s"]
    parts += [f"{record.seconds:.2f} s", record.client, record.error]
    line = "  ".join(part for part in parts if part)
    return "".join(character if character.isprintable() else " " for character in line)
