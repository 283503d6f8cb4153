"""`lmdeck threads`: conversations, without a screen."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

# Each verb and the file that it stands in. One verb is run, so one file is imported.
_VERBS = {
    "list": "threads_reading",
    "show": "threads_reading",
    "search": "threads_reading",
    "rename": "threads_changing",
    "move": "threads_changing",
    "pin": "threads_changing",
    "unpin": "threads_changing",
    "archive": "threads_changing",
    "unarchive": "threads_changing",
    "duplicate": "threads_changing",
    "trash": "threads_removing",
    "restore": "threads_removing",
    "delete": "threads_removing",
    "empty-trash": "threads_removing",
    "folder": "threads_folders",
    "export": "threads_exchange",
    "import": "threads_exchange",
    "backup": "threads_exchange",
    "restore-backup": "threads_exchange",
}


class _LazyGroup(click.Group):
    """A group that imports a verb when it is asked for."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in _VERBS:
            return None
        verb: Any = getattr(import_module(f"tui.cli.{_VERBS[name]}"), f"{name.replace('-', '_')}_verb")
        assert isinstance(verb, click.Command)
        return verb


@click.group(cls=_LazyGroup)
def threads() -> None:
    """List, read, search, export and import conversations.

    THREAD is the id that `lmdeck threads list` shows (its last characters are enough) or a title, or a part of one
    that only one thread has.
    """
