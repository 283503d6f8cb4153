"""`lmdeck server`: a server in the background, and its API tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from tui.cli.serve import server_options
from tui.domain import Busy

if TYPE_CHECKING:
    from tui.cli.serve import MakeServer
    from tui.domain import TokenKeeper
    from tui.presence import Presence


@click.group()
def server() -> None:
    """Start, stop and look at a server in the background; make API tokens."""


@server.command()
@server_options
def start(port: int | None, bind: str | None, cors: bool, no_jit: bool, require_tokens: bool) -> None:
    """Start a server in the background, and wait until it answers."""
    from tui.cli.background import start_in_background
    from tui.paths import find_paths
    from tui.presence import present_servers

    paths = find_paths()
    running = present_servers(paths.servers)
    if running and port is None:
        click.echo(f"A server is running already{_whose(running[0])}.", err=True)
        click.echo(running[0].address)
        return
    words = [f"--port={port}"] if port is not None else []
    words += [f"--bind={bind}"] if bind is not None else []
    flags = {"--cors": cors, "--no-jit": no_jit, "--require-tokens": require_tokens}
    words += [flag for flag, given in flags.items() if given]
    presence, said = start_in_background(paths, words)
    click.echo(presence.address)
    if said:
        click.echo(said, err=True)


@server.command()
def stop() -> None:
    """Stop the servers in the background. Answers that are being given end properly."""
    from tui.cli.background import stop_process
    from tui.paths import find_paths
    from tui.presence import present_servers

    running = present_servers(find_paths().servers)
    mine = [presence for presence in running if presence.holder == "serve"]
    for presence in mine:
        stop_process(presence)
        click.echo(f"stopped {presence.address}")
    if running and not mine:
        raise Busy(
            f"The server at {running[0].address} belongs to the screen of lmdeck (process {running[0].pid}).",
            "Press F9 there to turn it off.",
        )
    if not running:
        click.echo("No server is running.", err=True)


@server.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def status(as_json: bool) -> None:
    """Show which servers run, where, and which models they have loaded. Without any the exit code is 1."""
    from tui.cli.background import ask_health
    from tui.paths import find_paths
    from tui.presence import present_servers

    records = [_record(presence, ask_health(presence)) for presence in present_servers(find_paths().servers)]
    if as_json:
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
    elif not records:
        click.echo("No server is running. lmdeck server start starts one.", err=True)
    for record in records if not as_json else ():
        holder = "of the screen" if record["holder"] == "screen" else "in the background"
        click.echo(f"{record['address']}  {holder}, process {record['pid']}, lmdeck {record['version']}")
        if not record["answers"]:
            click.echo("  does not answer", err=True)
        for model in record["loaded"]:
            click.echo(f"  loaded: {model}")
    if not records:
        raise click.exceptions.Exit(1)


@server.group()
def token() -> None:
    """Make, list and revoke API tokens."""


@token.command()
@click.argument("name")
@click.option("--only-ask", is_flag=True, help="It may ask models, but not load, unload or download them.")
@click.pass_obj
def create(make_server: MakeServer, name: str, only_ask: bool) -> None:
    """Make a token and print it. It cannot be shown again."""
    from tui.domain import PERMISSIONS

    click.echo(_tokens(make_server).create(name, ("generate",) if only_ask else PERMISSIONS))


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_obj
def list_tokens(make_server: MakeServer, as_json: bool) -> None:
    """List the tokens, without their secrets."""
    import time

    tokens = _tokens(make_server).list()
    if as_json:
        records = [{"id": t.id, "name": t.name, "permissions": t.permissions, "created": t.created} for t in tokens]
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
        return
    for found in tokens:
        day = time.strftime("%Y-%m-%d", time.localtime(found.created))
        click.echo(f"{found.id}  {day}  {','.join(found.permissions):<15}  {found.name}")


@token.command()
@click.argument("token_id", metavar="ID")
@click.pass_obj
def revoke(make_server: MakeServer, token_id: str) -> None:
    """Make a token worthless at once, by the id that `list` shows."""
    _tokens(make_server).revoke(token_id)


def _tokens(make_server: MakeServer) -> TokenKeeper:
    from tui.paths import find_paths
    from tui.workbench import Workbench

    return make_server(Workbench(find_paths()), "serve").tokens


def _whose(presence: Presence) -> str:
    return ", that of the screen" if presence.holder == "screen" else ""


def _record(presence: Presence, health: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": presence.address,
        "bind": presence.bind,
        "pid": presence.pid,
        "holder": presence.holder,
        "version": presence.version,
        "since": presence.since,
        "answers": bool(health),
        "loaded": health.get("loaded", []),
        "running": health.get("running", 0),
    }
