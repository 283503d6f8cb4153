"""`lmdeck threads folder`: the folders that threads lie in."""

from __future__ import annotations

import json

import click

from tui.cli.threads_named import SHORT, complete_folder, find_folder, folder_paths, opened_store, plain


@click.group("folder")
def folder_verb() -> None:
    """List, make and change the folders that threads lie in.

    FOLDER is a title, or titles with slashes between them as in Work/Trips, or an id.
    """


@folder_verb.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_folders(as_json: bool) -> None:
    """List the folders."""
    with opened_store() as store:
        folders = store.folders.all()
        threads = store.list_threads()
    paths = folder_paths(folders)
    counts = {folder.id: sum(thread.folder_id == folder.id for thread in threads) for folder in folders}
    if as_json:
        records = [
            {
                "id": folder.id,
                "title": folder.title,
                "path": paths[folder.id],
                "threads": counts[folder.id],
                "created": folder.created,
            }
            for folder in folders
        ]
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
        return
    if not folders:
        click.echo("There are no folders yet. Make one with: lmdeck threads folder create TITLE", err=True)
    for folder in folders:
        depth = paths[folder.id].count("/") - folder.title.count("/")
        click.echo(f"{folder.id[-SHORT:]}  {counts[folder.id]:>5,}  {'  ' * depth}{plain(folder.title)}")


@folder_verb.command("create")
@click.argument("title")
@click.option("--in", "outer", metavar="FOLDER", shell_complete=complete_folder, help="The folder to make it in.")
def create_folder(title: str, outer: str | None) -> None:
    """Make a folder; prints its id."""
    with opened_store() as store:
        parent = find_folder(store, outer) if outer is not None else None
        click.echo(store.folders.create(title, parent_id=parent.id if parent is not None else None).id)


@folder_verb.command("rename")
@click.argument("folder", shell_complete=complete_folder)
@click.argument("title")
def rename_folder(folder: str, title: str) -> None:
    """Give FOLDER another TITLE."""
    with opened_store() as store:
        found = find_folder(store, folder)
        store.folders.rename(found.id, title)
    click.echo(f"Renamed {plain(found.title)} to {plain(title)}.", err=True)


@folder_verb.command("move")
@click.argument("folder", shell_complete=complete_folder)
@click.option("--to", "outer", metavar="FOLDER", shell_complete=complete_folder, help="The folder to put it into.")
@click.option("--to-top", is_flag=True, help="Take it out of the folder that it lies in.")
def move_folder(folder: str, outer: str | None, to_top: bool) -> None:
    """Put FOLDER into another one, or out of it."""
    if (outer is None) != to_top:
        raise click.UsageError("Say where to: --to FOLDER or --to-top.")
    with opened_store() as store:
        found = find_folder(store, folder)
        target = find_folder(store, outer) if outer is not None else None
        store.folders.move(found.id, target.id if target is not None else None)
    click.echo(f"Moved {plain(found.title)} to {plain(target.title) if target is not None else 'the top'}.", err=True)


@folder_verb.command("delete")
@click.argument("folder", shell_complete=complete_folder)
def delete_folder(folder: str) -> None:
    """Delete FOLDER with the folders in it; their threads go to the trash."""
    with opened_store() as store:
        found = find_folder(store, folder)
        store.folders.delete(found.id)
    click.echo(f"Deleted {plain(found.title)}; its threads are in the trash.", err=True)
