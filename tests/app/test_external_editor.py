"""Handing a text to the person's own editor."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.app.external_editor import edited, editor_command
from tui.domain import BadRequest


def test_visual_comes_before_editor_and_may_have_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "nano")
    monkeypatch.setenv("VISUAL", "code --wait 'my file'")
    assert editor_command() == ["code", "--wait", "my file"]
    monkeypatch.delenv("VISUAL")
    assert editor_command() == ["nano"]
    monkeypatch.delenv("EDITOR")
    with pytest.raises(BadRequest, match="No editor is chosen"):
        editor_command()


def test_text_goes_out_and_comes_back_without_the_last_newline() -> None:
    seen: list[str] = []

    def run(command: list[str]) -> int:
        path = Path(command[-1])
        seen.append(path.read_text())
        path.write_text("changed\n")
        return 0

    assert edited("before", ["editor"], run) == "changed"
    assert edited("before\n", ["editor"], run) == "changed\n"
    assert seen == ["before", "before\n"]


def test_failed_editor_changes_nothing_and_leaves_no_file() -> None:
    paths: list[Path] = []

    def run(command: list[str]) -> int:
        paths.append(Path(command[-1]))
        return 1

    assert edited("before", ["editor"], run) is None
    assert not paths[0].exists()


def test_editor_that_does_not_exist_is_said() -> None:
    def run(command: list[str]) -> int:
        raise FileNotFoundError(2, "No such file or directory", command[0])

    with pytest.raises(BadRequest, match="cannot be started"):
        edited("text", ["no-such-editor"], run)
