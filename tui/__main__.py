"""`python -m tui` is `lmdeck`: the place where the faces are put together."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line; with no words after the command, the screen."""
    if len(sys.argv) > 1 or "_LMDECK_COMPLETE" in os.environ:
        from tui.cli import command

        command(prog_name="lmdeck")
    # The screen is what people wait for, so it starts without the command line's imports.
    from tui.app import run
    from tui.paths import find_paths
    from tui.workbench import Workbench

    sys.exit(run(Workbench(find_paths())))


if __name__ == "__main__":
    main()
