"""`lmdeck remote`: servers elsewhere whose models are used like those of this machine."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from tui.cli.listing import print_table
from tui.domain import BadRequest

if TYPE_CHECKING:
    from tui.engine.remote import RemoteState

# A little longer than asking for a list of models may take, so that every state is known. Seconds.
_PATIENCE = 6.0


@click.group()
def remote() -> None:
    """Use the models of any OpenAI-compatible server: another lmdeck, llama-server, vLLM.

    The model `m` of the remote engine `home` is called `home/m`, as in: lmdeck chat home/m -p Hello
    """


@remote.command()
@click.argument("name")
@click.argument("url")
@click.option("--key-from-env", metavar="VAR", help="Take the API key from this environment variable, now.")
@click.option("--key-stdin", is_flag=True, help="Read the API key from standard input.")
def add(name: str, url: str, key_from_env: str | None, key_stdin: bool) -> None:
    """Add the server at URL as the remote engine NAME.

    URL is what other programs call the base URL, such as http://192.168.1.20:1234/v1; without a path, /v1 is added.
    The key is kept in a file that only you can read, and is never shown again.
    """
    from tui.paths import find_paths
    from tui.workbench import Workbench

    key = _key(key_from_env, from_stdin=key_stdin)
    workbench = Workbench(find_paths())
    try:
        endpoint = workbench.add_remote(name, url, key)
        workbench.remotes.refresh(max_age=_PATIENCE, wait=_PATIENCE)
        state = next(state for state in workbench.remotes.states() if state.endpoint == endpoint)
    finally:
        workbench.close()
    click.echo(f"Added {endpoint.name} at {endpoint.url}: {_state_text(state)}", err=True)
    if state.problem is not None and state.problem.advice:
        click.echo(state.problem.advice, err=True)


@remote.command()
@click.argument("name")
def remove(name: str) -> None:
    """Forget the remote engine NAME and its key."""
    from tui.paths import find_paths
    from tui.workbench import Workbench

    Workbench(find_paths()).remove_remote(name)
    click.echo(f"Removed {name}.", err=True)


@remote.command("list")
@click.option("--models", is_flag=True, help="Show the models of each, too.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_remotes(models: bool, as_json: bool) -> None:
    """List the remote engines, and whether they can be reached now."""
    from tui.paths import find_paths
    from tui.workbench import Workbench

    workbench = Workbench(find_paths())
    try:
        workbench.remotes.refresh(wait=_PATIENCE)
        states = workbench.remotes.states()
    finally:
        workbench.close()
    if as_json:
        click.echo(json.dumps([_record(state, with_models=models) for state in states], indent=2, ensure_ascii=False))
        return
    if not states:
        click.echo("There are no remote engines yet. Add one with: lmdeck remote add NAME URL", err=True)
        return
    if models:
        for state in states:
            for model in state.models if state.reachable else ():
                click.echo(model.key)
            if not state.reachable:
                click.echo(f"{state.endpoint.name}: {_state_text(state)}", err=True)
        return
    rows = [
        (state.endpoint.name, state.endpoint.url, state.endpoint.masked_key or "no key", _state_text(state))
        for state in states
    ]
    print_table(("NAME", "URL", "KEY", "STATE"), rows)


def _key(variable: str | None, *, from_stdin: bool) -> str:
    if variable is not None and from_stdin:
        raise click.UsageError("Take the key from the environment or from standard input, not from both.")
    if variable is not None:
        key = os.environ.get(variable, "")
        if not key:
            raise BadRequest(
                f"The environment variable {variable} has no key in it.", "Set and export it first.", field="key"
            )
        return key
    if not from_stdin:
        return ""
    if sys.stdin.isatty():
        return str(click.prompt("API key", hide_input=True, err=True))
    key = sys.stdin.readline().strip()
    if not key:
        raise BadRequest("There is no key on standard input.", "Pipe it in, on one line.", field="key")
    return key


def _state_text(state: RemoteState) -> str:
    if state.problem is not None:
        return state.problem.message
    if not state.asked:
        return "no answer yet"
    count = len(state.models)
    return f"reachable, {count:,} model{'' if count == 1 else 's'}"


def _record(state: RemoteState, *, with_models: bool) -> dict[str, Any]:
    record: dict[str, Any] = {
        "name": state.endpoint.name,
        "url": state.endpoint.url,
        "has_key": bool(state.endpoint.key),
        "reachable": state.reachable,
        "problem": state.problem.message if state.problem is not None else "",
    }
    if with_models:
        record["models"] = [model.key for model in state.models] if state.reachable else []
    return record
