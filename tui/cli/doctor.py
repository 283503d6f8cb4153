"""`lmdeck doctor`: what this installation is made of, and whether it works here."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

import click

from tui import __version__
from tui.cli.failures import FAILED
from tui.domain import LmdeckError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def doctor(as_json: bool) -> None:
    """Show the library build, the processor, GPU devices, the self-test's result and where everything lies."""
    report, healthy = _examine()
    if as_json:
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        for title, lines in report.items():
            click.secho(title.replace("_", " "), bold=True)
            for name, value in lines.items():
                click.echo(f"  {name.replace('_', ' '):<18} {value}")
    if not healthy:
        raise click.exceptions.Exit(FAILED)


def _examine() -> tuple[dict[str, dict[str, Any]], bool]:
    import sqlite3
    from importlib.metadata import version

    from tui.engine import describe_build
    from tui.paths import find_paths
    from tui.workbench import Workbench

    paths = find_paths()
    workbench = Workbench(paths)
    report: dict[str, dict[str, Any]] = {
        "lmdeck": {
            "version": __version__,
            "python": platform.python_version(),
            "textual": version("textual"),
            "sqlite": sqlite3.sqlite_version,
        },
        "engine": {},
        "paths": {
            "models": _with_state(paths.models),
            "threads": _with_state(paths.database),
            "settings": _with_state(paths.settings),
            "cache": _with_state(paths.cache),
        },
    }
    engine = report["engine"]
    healthy = True
    try:
        engine["self_test"] = workbench.self_test().summary
        engine |= describe_build()
        usable = [model.usable for model in workbench.catalogue.models()]
        report["paths"]["models_found"] = f"{sum(usable)} usable, {len(usable) - sum(usable)} not"
    except (LmdeckError, ImportError, OSError) as problem:
        engine["self_test"] = f"FAILED: {problem}"
        healthy = False
    finally:
        workbench.close()
    return report, healthy


def _with_state(path: Path) -> str:
    if not path.exists():
        return f"{path} (not there yet)"
    return str(path) if os.access(path, os.W_OK) else f"{path} (cannot be written)"
