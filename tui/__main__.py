"""`python -m tui` is `lmdeck`: the place where the faces are put together."""

from __future__ import annotations


def main() -> None:
    """Run the command line; with no verb, the screen."""
    from tui.cli import command

    command(obj=_open_screen, prog_name="lmdeck")


def _open_screen() -> int:
    from tui.app import run
    from tui.paths import find_paths
    from tui.workbench import Workbench

    return run(Workbench(find_paths()))


if __name__ == "__main__":
    main()
