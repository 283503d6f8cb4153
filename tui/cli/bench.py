"""`lmdeck bench`: which load parameters make a model fastest on this machine."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from tui.cli.arguments import complete_model, model_or_only_one
from tui.cli.failures import INTERRUPTED
from tui.domain import Cancelled

if TYPE_CHECKING:
    from tui.engine import BenchOutcome
    from tui.paths import Paths
    from tui.workbench import Workbench


@click.command()
@click.argument("model", required=False, shell_complete=complete_model)
@click.option("--rounds", type=click.IntRange(1, 50), default=3, show_default=True, help="Answers for each figure.")
@click.option("--save", is_flag=True, help="Save the best as the model's defaults.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def bench(model: str | None, rounds: int, save: bool, as_json: bool) -> None:
    """Try thread counts, flash attention, batch sizes, cache types and GPU offload with MODEL.

    Each figure is the median of several answers after one to warm up. A parameter is changed only where that is faster
    by at least 3 %. It takes some minutes, and wants the machine for itself.
    """
    from tui.config import changed_values, to_json
    from tui.engine import bench_rows
    from tui.paths import find_paths
    from tui.workbench import Workbench

    paths = find_paths()
    _warn_of_others(paths)
    workbench = Workbench(paths)
    group: list[BenchOutcome] = []
    moving = sys.stderr.isatty()

    def plot() -> None:
        """Print what was measured of one parameter. Bars compare all of it, so that it must have ended."""
        if moving:
            click.echo("\r\x1b[K", nl=False, err=True)
        if not as_json:
            for row in bench_rows(group):
                click.echo(row)
            sys.stdout.flush()
        group.clear()

    def tell(outcome: BenchOutcome) -> None:
        if group and group[0].trial.group != outcome.trial.group:
            plot()
        group.append(outcome)
        if moving:
            figure = outcome.problem or f"{outcome.speed:,.1f}"
            click.echo(f"\r{outcome.trial.group} {outcome.trial.label}: {figure}\x1b[K", nl=False, err=True)

    try:
        key = workbench.catalogue.find(model_or_only_one(workbench, model)).key
        start = workbench.defaults_of(key).load
        with _interrupt() as stopped:
            try:
                result = workbench.bench(key, start, tell, stopped.is_set, rounds=rounds)
            except Cancelled:
                raise click.exceptions.Exit(INTERRUPTED) from None
            finally:
                plot()
        better = changed_values(result.best, start)
        if save and better:
            _save(workbench, key, better)
    finally:
        workbench.close()
    changes = {name: to_json(value) for name, value in better.items()}
    if as_json:
        outcomes = [_record(outcome) for outcome in result.outcomes]
        click.echo(json.dumps({"model": key, "outcomes": outcomes, "best": changes, "saved": bool(save and better)}))
        return
    if not better:
        click.echo("Nothing was clearly faster than what there is.")
        return
    words = ", ".join(f"{name.removeprefix('load.')}={value}" for name, value in changes.items())
    click.echo(f"Best: {words}")
    click.echo("Saved as the model's defaults." if save else "--save makes it the model's defaults.")


def _save(workbench: Workbench, key: str, better: dict[str, Any]) -> None:
    defaults = workbench.decisions.defaults
    defaults.save(key, {**defaults.get(key).values, **better})


def _warn_of_others(paths: Paths) -> None:
    from tui.presence import present_servers

    for presence in present_servers(paths.servers):
        click.echo(f"The lmdeck at {presence.address} runs too; what it does makes these figures lower.", err=True)


@contextmanager
def _interrupt() -> Iterator[threading.Event]:
    """An event that ctrl+c sets, so that the model is unloaded before the program ends."""
    stopped = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: stopped.set())
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def _record(outcome: BenchOutcome) -> dict[str, Any]:
    return {
        "parameter": outcome.trial.group,
        "value": outcome.trial.label,
        "generation_tokens_per_second": round(outcome.generation, 2),
        "prompt_tokens_per_second": round(outcome.prompt, 2),
        "problem": outcome.problem,
    }
