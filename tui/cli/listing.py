"""`lmdeck ls`: the models on disk, and those of remote engines that can be reached."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tui.cli.model_records import entry_record, model_record, parameters_text
from tui.cli.running import loaded_instances
from tui.domain import LmdeckError, ModelInfo, StorageFailed

if TYPE_CHECKING:
    from tui.models import ModelEntry
    from tui.workbench import Workbench

# How long the list on disk waits for the lists of remote engines. Seconds.
_REMOTE_PATIENCE = 2.0
# How long it waits for what is loaded. Seconds.
_SERVER_PATIENCE = 1.0


@click.command()
@click.argument("name", required=False)
@click.option("--llm", is_flag=True, help="Only models that answer.")
@click.option("--embedding", is_flag=True, help="Only models that make vectors.")
@click.option("--variants", is_flag=True, help="Every variant of a model on a line of its own.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def ls(name: str | None, llm: bool, embedding: bool, variants: bool, as_json: bool) -> None:
    """List the models on this machine, and those of remote engines.

    With NAME only models with that in their names. Besides lmdeck's own folder those of LM Studio, Hugging Face,
    llama.cpp and Ollama are listed, and the folders of the setting model_folders; they are only read. Files that
    cannot be used and engines that cannot be reached are listed with the reason.
    """
    from tui.models import entries
    from tui.paths import find_paths
    from tui.workbench import Workbench

    paths = find_paths()
    workbench = Workbench(paths)
    problems = _look_around(workbench)
    models = [model for model in workbench.catalogue.models() if _wanted(model, name, llm, embedding)]
    problems += [
        f"no models from {state.source.name}: {state.source.folder} cannot be read ({state.problem})"
        for state in workbench.catalogue.sources()
        if state.problem
    ]
    listed = entries(models, workbench.usage.last_used)
    if models and name is None and all(model.builtin for model in workbench.catalogue.models()):
        problems.append(f"No models yet but the built-in ones. Put GGUF files into {paths.models}")
    for problem in problems:
        click.echo(problem, err=True)
    if as_json:
        used = workbench.usage.last_used
        records = (
            [entry_record(entry, used) for entry in listed]
            if variants
            else [model_record(entry.selected, used, entry) for entry in listed]
        )
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
    elif models:
        _print(listed, _loaded(), every_variant=variants)
    elif name is None and not llm and not embedding:
        click.echo(f"No models yet. Put GGUF files into {paths.models}", err=True)
    else:
        click.echo("No model is like that.", err=True)
    workbench.close()


def _loaded() -> Counter[str]:
    """How often each model is loaded by those that serve, as far as they answer at once."""
    try:
        return Counter(str(one.get("modelKey")) for one in loaded_instances(timeout=_SERVER_PATIENCE))
    except LmdeckError:
        return Counter()


def _print(listed: Sequence[ModelEntry], loaded: Counter[str], *, every_variant: bool) -> None:
    from tui.engine import readable_size

    rows = []
    usable = [entry for entry in listed if entry.selected.usable]
    for entry in usable:
        several = len(entry.variants) > 1
        name = f"{entry.key} ({len(entry.variants)} variants)" if several else entry.key
        rows.append(_row(name, entry.selected, sum(loaded[model.key] for model in entry.variants)))
        if several and every_variant:
            rows += [_row(f" * {model.variant_key}", model, loaded[model.key]) for model in entry.variants]
    if sys.stdout.isatty():
        here = [model for entry in listed for model in entry.variants if not model.remote and not model.base]
        total = readable_size(sum(model.size for model in here))
        click.echo(f"You have {len(usable)} models, taking up {total} of disk space.\n")
    if rows:
        print_table(("MODEL", "ARCH", "PARAMS", "QUANT", "SIZE", "CONTEXT", "CAN", "FROM", ""), rows)
    for entry in listed:
        for model in entry.variants:
            if not model.usable:
                click.echo(f"cannot use {model.key}: {model.problem}", err=True)


def _row(name: str, model: ModelInfo, loaded: int) -> tuple[str, ...]:
    from tui.engine import readable_size

    able = {"vectors": model.embeds, "tools": model.tools, "vision": model.sees, "thinking": model.thinks}
    return (
        name,
        model.architecture,
        parameters_text(model.parameters),
        model.quantization,
        f"on {model.remote}" if model.remote else readable_size(model.size),
        f"{model.context_length:,}" if model.context_length else "",
        ",".join(word for word, can in able.items() if can),
        model.source,
        f"✓ LOADED ({loaded})" if loaded > 1 else "✓ LOADED" if loaded else "",
    )


def _wanted(model: ModelInfo, name: str | None, llm: bool, embedding: bool) -> bool:
    if llm != embedding and model.embeds != embedding:
        return False
    texts = (model.key, model.family, model.variant_key, model.name, model.publisher)
    return name is None or any(name.casefold() in text.casefold() for text in texts)


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


def print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows in columns as wide as they need to be."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    # A header helps people; programs that read the lines are better off without one.
    for row in [header, *rows] if sys.stdout.isatty() else rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
