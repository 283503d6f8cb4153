"""`lmdeck ls`: the models on disk, and those of remote engines that can be reached."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from tui.domain import ModelInfo, StorageFailed

if TYPE_CHECKING:
    from tui.workbench import Workbench

# How long the list on disk waits for the lists of remote engines. Seconds.
_REMOTE_PATIENCE = 2.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def ls(as_json: bool) -> None:
    """List the models in the models folder, and those of remote engines.

    Files that cannot be used and engines that cannot be reached are listed with the reason.
    """
    from tui.engine import readable_size
    from tui.paths import find_paths
    from tui.workbench import Workbench

    paths = find_paths()
    workbench = Workbench(paths)
    problems = _look_around(workbench)
    models = workbench.catalogue.models()
    workbench.close()
    for problem in problems:
        click.echo(problem, err=True)
    if as_json:
        click.echo(json.dumps([_record(model) for model in models], indent=2, ensure_ascii=False))
        return
    if not models:
        click.echo(f"No models yet. Put GGUF files into {paths.models}", err=True)
        return
    usable = [model for model in models if model.usable]
    rows = [
        (
            model.key,
            model.architecture,
            parameters_text(model.parameters),
            model.quantization,
            f"on {model.remote}" if model.remote else readable_size(model.size),
            f"{model.context_length:,}" if model.context_length else "",
        )
        for model in usable
    ]
    if rows:
        print_table(("MODEL", "ARCH", "PARAMS", "QUANT", "SIZE", "CONTEXT"), rows)
    for model in models:
        if not model.usable:
            click.echo(f"cannot use {model.key}: {model.problem}", err=True)


def _look_around(workbench: Workbench) -> list[str]:
    """Ask the remote engines for their models; why that failed, one line for each."""
    try:
        workbench.remotes.refresh(wait=_REMOTE_PATIENCE)
        states = workbench.remotes.states()
    except StorageFailed as problem:
        return [str(problem)]
    waiting = "It has not answered yet."
    return [
        f"no models from {state.endpoint.name}: {state.problem.message if state.problem else waiting}"
        for state in states
        if not state.reachable
    ]


def _record(model: ModelInfo) -> dict[str, Any]:
    return {
        "key": model.key,
        "path": "" if model.remote else str(model.path),
        "files": [str(file) for file in model.files],
        "remote": model.remote,
        "publisher": model.publisher,
        "name": model.name,
        "architecture": model.architecture,
        "quantization": model.quantization,
        "parameters": model.parameters,
        "size_bytes": model.size,
        "context_length": model.context_length,
        "usable": model.usable,
        "problem": model.problem,
    }


def parameters_text(count: int) -> str:
    """Parameter counts as model names have them: `0.5B`, `7.2B`, `135M`."""
    if count >= 10**9 / 2:
        return f"{count / 10**9:.1f}B"
    return f"{count / 10**6:.0f}M" if count >= 10**6 else f"{count / 10**3:.0f}K" if count else ""


def print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows in columns as wide as they need to be."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    # A header helps people; programs that read the lines are better off without one.
    for row in [header, *rows] if sys.stdout.isatty() else rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
