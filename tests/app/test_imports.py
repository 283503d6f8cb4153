"""What importing the app brings with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = "import sys; import {module}; print(*sorted(sys.modules))"


def modules_after(module: str) -> set[str]:
    output = subprocess.run(
        [sys.executable, "-c", LOADED.format(module=module)], capture_output=True, text=True, check=True
    )
    return set(output.stdout.split())


@pytest.mark.parametrize("module", ["tui.app", "tui.app.app"])
def test_no_engine_and_no_http_comes_along(module: str) -> None:
    loaded = modules_after(module)
    for name in ("llama_cpp", "httpx", "numpy", "sqlite3", "jinja2", "tui.server", "tui.cli", "tui.engine"):
        assert name not in loaded, name


def test_wing_itself_is_cheap() -> None:
    assert "textual" not in modules_after("tui.app")


def test_dialogs_come_when_they_are_opened() -> None:
    loaded = modules_after("tui.app.app")
    for name in ("model_picker", "load_dialog", "help", "go", "dialogs"):
        assert f"tui.app.screens.{name}" not in loaded
    assert "pygments" not in loaded
