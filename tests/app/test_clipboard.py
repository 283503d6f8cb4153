"""Which way a copy takes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tui.app.clipboard import LONGEST_SEQUENCE, copy


@pytest.fixture
def fake_tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `tmux` that writes what it is given to a file."""
    taken = tmp_path / "taken"
    program = tmp_path / "bin" / "tmux"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {taken}.args\ncat > {taken}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return taken


def test_plain_terminal_gets_the_sequence(tmp_path: Path) -> None:
    sent: list[str] = []
    assert copy("words", sent.append, tmp_path / "c.txt", {}) == "terminal (OSC 52)"
    assert sent == ["words"]


def test_inside_tmux_its_buffer_is_filled_too(tmp_path: Path, fake_tmux: Path) -> None:
    sent: list[str] = []
    ways = copy("words – ünïcode", sent.append, tmp_path / "c.txt", {"TMUX": "/tmp/x,1,0"})
    assert ways == "tmux buffer and terminal (OSC 52)"
    assert fake_tmux.read_text() == "words – ünïcode"
    assert Path(f"{fake_tmux}.args").read_text().strip() == "load-buffer -w -"


def test_what_is_too_long_for_the_sequence_goes_to_a_file(tmp_path: Path) -> None:
    sent: list[str] = []
    text = "x" * (LONGEST_SEQUENCE + 1)
    file = tmp_path / "deep" / "clipboard.txt"
    assert copy(text, sent.append, file, {}) == f"too long for the terminal, saved to {file}"
    assert sent == []
    assert file.read_text() == text


def test_over_ssh_the_far_desk_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyperclip

    copied: list[str] = []
    monkeypatch.setattr(pyperclip, "copy", copied.append)
    environment = {"DISPLAY": ":0", "SSH_TTY": "/dev/pts/3"}
    assert copy("words", lambda _: None, tmp_path / "c", environment) == "terminal (OSC 52)"
    assert copied == []
    del environment["SSH_TTY"]
    assert copy("words", lambda _: None, tmp_path / "c", environment) == "desktop clipboard and terminal (OSC 52)"
    assert copied == ["words"]


def test_desk_without_a_clipboard_program_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyperclip

    def missing(_: str) -> None:
        raise pyperclip.PyperclipException("no xclip")

    monkeypatch.setattr(pyperclip, "copy", missing)
    assert copy("words", lambda _: None, tmp_path / "c", {"DISPLAY": ":0"}) == "terminal (OSC 52)"
