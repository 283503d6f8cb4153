"""Hands a text to the person's own editor, which takes over the terminal until it ends."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.domain import BadRequest

if TYPE_CHECKING:
    from textual.app import App

Run = Callable[[list[str]], int]
"""Runs a command in the terminal and returns its exit code."""


def editor_command() -> list[str]:
    """The editor that `$VISUAL` or `$EDITOR` names, with its arguments. Raises BadRequest when neither does."""
    for name in ("VISUAL", "EDITOR"):
        try:
            command = shlex.split(os.environ.get(name, ""))
        except ValueError as error:
            raise BadRequest(f"${name} cannot be read: {error}.", "Correct its quotes.", field=name) from error
        if command:
            return command
    raise BadRequest(
        "No editor is chosen.", "Set EDITOR before you start lmdeck, for example: export EDITOR=nano", field="EDITOR"
    )


def edit_text(app: App[Any], text: str) -> str | None:
    """Let the person edit a text; `None` if the editor failed. Blocks the app, whose terminal it uses.

    Answers that are coming are saved meanwhile, and drawn afterwards. Raises BadRequest.
    """
    command = editor_command()
    from textual.app import SuspendNotSupported

    result: str | None = None
    problem: Exception | None = None
    try:
        with app.suspend():
            # Textual does not take the terminal back when something is raised in here.
            try:
                result = edited(text, command, run_in_terminal)
            except Exception as error:
                problem = error
    except SuspendNotSupported as error:
        raise BadRequest(
            "The editor cannot be opened: this terminal cannot be handed over.", "Edit here.", field="EDITOR"
        ) from error
    finally:
        app.refresh(layout=True)
    if problem is not None:
        raise problem
    return result


def edited(text: str, command: list[str], run: Run) -> str | None:
    """The text after an editor has had it; `None` if that failed. Raises BadRequest if it cannot be started."""
    descriptor, name = tempfile.mkstemp(suffix=".md", prefix="lmdeck-")
    path = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            failed = run([*command, name])
        except OSError as error:
            raise BadRequest(
                f"The editor {command[0]} cannot be started: {error.strerror or error}.",
                "Set EDITOR to another one.",
                field="EDITOR",
            ) from error
        result = path.read_text(encoding="utf-8", errors="replace")
    finally:
        path.unlink(missing_ok=True)
    # Editors end a file with a newline that nobody has typed.
    return None if failed else result if text.endswith("\n") else result.removesuffix("\n")


def run_in_terminal(command: list[str]) -> int:
    """Run a program on the terminal itself: our own descriptor 2 leads to the log."""
    if sys.platform == "win32":
        return subprocess.run(command, check=False).returncode
    terminal = os.open("/dev/tty", os.O_RDWR)
    try:
        return subprocess.run(command, stdin=terminal, stdout=terminal, stderr=terminal, check=False).returncode
    finally:
        os.close(terminal)
