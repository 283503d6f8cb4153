"""What the command line does when something fails: a sentence on standard error and an honest exit code."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from tui.domain import BadRequest, LmdeckError, ModelNotFound

FAILED = 1
MISUSED = 2
INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""


class FailureGroup(click.Group):
    """A group whose commands may raise LmdeckError, be interrupted, or lose whoever reads their output."""

    def invoke(self, context: click.Context) -> Any:
        try:
            result = super().invoke(context)
            sys.stdout.flush()
            return result
        except LmdeckError as problem:
            click.secho(f"lmdeck: {problem.message}", fg="red", err=True)
            if problem.advice:
                click.echo(problem.advice, err=True)
            context.exit(MISUSED if isinstance(problem, BadRequest | ModelNotFound) else FAILED)
        except KeyboardInterrupt:
            context.exit(INTERRUPTED)
        except BrokenPipeError:
            # The reader went away, as `head` does. Python would complain again when it flushes at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            context.exit(FAILED)
