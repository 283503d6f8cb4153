"""`lmdeck threads trash`, `restore`, `delete` and `empty-trash`."""

from __future__ import annotations

import click

from tui.cli.threads_named import SHORT, complete_thread, find_thread, opened_store, plain


@click.command("trash")
@click.argument("names", metavar="THREAD...", nargs=-1, required=True, shell_complete=complete_thread)
def trash_verb(names: tuple[str, ...]) -> None:
    """Put threads into the trash, from where they can be restored."""
    with opened_store() as store:
        for thread in [find_thread(store, name, ("active", "archived")) for name in names]:
            store.trash_thread(thread.id)
            click.echo(f"Put {plain(thread.title) or thread.id[-SHORT:]} into the trash.", err=True)


@click.command("restore")
@click.argument("names", metavar="THREAD...", nargs=-1, required=True, shell_complete=complete_thread)
def restore_verb(names: tuple[str, ...]) -> None:
    """Bring threads back from the trash."""
    with opened_store() as store:
        for thread in [find_thread(store, name, ("trashed",)) for name in names]:
            store.restore_thread(thread.id)
            click.echo(f"Restored {plain(thread.title) or thread.id[-SHORT:]}.", err=True)


@click.command("delete")
@click.argument("names", metavar="THREAD...", nargs=-1, required=True, shell_complete=complete_thread)
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete_verb(names: tuple[str, ...], yes: bool) -> None:
    """Remove threads for good, without a way back. `trash` has one."""
    with opened_store() as store:
        threads = {thread.id: thread for thread in (find_thread(store, name) for name in names)}
        for thread in threads.values():
            shown = plain(thread.title) or thread.id[-SHORT:]
            if not yes:
                count = f"{thread.message_count:,} message{'' if thread.message_count == 1 else 's'}"
                click.confirm(f"Remove {shown} with {count} for good?", abort=True, err=True)
            store.delete_thread(thread.id)
            click.echo(f"Removed {shown}.", err=True)


@click.command("empty-trash")
@click.option("--yes", is_flag=True, help="Do not ask.")
def empty_trash_verb(yes: bool) -> None:
    """Remove for good what is in the trash, and all messages that were deleted."""
    with opened_store() as store:
        count = len(store.list_threads("trashed"))
        if not yes:
            threads = f"{count:,} thread{'' if count == 1 else 's'}"
            click.confirm(f"Remove {threads} and all deleted messages for good?", abort=True, err=True)
        removed = store.empty_trash()
    click.echo(f"Removed {removed:,} thread{'' if removed == 1 else 's'}.", err=True)
