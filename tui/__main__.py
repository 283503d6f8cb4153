"""`python -m tui` is `lmdeck`."""

from __future__ import annotations


def main() -> None:
    """Run the command line; with no verb, the screen."""
    from tui.cli import command

    command()


if __name__ == "__main__":
    main()
