"""`lmdeck threads rename`, `move`, `pin`, `archive` and `duplicate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from tui.cli.threads_named import (
    SHORT,
    complete_folder,
    complete_thread,
    find_folder,
    find_thread,
    opened_store,
    plain,
)

if TYPE_CHECKING:
    from tui.threads import ThreadStore


@click.command("rename")
@click.argument("thread", shell_complete=complete_thread)
@click.argument("title")
def rename_verb(thread: str, title: str) -> None:
    """Give THREAD another TITLE."""
    with opened_store() as store:
        found = find_thread(store, thread)
        store.rename_thread(found.id, title)
    click.echo(f"Renamed {plain(found.title) or found.id[-SHORT:]} to {plain(title)}.", err=True)


@click.command("move")
@click.argument("names", metavar="THREAD...", nargs=-1, required=True, shell_complete=complete_thread)
@click.option("--to", "folder", metavar="FOLDER", shell_complete=complete_folder, help="The folder to put it into.")
@click.option("--to-top", is_flag=True, help="Take it out of all folders.")
def move_verb(names: tuple[str, ...], folder: str | None, to_top: bool) -> None:
    """Put threads into a folder, or out of all."""
    if (folder is None) != to_top:
        raise click.UsageError("Say where to: --to FOLDER or --to-top.")
    with opened_store() as store:
        threads = [find_thread(store, name) for name in names]
        target = find_folder(store, folder) if folder is not None else None
        for thread in threads:
            store.move_thread(thread.id, target.id if target is not None else None)
            place = plain(target.title) if target is not None else "the top"
            click.echo(f"Moved {plain(thread.title)} to {place}.", err=True)


@click.command("pin")
@click.argument("names", metavar="THREAD...", nargs=-1, required=True, shell_complete=complete_thread)
def pin_verb(names: tuple[str, ...]) -> None:
    """Keep threads at the beginning of every list."""
    _each(names, "Pinned", lambda store, thread_id: store.pin_thread(thread_id, True))


@click.command("unpin")
@click.argument("names", metavar="THREAD...", nargs=-1, required=True, shell_complete=complete_thread)
def unpin_verb(names: tuple[str, ...]) -> None:
    """Let threads stand where their order puts them."""
    _each(names, "Unpinned", lambda store, thread_id: store.pin_thread(thread_id, False))


@click.command("archive")
@click.argument("names", metavar="THREAD...", nargs=-1, required=True, shell_complete=complete_thread)
def archive_verb(names: tuple[str, ...]) -> None:
    """Put threads away, where search still finds them."""
    _each(names, "Archived", lambda store, thread_id: store.archive_thread(thread_id, True))


@click.command("unarchive")
@click.argument("names", metavar="THREAD...", nargs=-1, required=True, shell_complete=complete_thread)
def unarchive_verb(names: tuple[str, ...]) -> None:
    """Bring threads back that were put away."""
    _each(names, "Brought back", lambda store, thread_id: store.archive_thread(thread_id, False))


@click.command("duplicate")
@click.argument("thread", shell_complete=complete_thread)
def duplicate_verb(thread: str) -> None:
    """Copy THREAD with all its versions; prints the id of the copy."""
    with opened_store() as store:
        copy = store.duplicate_thread(find_thread(store, thread).id)
    click.echo(copy.id)


def _each(names: tuple[str, ...], done: str, change: Callable[[ThreadStore, str], object]) -> None:
    with opened_store() as store:
        # All are found before the first is changed, so that a mistake changes none.
        for thread in [find_thread(store, name) for name in names]:
            change(store, thread.id)
            click.echo(f"{done} {plain(thread.title) or thread.id[-SHORT:]}.", err=True)
