"""`lmdeck presets`: the presets, and what LM Studio has of them and of per-model defaults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.domain import BadRequest

if TYPE_CHECKING:
    from tui.config import Unread
    from tui.workbench import Workbench


@click.group()
def presets() -> None:
    """List, import, export and delete presets; take over LM Studio's."""


@presets.command("ls")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_presets(as_json: bool) -> None:
    """List the presets. Files that cannot be read are listed with the reason."""
    found = _workbench().decisions.presets.all()
    if as_json:
        records = [{"identifier": one.identifier, "name": one.name, "problem": one.problem} for one in found]
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.name}  {one.identifier}" if not one.problem else f"cannot use {one.problem}")


@presets.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def import_files(files: tuple[Path, ...]) -> None:
    """Take over preset FILES, LM Studio's (*.preset.json) or ours."""
    store = _workbench().decisions.presets
    for file in files:
        preset = store.import_file(file)
        click.echo(preset.name)
        _tell_unread(preset.name, preset.unread)


@presets.command()
@click.argument("name")
@click.argument("target", type=click.Path(path_type=Path), default=".")
def export(name: str, target: Path) -> None:
    """Write the preset NAME to a file, or into a folder, in the form that LM Studio imports."""
    click.echo(_workbench().decisions.presets.export(name, target))


@presets.command()
@click.argument("name")
def rm(name: str) -> None:
    """Delete the preset NAME."""
    _workbench().decisions.presets.delete(name)


@presets.command("from-lmstudio")
@click.argument("folder", type=click.Path(path_type=Path), default="~/.lmstudio")
def from_lmstudio(folder: Path) -> None:
    """Take over the presets and per-model defaults of LM Studio, whose home is FOLDER.

    Nothing there is changed. Defaults are taken for models that are here and have none yet.
    """
    home = folder.expanduser()
    if not home.is_dir():
        raise BadRequest(
            f"There is no folder {home}.", "Give the folder that LM Studio keeps its files in.", field="folder"
        )
    workbench = _workbench()
    store = workbench.decisions.presets
    taken = {preset.name.lower() for preset in store.all()}
    for file in sorted((home / "config-presets").glob("*.preset.json")):
        try:
            preset = store.import_file(file, unless=taken)
        except BadRequest as problem:
            click.echo(f"left {file.name}: {problem.message}", err=True)
            continue
        click.echo(f"preset {preset.name}")
        _tell_unread(preset.name, preset.unread)
    for done in workbench.decisions.defaults.import_lmstudio(home, workbench.catalogue.models()):
        if done.problem:
            click.echo(f"left {done.path.name}: {done.problem}", err=True)
        else:
            click.echo(f"defaults of {done.model_key}")


def _workbench() -> Workbench:
    from tui.paths import find_paths
    from tui.workbench import Workbench

    return Workbench(find_paths())


def _tell_unread(name: str, unread: tuple[Unread, ...]) -> None:
    """What of a file has no effect here, and why."""
    for one in unread:
        click.echo(f"{name}: {one.key} has no effect here{f': {one.reason}' if one.reason else ''}", err=True)
