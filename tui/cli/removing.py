"""`lmdeck rm`: deletes models by moving them into the trash, and brings them back."""

from __future__ import annotations

import sys

import click

from tui.cli.arguments import complete_model
from tui.domain import BadRequest, ModelInfo


@click.command()
@click.argument("names", nargs=-1, shell_complete=complete_model)
@click.option("--all-variants", is_flag=True, help="Delete every variant of a name that several share.")
@click.option("--undo", is_flag=True, help="Bring back what was deleted last.")
@click.option("--trash", "show_trash", is_flag=True, help="List what can be brought back.")
@click.option("--empty-trash", is_flag=True, help="Delete what is in the trash for good.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing.")
def rm(names: tuple[str, ...], all_variants: bool, undo: bool, show_trash: bool, empty_trash: bool, yes: bool) -> None:
    """Delete models from lmdeck's models folder.

    NAME must be the whole name of a model or its file. Deleted models go to a trash in the models folder for a week,
    so that --undo brings them back; --empty-trash frees the disk. Models of other programs are refused, with the
    command of that program.
    """
    from tui.engine import readable_size
    from tui.paths import find_paths
    from tui.workbench import Workbench

    if sum((bool(names), undo, show_trash, empty_trash)) != 1:
        raise click.UsageError("Name the models to delete, or use one of --undo, --trash and --empty-trash.")
    workbench = Workbench(find_paths())
    library = workbench.library
    try:
        if undo:
            click.echo(f"{library.restore().key} is back.", err=True)
        elif show_trash:
            for item in library.trash.items():
                click.echo(f"{item.key}  {readable_size(item.size)}")
        elif empty_trash:
            items = library.trash.items()
            size = readable_size(sum(item.size for item in items))
            if items and _agreed(f"Delete {len(items)} models ({size}) for good?", yes):
                click.echo(f"Freed {readable_size(library.empty_trash())}.", err=True)
        else:
            chosen = [model for name in names for model in _chosen(library.named(name), name, all_variants)]
            for model in chosen:
                # All are checked before the first one goes.
                library.check_removable(model)
            for model in chosen:
                size = readable_size(model.size)
                if _agreed(f"Delete {model.key} ({size})?", yes):
                    library.delete(model)
                    click.echo(f"{model.key} is in the trash for a week. lmdeck rm --undo brings it back.", err=True)
            library.empty_trash(everything=False)
    finally:
        workbench.close()


def _chosen(found: tuple[ModelInfo, ...], name: str, all_variants: bool) -> tuple[ModelInfo, ...]:
    if len(found) > 1 and not (all_variants and len({model.family for model in found}) == 1):
        keys = ", ".join(model.variant_key for model in found)
        raise BadRequest(
            f"{name!r} means several models: {keys}.", "Name one of them, or add --all-variants.", field="model"
        )
    return found


def _agreed(question: str, yes: bool) -> bool:
    """Whether the person agrees; where nobody can be asked, naming the model was clear enough."""
    return yes or not sys.stdin.isatty() or click.confirm(question, err=True)
