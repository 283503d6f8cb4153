"""How the command line opens the threads, and finds those that people mean."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import click
from click.shell_completion import CompletionItem

from tui.domain import BadRequest

if TYPE_CHECKING:
    from tui.threads import Folder, ThreadSet, ThreadStore, ThreadSummary

SHORT = 8
"""Characters of an id that are shown: the last ones, since the first are the time and much alike."""

LEAST = 4
"""Characters of an id that are enough to name it by."""

ALL_SETS: tuple[ThreadSet, ...] = ("active", "archived", "trashed")

Named = TypeVar("Named", "ThreadSummary", "Folder")


@contextmanager
def opened_store() -> Iterator[ThreadStore]:
    """The conversations of this installation. Raises StorageFailed."""
    from tui.paths import find_paths
    from tui.workbench import Workbench

    workbench = Workbench(find_paths())
    try:
        yield workbench.threads
    finally:
        workbench.close()


def find_thread(store: ThreadStore, name: str, sets: tuple[ThreadSet, ...] = ALL_SETS) -> ThreadSummary:
    """The thread that somebody means. Raises BadRequest where none or several could be meant."""
    among = [thread for which in sets for thread in store.list_threads(which)]
    return _find(name, among, "thread", "`lmdeck threads list` shows them all.")


def find_folder(store: ThreadStore, name: str) -> Folder:
    """The folder that somebody means: an id, a title, or titles with slashes between. Raises BadRequest."""
    folders = store.folders.all()
    paths = folder_paths(folders)
    exact = [folder for folder in folders if paths[folder.id].casefold() == name.strip("/").casefold()]
    if len(exact) == 1:
        return exact[0]
    return _find(name, folders, "folder", "`lmdeck threads folder list` shows them all.")


def folder_paths(folders: list[Folder]) -> dict[str, str]:
    """The title of each folder by its id, behind those of the folders that it lies in."""
    paths: dict[str, str] = {}
    for folder in folders:
        outer = f"{paths[folder.parent_id]}/" if folder.parent_id in paths else ""
        paths[folder.id] = f"{outer}{folder.title}"
    return paths


def _find(name: str, among: list[Named], thing: str, advice: str) -> Named:
    wanted = _folded(name.strip())
    steps: tuple[Callable[[Named], bool], ...] = (
        lambda one: one.id == wanted,
        lambda one: len(wanted) >= LEAST and one.id.endswith(wanted),
        lambda one: _folded(one.title) == wanted,
        lambda one: bool(wanted) and wanted in _folded(one.title),
    )
    for fits in steps:
        found = [one for one in among if fits(one)]
        if len(found) == 1:
            return found[0]
        if found:
            meant = ", ".join(f"{one.id[-SHORT:]} ({plain(one.title) or 'untitled'})" for one in found[:5])
            more = f" and {len(found) - 5:,} more" if len(found) > 5 else ""
            raise BadRequest(
                f"{len(found):,} {thing}s could be meant by {name!r}.", f"Name one: {meant}{more}.", field=thing
            )
    raise BadRequest(f"There is no {thing} called {name!r}.", advice, field=thing)


def _folded(text: str) -> str:
    """The text without case and accents, which people leave out when they type."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


def plain(text: str) -> str:
    """Text on one line, without what a terminal would obey."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def plain_lines(text: str) -> str:
    """Text on as many lines as it has, without what a terminal would obey."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text.replace("\r\n", "\n"))


def complete_thread(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Titles and short ids of threads that begin with what was typed."""
    from tui.paths import find_paths

    # Looking for what there is must not make a store.
    if not find_paths().database.exists():
        return []
    with opened_store() as store:
        threads = [thread for which in ALL_SETS for thread in store.list_threads(which)]
    typed = incomplete.casefold()
    titles = [plain(thread.title) for thread in threads if typed and thread.title.casefold().startswith(typed)]
    return [
        *(CompletionItem(title) for title in dict.fromkeys(titles)),
        *(
            CompletionItem(thread.id[-SHORT:], help=plain(thread.title))
            for thread in threads
            if thread.id[-SHORT:].startswith(typed)
        ),
    ]


def complete_folder(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Folders, as titles with slashes between, that begin with what was typed."""
    from tui.paths import find_paths

    if not find_paths().database.exists():
        return []
    with opened_store() as store:
        paths = folder_paths(store.folders.all()).values()
    return [path for path in paths if path.casefold().startswith(incomplete.casefold())]
