"""`lmdeck threads list`, `show` and `search`."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from tui.cli.listing import print_table
from tui.cli.threads_named import (
    SHORT,
    complete_folder,
    complete_thread,
    find_folder,
    find_thread,
    folder_paths,
    opened_store,
    plain,
    plain_lines,
)

if TYPE_CHECKING:
    from tui.threads import SearchHit, StoredMessage, ThreadStore, ThreadSummary

_SPEAKERS = {"system": "System", "user": "You", "assistant": "Assistant", "tool": "Tool"}


@click.command("list")
@click.option("--folder", metavar="FOLDER", shell_complete=complete_folder, help="Only threads in this folder.")
@click.option("--archived", "which", flag_value="archived", help="Those that were put away.")
@click.option("--trashed", "which", flag_value="trashed", help="Those in the trash.")
@click.option(
    "--sort",
    type=click.Choice(["updated", "created", "title", "manual"]),
    default="updated",
    help="Order, pinned first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_verb(folder: str | None, which: Any, sort: Any, as_json: bool) -> None:
    """List threads, those used last first."""
    with opened_store() as store:
        folders = store.folders.all()
        inside = _below(store, find_folder(store, folder).id) if folder is not None else None
        threads = [
            thread
            for thread in store.list_threads(which or "active", sort=sort)
            if inside is None or thread.folder_id in inside
        ]
    paths = folder_paths(folders)
    if as_json:
        click.echo(json.dumps([record_of(thread, paths) for thread in threads], indent=2, ensure_ascii=False))
        return
    if not threads:
        click.echo(_EMPTY.get(which or "active", "") if folder is None else "There are no threads in it.", err=True)
        return
    rows = [
        (
            thread.id[-SHORT:],
            _time(thread.updated),
            f"{thread.message_count:,}",
            plain(thread.model)[:32],
            plain(paths.get(thread.folder_id or "", ""))[:32],
            f"{'* ' if thread.pinned else ''}{plain(thread.title) or '(untitled)'}",
        )
        for thread in threads
    ]
    print_table(("ID", "USED", "MESSAGES", "MODEL", "FOLDER", "TITLE"), rows)


@click.command("show")
@click.argument("thread", required=False, shell_complete=complete_thread)
@click.option("--versions", is_flag=True, help="Print every version of every message, too.")
@click.option("--reasoning", is_flag=True, help="Print what the models thought, too.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as lmdeck's own JSON.")
def show_verb(thread: str | None, versions: bool, reasoning: bool, as_json: bool) -> None:
    """Print a thread; by default the one that was used last."""
    with opened_store() as store:
        if thread is None:
            recent = max(store.list_threads(), key=lambda one: one.updated, default=None)
            if recent is None:
                click.echo(_EMPTY["active"], err=True)
                return
            summary = recent
        else:
            summary = find_thread(store, thread)
        if as_json:
            click.echo(store.interchange.write(summary.id, "json").text, nl=False)
            return
        messages = store.all_messages(summary.id) if versions else store.messages(summary.id)
        prompt = store.effective_settings(summary.id).system_prompt
    click.secho(plain(summary.title) or "(untitled)", bold=True)
    if prompt:
        click.echo(f"\nSystem prompt\n{plain_lines(prompt)}")
    for message in messages:
        _show(message, reasoning=reasoning)


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--folder", metavar="FOLDER", shell_complete=complete_folder, help="Only in this folder.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Most hits.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def search_verb(words: tuple[str, ...], folder: str | None, limit: int, as_json: bool) -> None:
    """Search titles and messages for all of WORDS; the last may be the beginning of a word.

    Words in quotation marks stand one behind the other: lmdeck threads search '"prompt template" qwen'
    """
    with opened_store() as store:
        folder_id = find_folder(store, folder).id if folder is not None else None
        hits = store.finder.search(" ".join(words), limit=limit, folder_id=folder_id)
    if as_json:
        click.echo(json.dumps([_hit(hit) for hit in hits], indent=2, ensure_ascii=False))
        return
    if not hits:
        click.echo("Nothing found.", err=True)
    for hit in hits:
        title = click.style(f"{hit.thread.id[-SHORT:]}  {plain(hit.thread.title) or '(untitled)'}", dim=True)
        click.echo(f"{title}\n  {_lit(hit) if sys.stdout.isatty() else plain(hit.snippet)}")


def record_of(thread: ThreadSummary, paths: dict[str, str]) -> dict[str, Any]:
    """A thread as programs read it. Times are in seconds since the epoch."""
    return {
        "id": thread.id,
        "title": thread.title,
        "folder": paths.get(thread.folder_id or "", ""),
        "model": thread.model,
        "messages": thread.message_count,
        "created": thread.created,
        "updated": thread.updated,
        "pinned": thread.pinned,
        "archived": thread.archived,
        "trashed": thread.trashed,
    }


_EMPTY = {
    "active": "There are no threads yet. Start one with: lmdeck, or bring some in with: lmdeck threads import FILE",
    "archived": "No thread was put away.",
    "trashed": "The trash is empty.",
}


def _below(store: ThreadStore, folder_id: str) -> set[str]:
    inside = {folder_id}
    for folder in store.folders.all():
        if folder.parent_id in inside:
            inside.add(folder.id)
    return inside


def _show(message: StoredMessage, *, reasoning: bool) -> None:
    from tui.domain import FilePart, ImagePart, ReasoningPart, TextPart, ToolCallPart, ToolResultPart

    speaker = "Note" if message.kind == "note" else _SPEAKERS[message.message.role]
    version = f"{message.version} of {message.versions}" if message.versions > 1 else ""
    about = " · ".join(filter(None, (speaker, plain(message.model), version, _time(message.created))))
    click.secho(f"\n{about}", fg="cyan")
    for part in message.message.parts:
        match part:
            case TextPart(text):
                click.echo(plain_lines(text))
            case ReasoningPart(text):
                if reasoning:
                    click.secho(plain_lines(text), dim=True)
            case ImagePart(name=name):
                click.echo(f"[picture: {plain(name) or 'without a name'}]")
            case FilePart(name, text):
                click.echo(f"[file: {plain(name)}, {len(text):,} characters]")
            case ToolCallPart(_, name, arguments):
                click.echo(f"[calls {plain(name)}] {plain_lines(arguments)}")
            case ToolResultPart(_, name, text):
                click.echo(f"[{plain(name) or 'tool'} says] {plain_lines(text)}")
    if message.error:
        click.secho(plain_lines(message.error), fg="red")


def _hit(hit: SearchHit) -> dict[str, Any]:
    return {
        "thread": hit.thread.id,
        "title": hit.thread.title,
        "message": hit.message_id,
        "role": hit.role,
        "snippet": hit.snippet,
        "spans": [list(span) for span in hit.spans],
    }


def _lit(hit: SearchHit) -> str:
    pieces, at = [], 0
    for start, end in hit.spans:
        pieces += [plain_lines(hit.snippet[at:start]), click.style(plain_lines(hit.snippet[start:end]), fg="yellow")]
        at = end
    return "".join([*pieces, plain_lines(hit.snippet[at:])])


def _time(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):
        return ""
