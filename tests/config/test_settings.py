"""The settings file: kept at once, never the reason for a crash, never thrown away."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tui.config import Settings


def test_values_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "settings.json"
    Settings(path).set("theme", "dark")
    assert Settings(path).get("theme") == "dark"
    assert Settings(path).get("other", 5) == 5


def test_a_damaged_file_is_set_aside_and_said(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "dark",}')
    settings = Settings(path)
    assert settings.get("theme", "light") == "light"
    assert "settings.json" in settings.problem
    settings.set("theme", "light")
    assert json.loads(path.read_text()) == {"theme": "light"}
    assert (tmp_path / "settings.damaged.json").read_text() == '{"theme": "dark",}'


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said_and_survived(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    settings = Settings(tmp_path / "settings.json")
    settings.set("theme", "dark")
    assert settings.get("theme") == "dark"
    assert "could not be saved" in settings.problem


def test_a_file_in_the_way_of_the_folder_is_survived(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    settings = Settings(tmp_path / "data" / "settings.json")
    settings.set("theme", "dark")
    assert settings.get("theme") == "dark"
    assert "could not be saved" in settings.problem
