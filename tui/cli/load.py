"""`lmdeck load`, `unload` and `ps`: the models in the memory of the lmdeck that runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from tui.cli.arguments import assigned, complete_model, model_or_only_one
from tui.cli.listing import print_table
from tui.cli.running import ask_server, loaded_instances, running_server
from tui.domain import BadRequest, ModelNotFound

if TYPE_CHECKING:
    from tui.workbench import Workbench


@click.command()
@click.argument("model", required=False, shell_complete=complete_model)
@click.option("--gpu", metavar="OFF|MAX|0..1", help="The part of the layers that is held in GPU memory.")
@click.option("-c", "--context-length", metavar="TOKENS", help="How many tokens the model can see at once.")
@click.option("--parallel", metavar="N", help="How many answers may be generated at the same time.")
@click.option("--ttl", type=float, metavar="SECONDS", help="Unload it after so long without work.")
@click.option("--identifier", metavar="NAME", help="What requests call it; loads one more instance.")
@click.option("--set", "assignments", metavar="NAME=VALUE", multiple=True, help="Any load parameter.")
@click.option("--profile", default="", metavar="NAME", help="A saved profile of this model.")
@click.option("--estimate-only", is_flag=True, help="Say what it would need, and load nothing.")
@click.option("--force", is_flag=True, help="Load it even if the guardrail refuses.")
@click.option("-y", "--yes", is_flag=True, hidden=True, help="Taken for lms's sake: nothing is asked here.")
def load(
    model: str | None,
    gpu: str | None,
    context_length: str | None,
    parallel: str | None,
    ttl: float | None,
    identifier: str | None,
    assignments: tuple[str, ...],
    profile: str,
    estimate_only: bool,
    force: bool,
    yes: bool,  # noqa: ARG001
) -> None:
    """Load MODEL into the lmdeck that runs, and print the identifier that requests use.

    What is not given here is what the model's defaults say. `lmdeck load MODEL --set key_cache_type=q8_0 --set fit=on`
    takes every parameter of the load editor.
    """
    from tui.paths import find_paths
    from tui.workbench import Workbench

    given = {"context_length": context_length, "parallel": parallel}
    typed = {name: value for name, value in given.items() if value is not None} | assigned(assignments)
    asked = _parsed(typed) | ({} if gpu is None else {"gpu_offload_ratio": _ratio(gpu)})
    paths = find_paths()
    workbench = Workbench(paths)
    try:
        key = workbench.catalogue.find(model_or_only_one(workbench, model)).key
        if profile:
            saved = workbench.decisions.defaults.profile(key, profile)
            asked = {name[5:]: value for name, value in saved.items() if name.startswith("load.")} | asked
        if estimate_only:
            _print_estimate(workbench, key, asked)
            return
    finally:
        workbench.close()
    server = running_server(paths)
    body = {**asked, "model": key, "ttl": ttl, "identifier": identifier, "force": force}
    loaded = ask_server(
        server,
        "POST",
        "/api/v1/models/load",
        {name: value for name, value in body.items() if value is not None and value is not False},
    )
    _tell(loaded, asked)


@click.command()
@click.argument("identifier", required=False)
@click.option("-a", "--all", "every", is_flag=True, help="Unload all models.")
def unload(identifier: str | None, every: bool) -> None:
    """Free a model of the lmdeck that runs; IDENTIFIER may be left out when there is only one."""
    from tui.paths import find_paths

    if identifier is not None and every:
        raise click.UsageError("Name a model, or use --all.")
    server = running_server(find_paths())
    if every:
        names = [one["identifier"] for one in loaded_instances()]
    elif identifier is not None:
        names = [one["identifier"] for one in loaded_instances() if one["identifier"] == identifier]
        if not names:
            raise ModelNotFound(f"No loaded model is called {identifier!r}.", "lmdeck ps lists those that are loaded.")
    else:
        names = [one["identifier"] for one in loaded_instances()]
        if len(names) > 1:
            raise ModelNotFound("There are several models.", f"Name one of: {', '.join(names)}, or use --all.")
        if not names:
            raise ModelNotFound("No models are currently loaded.", "lmdeck load loads one.")
    for name in names:
        ask_server(server, "POST", "/api/v1/models/unload", {"instance_id": name})
        if not every:
            click.echo(f'Model "{name}" unloaded.', err=True)
    if every:
        click.echo(f"Unloaded {len(names)} model{'' if len(names) == 1 else 's'}.", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def ps(as_json: bool) -> None:
    """List the models in memory of the lmdeck that runs."""
    instances = loaded_instances()
    if as_json:
        click.echo(json.dumps(instances, indent=2, ensure_ascii=False))
    elif not instances:
        click.echo("No models are currently loaded. lmdeck load loads one.", err=True)
    else:
        header = ("IDENTIFIER", "MODEL", "STATUS", "SIZE", "CONTEXT", "PARALLEL", "TTL")
        print_table(header, [_row(one) for one in instances])


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    from tui.engine import readable_size

    queued = f" +{one['queued']}" if one["queued"] else ""
    return (
        one["identifier"],
        one["modelKey"],
        one["status"].upper() + queued,
        readable_size(one["sizeBytes"]),
        f"{one['contextLength']:,}",
        str(one["parallel"] or ""),
        _ttl(one["ttlMs"], one["idleMs"]),
    )


def _ttl(ttl: int | None, idle: int) -> str:
    """What is left of the time that it may be idle, and the whole: `58m / 1h`."""
    return "" if ttl is None else f"{_span(max(0, ttl - idle))} / {_span(ttl)}"


def _span(milliseconds: int) -> str:
    seconds = round(milliseconds / 1000)
    for size, letter in ((3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds / size:.1f}".removesuffix(".0") + letter
    return f"{seconds}s"


def _parsed(typed: dict[str, str]) -> dict[str, Any]:
    from tui.config import LOAD_PARAMETERS, with_values
    from tui.domain import LoadConfig

    config = with_values(LoadConfig(), LOAD_PARAMETERS, typed)
    return {name: getattr(config, name) for name in typed}


def _ratio(text: str) -> float:
    words = {"off": 0.0, "max": 1.0}
    try:
        ratio = words[text.lower()] if text.lower() in words else float(text)
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise BadRequest(f"--gpu cannot be {text!r}.", "It takes off, max, or a number from 0 to 1.", field="--gpu")
    return ratio


def _print_estimate(workbench: Workbench, key: str, asked: dict[str, Any]) -> None:
    """What `lms load --estimate-only` says, and which device is short."""
    from tui.engine import readable_size

    config = workbench.load_config(key, asked)
    estimate = workbench.estimate(key, config)
    on_gpus = sum(device.needed for device in estimate.devices if device.device != "CPU")
    offload = f"{config.gpu_layers} layers" if config.gpu_layers is not None else f"{config.gpu_offload_ratio or 1:.0%}"
    if config.gpu_layers == 0 or config.gpu_offload_ratio == 0 or not on_gpus:
        offload = "off"
    click.echo(f"Model: {key}")
    if config.context_length:
        click.echo(f"Context Length: {config.context_length:,}")
    click.echo(f"GPU Offload: {offload}")
    click.echo(f"Estimated GPU Memory:   {readable_size(on_gpus)}")
    click.echo(f"Estimated Total Memory: {readable_size(estimate.needed)}")
    click.echo()
    if estimate.shortage is None:
        click.echo("Estimate: This model may be loaded based on your resource guardrails settings.")
        return
    short = estimate.shortage
    where = f" on {short.device}" if short.device else ""
    click.echo("Estimate: This model will fail to load based on your resource guardrails settings.")
    click.echo(
        f"It needs {readable_size(short.needed)}{where}; the guardrail ({estimate.level}) allows "
        f"{readable_size(short.allowed)}. Try --set fit=on, or --force."
    )


def _tell(loaded: dict[str, Any], asked: dict[str, Any]) -> None:
    """Say what was loaded, and every number that is another one than was asked for."""
    from tui.config import label_of

    click.echo(f"Model loaded successfully in {loaded.get('load_time_seconds', 0):.2f}s.", err=True)
    config = loaded.get("load_config")
    for name, value in asked.items():
        got = config.get(name) if isinstance(config, dict) else None
        if isinstance(value, int) and isinstance(got, int) and not isinstance(value, bool) and got != value:
            click.echo(f"{label_of(f'load.{name}')}: asked for {value:,}, loaded with {got:,}", err=True)
    click.echo("To use the model in the API/SDK, use the identifier:", err=True)
    click.echo(str(loaded.get("instance_id", "")))
