"""The `lmdeck` command: its verbs, its version, and the screen when no verb is given."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from tui import __version__
from tui.cli.chat import chat
from tui.cli.completion import completion
from tui.cli.doctor import doctor
from tui.cli.failures import FailureGroup
from tui.cli.listing import ls


@click.group(cls=FailureGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", "-V", message="%(prog)s %(version)s")
@click.pass_context
def command(context: click.Context) -> None:
    """A workbench for local language models in the terminal.

    Without a command it opens the screen. Model files (GGUF) are read from the models folder that
    `lmdeck doctor` names.
    """
    if context.invoked_subcommand is not None:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("The screen needs a terminal. Without one, use `lmdeck chat MODEL -p TEXT`.")
    # No face imports another, so whoever starts the command line hands it the way to the screen.
    open_screen: Callable[[], int] = context.obj
    context.exit(open_screen())


command.add_command(chat)
command.add_command(ls)
command.add_command(doctor)
command.add_command(completion)
