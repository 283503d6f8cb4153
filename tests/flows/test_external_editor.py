"""The person's own editor in a real terminal, which it takes over and gives back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.terminal import needs_tmux, terminal

pytestmark = [needs_tmux, pytest.mark.timeout(120)]

EDITOR = """#!/bin/sh
cat "$1"
echo "What now?"
read line
printf 'Written %s' "$line" > "$1"
"""


def test_a_draft_goes_to_the_editor_and_comes_back(
    lmdeck_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    with terminal(lmdeck_home) as screen:
        screen.wait("Type a message")
        screen.type("My draft")
        screen.wait("My draft")
        # The terminal comes back also where there is no such editor.
        screen.keys("F5")
        screen.wait("Set EDITOR to another one")
        editor.write_text(EDITOR)
        editor.chmod(0o755)
        screen.keys("F5")
        screen.wait(lambda text: text.startswith("My draft") and "What now?" in text)
        screen.type("outside")
        screen.keys("Enter")
        screen.wait(lambda text: "┃ Written outside" in text)
        screen.type(", then here")
        screen.wait("Written outside, then here")
