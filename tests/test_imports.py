"""What importing each part costs: names that are promised exist, and nothing heavy comes along."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

HEAVY = {"textual", "rich", "llama_cpp", "numpy", "jinja2", "sqlite3", "psutil", "httpx", "pygments", "markdown_it"}
WINGS = ("domain", "config", "models", "engine", "formats", "inference", "threads", "documents", "tools", "server")


@pytest.mark.parametrize("wing", WINGS)
def test_every_promised_name_is_there(wing: str) -> None:
    package = importlib.import_module(f"tui.{wing}")
    for name in getattr(package, "__all__", ()):
        assert getattr(package, name) is not None


@pytest.mark.parametrize("wing", ["domain", "engine", "config"])
def test_names_that_are_not_promised_are_not_there(wing: str) -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        importlib.import_module(f"tui.{wing}").nonsense  # noqa: B018


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        *((f"tui.{wing}", set[str]()) for wing in WINGS if wing != "threads"),
        ("tui.threads", {"sqlite3"}),
        ("tui.workbench", set[str]()),
        ("tui.cli", set[str]()),
        ("tui.app", set[str]()),
        ("tui.app.app", {"textual", "rich"}),
    ],
)
def test_importing_brings_nothing_heavy(module: str, allowed: set[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not (HEAVY & set(done.stdout.split())) - allowed


def test_a_server_costs_nothing_until_it_is_started() -> None:
    program = (
        "import sys, tempfile; from pathlib import Path; from tui.__main__ import make_server\n"
        "from tui.paths import Paths; from tui.workbench import Workbench\n"
        "home = Path(tempfile.mkdtemp()); make_server(Workbench(Paths(home, home, home)), 'screen')\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not ({"starlette", "uvicorn", "pydantic", *HEAVY} - {"sqlite3"}) & set(done.stdout.split())
