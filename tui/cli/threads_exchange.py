"""`lmdeck threads export`, `import`, `backup` and `restore-backup`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.threads_named import (
    complete_folder,
    complete_thread,
    find_folder,
    find_thread,
    opened_store,
    plain,
)
from tui.domain import BadRequest
from tui.threads import EXPORT_FORMATS

if TYPE_CHECKING:
    from tui.threads import ExportFormat, ThreadStore

_MOST_SHOWN = 10


@click.command("export")
@click.argument("thread", required=False, shell_complete=complete_thread)
@click.option("--folder", metavar="FOLDER", shell_complete=complete_folder, help="Export a folder with all in it.")
@click.option("--all", "everything", is_flag=True, help="Export all threads.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File, folder or .zip to write; without it, print one thread.",
)
@click.option(
    "-f", "--format", "chosen", type=click.Choice(EXPORT_FORMATS), help="By default what the name of the file says."
)
@click.option("--message", metavar="N", type=click.IntRange(1), help="Only the N-th message of the thread.")
@click.option("--force", is_flag=True, help="Replace what is there already.")
def export_verb(
    thread: str | None,
    folder: str | None,
    everything: bool,
    output: Path | None,
    chosen: Any,
    message: int | None,
    force: bool,
) -> None:
    """Export THREAD, a folder, or everything.

    \b
    lmdeck threads export Trip -o trip.md
    lmdeck threads export --folder Work -f html -o work
    lmdeck threads export --all -f lmstudio -o chats.zip
    """
    if sum((thread is not None, folder is not None, everything)) != 1:
        raise click.UsageError("Name a thread, or give --folder FOLDER or --all.")
    with opened_store() as store:
        if thread is not None:
            _export_thread(store, thread, output, chosen, message, force=force)
        elif message is not None:
            raise click.UsageError("--message goes with one thread.")
        else:
            _export_folder(store, folder, output, chosen, force=force)


def _export_thread(
    store: ThreadStore, name: str, output: Path | None, chosen: ExportFormat | None, message: int | None, *, force: bool
) -> None:
    found = find_thread(store, name)
    message_id = None
    if message is not None:
        messages = store.messages(found.id)
        if message > len(messages):
            raise BadRequest(
                f"The thread has no message {message:,}.", f"It has {len(messages):,} on its branch.", field="message"
            )
        message_id = messages[message - 1].id
    if output is None or str(output) == "-":
        exported = store.interchange.write(found.id, chosen or "markdown", message_id=message_id)
        # Bytes, so that no line end is changed on the way.
        sys.stdout.buffer.write(exported.text.encode("utf-8", "replace"))
        beside = (f"{len(exported.files):,} files that go beside it",) if exported.files else ()
        _say_left_out((*exported.left_out, *beside))
        return
    report = store.interchange.export_thread(found.id, output, chosen, message_id=message_id, overwrite=force)
    click.echo(f"Exported {plain(found.title)} to {report.path}.", err=True)
    _say_left_out(report.left_out)


def _export_folder(
    store: ThreadStore, folder: str | None, output: Path | None, chosen: ExportFormat | None, *, force: bool
) -> None:
    if output is None:
        raise click.UsageError("Say where to with --output: a folder, a .zip, or a .jsonl.")
    folder_id = find_folder(store, folder).id if folder is not None else None
    chosen = chosen or ("openai" if output.suffix.lower() == ".jsonl" else "json")
    report = store.interchange.export_folder(folder_id, output, chosen, overwrite=force)
    click.echo(f"Exported {report.threads:,} thread{'' if report.threads == 1 else 's'} to {report.path}.", err=True)
    _say_left_out(report.left_out)


@click.command("import")
@click.argument("sources", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--folder", metavar="FOLDER", shell_complete=complete_folder, help="Put the threads into this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print what was imported as JSON.")
def import_verb(sources: tuple[Path, ...], folder: str | None, as_json: bool) -> None:
    """Import threads; prints their ids.

    FILE is a conversation of LM Studio's, its folder `conversations`, lmdeck's own JSON or Markdown, OpenAI messages or
    ShareGPT as JSON or JSONL, or a folder or ZIP file of these. Of a FILE with a fault nothing is imported.
    """
    from tui.domain import LmdeckError

    records: list[dict[str, Any]] = []
    with opened_store() as store:
        folder_id = find_folder(store, folder).id if folder is not None else None
        for source in sources:
            try:
                report = store.interchange.import_from(source, folder_id=folder_id)
            except LmdeckError:
                if records:
                    click.echo(f"Imported {len(records):,} of {len(sources):,} files before this one.", err=True)
                raise
            records.append({"file": str(source), "threads": report.thread_ids, "skipped": report.skipped})
            if not as_json:
                for thread_id in report.thread_ids:
                    click.echo(thread_id)
            _say_imported(source, len(report.thread_ids), report.skipped)
    if as_json:
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
def backup_verb(file: Path, force: bool) -> None:
    """Write all threads with their attachments into one FILE, from which `restore-backup` brings them back."""
    if file.exists() and not force:
        raise BadRequest(f"{file} is there already.", "Choose another name, or use --force.", field="file")
    with opened_store() as store:
        store.back_up(file)
    click.echo(f"Backed up to {file}.", err=True)


@click.command("restore-backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore_backup_verb(file: Path, yes: bool) -> None:
    """Put what a backup holds in the place of all threads. What was there is backed up first."""
    with opened_store() as store:
        if not yes:
            count = sum(len(store.list_threads(which)) for which in ("active", "archived", "trashed"))
            click.confirm(f"Replace all {count:,} threads by those of {file}?", abort=True, err=True)
        before = store.restore_backup(file)
    click.echo(f"Restored {file}. What was there before is in {before}.", err=True)


def _say_imported(source: Path, count: int, skipped: tuple[str, ...]) -> None:
    click.echo(f"Imported {count:,} thread{'' if count == 1 else 's'} from {source}.", err=True)
    for name in skipped[:_MOST_SHOWN]:
        click.echo(f"passed over {plain(name)}: no conversation", err=True)
    if len(skipped) > _MOST_SHOWN:
        click.echo(f"passed over {len(skipped) - _MOST_SHOWN:,} more files", err=True)


def _say_left_out(left_out: tuple[str, ...]) -> None:
    for what in left_out[:_MOST_SHOWN]:
        click.echo(f"left out: {plain(what)}", err=True)
    if len(left_out) > _MOST_SHOWN:
        click.echo(
            f"left out of {len(left_out) - _MOST_SHOWN:,} more threads: what the format has no room for", err=True
        )
