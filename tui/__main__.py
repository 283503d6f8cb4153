"""`python -m tui` is `lmdeck`: the place where the faces are put together."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.domain import LocalServer
    from tui.presence import Holder
    from tui.workbench import Workbench


def main() -> None:
    """Run the command line; with no words after the command, the screen."""
    if len(sys.argv) > 1 or "_LMDECK_COMPLETE" in os.environ:
        from tui.cli import command

        command(prog_name="lmdeck", obj=make_server)
    # The screen is what people wait for, so it starts without the command line's imports.
    from tui.app import run
    from tui.paths import find_paths
    from tui.workbench import Workbench

    sys.exit(run(Workbench(find_paths()), make_server))


def make_server(workbench: Workbench, holder: Holder) -> LocalServer:
    """The server that screen and command line use without knowing it."""
    from tui.server import Server

    return Server(workbench, holder)


if __name__ == "__main__":
    main()
