"""`lmdeck import`: takes model files into the models folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.arguments import split_user_repo
from tui.domain import LmdeckError

if TYPE_CHECKING:
    from tui.models import Import, Library, Way


@click.command(name="import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-c", "--copy", "copy", is_flag=True, help="Copy the file; it stays where it is.")
@click.option("-L", "--hard-link", is_flag=True, help="Give the file a second name; needs the same disk.")
@click.option("-l", "--symbolic-link", is_flag=True, help="Link to the file where it is.")
@click.option("--user-repo", metavar="USER/REPO", help="Where it goes below the models folder.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing.")
def import_(
    files: tuple[Path, ...],
    copy: bool,
    hard_link: bool,
    symbolic_link: bool,
    user_repo: str | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Take model files (GGUF) into lmdeck's models folder, by moving them.

    Of a split set it is enough to name one file. Damaged files are refused with the reason. What lies in the folders
    of LM Studio, Hugging Face, llama.cpp or Ollama is listed without an import, and is never moved away from there.
    """
    from tui.paths import find_paths
    from tui.workbench import Workbench

    if copy + hard_link + symbolic_link > 1:
        raise click.UsageError("--copy, --hard-link and --symbolic-link exclude each other.")
    way: Way = "copy" if copy else "hard link" if hard_link else "symbolic link" if symbolic_link else "move"
    owner, name = split_user_repo(user_repo) if user_repo else ("", "")
    workbench = Workbench(find_paths())
    problems: list[LmdeckError] = []
    try:
        for file in files:
            try:
                plan = workbench.library.plan_import(file, way, owner=owner, name=name)
                if not user_repo and not yes and not dry_run and sys.stdin.isatty():
                    plan = _asked(workbench.library, file, way, plan)
                _do(workbench.library, plan, dry_run=dry_run)
            except LmdeckError as problem:
                # The other files need not wait for this one.
                problems.append(problem)
                if len(files) > 1:
                    click.secho(f"{file}: {problem}", fg="red", err=True)
    finally:
        workbench.close()
    if problems:
        raise problems[0]


def _asked(library: Library, file: Path, way: Way, plan: Import) -> Import:
    """The plan with the owner and name that the person wants."""
    wanted = click.prompt("Where to, as user/repo", default=f"{plan.owner}/{plan.name}", err=True)
    owner, name = split_user_repo(wanted)
    return library.plan_import(file, way, owner=owner, name=name)


def _do(library: Library, plan: Import, *, dry_run: bool) -> None:
    for source, target in plan.files:
        click.echo(f"{plan.way}: {source} -> {target}", err=True)
    if dry_run:
        click.echo("Nothing was done (--dry-run).", err=True)
        return

    def report(done: int, size: int) -> bool:
        if sys.stderr.isatty():
            click.echo(f"\r{done / max(1, size):4.0%}", nl=done >= size, err=True)
        return True

    model = library.carry_out(plan, report)
    if model is not None and model.usable:
        click.echo(f"Imported as {model.key}.", err=True)
    elif model is not None:
        click.echo(f"Imported as {model.key}, which cannot be used: {model.problem}", err=True)
    else:
        click.echo("Imported. It is no model by itself, but may be used by those beside it.", err=True)
