"""`lmdeck model`: what is known about one model, and where it lies."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import click

from tui.cli.arguments import complete_model
from tui.cli.model_records import model_record
from tui.domain import BadRequest, ModelInfo

if TYPE_CHECKING:
    from tui.workbench import Workbench

_FOLDED = 100
"""Characters of a value that are shown where it is not asked for in full."""


@click.group()
def model() -> None:
    """Look at one model: its metadata, its file, its folder."""


@model.command()
@click.argument("name", shell_complete=complete_model)
@click.option("--full", is_flag=True, help="Show long values in full.")
@click.option("--readme", is_flag=True, help="Print the README that lies beside it.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show(name: str, full: bool, readme: bool, as_json: bool) -> None:
    """Show everything that a model's file says."""
    from tui.models import read_details

    workbench, info = _model(name)
    details = read_details(info)
    record = model_record(info, workbench.usage.last_used)
    workbench.close()
    if readme:
        if not details.readme:
            raise BadRequest(f"There is no README beside {info.key}.", f"It lies in {info.path.parent}.", field="name")
        click.echo(details.readme)
        return
    if as_json:
        metadata = {item.key: item.value for item in details.metadata}
        found = record | {"tensors": details.tensors, "metadata": metadata}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for title, value in record.items():
        if value not in (None, "", [], False):
            click.echo(f"{title:<24} {value if isinstance(value, str | int | float) else json.dumps(value)}")
    click.echo(f"{'tensors':<24} {details.tensors or '-'}")
    if details.problem:
        click.echo(details.problem, err=True)
    for item in details.metadata:
        value = item.value if full else _folded(item.value)
        length = f" ({item.length:,})" if item.length > 1 and item.kind.startswith("array") else ""
        click.echo(f"{item.key}{length} = {value}")


@model.command()
@click.argument("name", shell_complete=complete_model)
def path(name: str) -> None:
    """Print the path of a model's file; of a split set that of each file."""
    workbench, info = _model(name)
    workbench.close()
    for file in info.files or (info.path,):
        click.echo(str(file))


@model.command(name="open")
@click.argument("name", shell_complete=complete_model)
def open_(name: str) -> None:
    """Show a model's folder in the file manager of this desk."""
    from tui.models import folder_opener

    workbench, info = _model(name)
    workbench.close()
    folder = info.path.parent
    command = folder_opener(folder)
    if command is None:
        raise BadRequest("There is no desktop here to show a folder on.", f"The folder is {folder}", field="name")
    click.echo(str(folder), err=True)
    quiet = subprocess.DEVNULL
    subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)


def _model(name: str) -> tuple[Workbench, ModelInfo]:
    """The model that a name means, be it usable or not. Raises ModelNotFound or BadRequest."""
    from tui.domain import ModelUnusable
    from tui.paths import find_paths
    from tui.workbench import Workbench

    workbench = Workbench(find_paths())
    try:
        info = workbench.catalogue.find(name)
    except ModelUnusable:
        info = workbench.library.named(name)[0]
    if info.remote:
        raise BadRequest(f"{info.key} is on the remote engine {info.remote}.", "It has no file here.", field="name")
    return workbench, info


def _folded(value: str) -> str:
    line = value.replace("\n", "⏎")
    return line if len(line) <= _FOLDED else f"{line[:_FOLDED]}… ({len(value):,} characters; --full shows them)"
