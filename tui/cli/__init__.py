"""The verbs of the command line. Data goes to standard output, everything else to standard error.

Importing this wing brings in click and nothing heavy; each verb imports what it needs when it runs.
"""

from tui.cli.main import command

__all__ = ["command"]
