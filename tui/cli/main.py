"""The `lmdeck` command: its verbs and its version."""

from __future__ import annotations

import click

from tui import __version__
from tui.cli.bench import bench
from tui.cli.chat import chat
from tui.cli.completion import completion
from tui.cli.debug import debug
from tui.cli.doctor import doctor
from tui.cli.failures import FailureGroup
from tui.cli.get import get
from tui.cli.importing import import_
from tui.cli.listing import ls
from tui.cli.load import load, ps, unload
from tui.cli.model import model
from tui.cli.presets import presets
from tui.cli.remote import remote
from tui.cli.removing import rm
from tui.cli.serve import serve
from tui.cli.server import server
from tui.cli.threads import threads


@click.group(cls=FailureGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", "-V", message="%(prog)s %(version)s")
def command() -> None:
    """A workbench for local language models in the terminal.

    Without a command it opens the screen. Model files (GGUF) are read from the models folder that
    `lmdeck doctor` names.
    """


command.add_command(chat)
command.add_command(get)
command.add_command(ls)
command.add_command(load)
command.add_command(unload)
command.add_command(ps)
command.add_command(bench)
command.add_command(import_)
command.add_command(rm)
command.add_command(model)
command.add_command(presets)
command.add_command(remote)
command.add_command(serve)
command.add_command(server)
command.add_command(threads)
command.add_command(doctor)
command.add_command(completion)
command.add_command(debug)
