"""Copies text, by every way that can work, and says which ones it took.

Over SSH nobody confirms a copy, so the ways are tried in turn: tmux's buffer (tmux drops the terminal's own
sequence unless told otherwise), OSC 52 to the terminal, the desk's clipboard when the desk is here, a file.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

LONGEST_SEQUENCE = 74_000
"""Bytes of text; some terminals drop an OSC 52 sequence above 100 kB, and base64 makes it a third longer."""


def copy(text: str, send_to_terminal: Callable[[str], None], file: Path, environment: Mapping[str, str]) -> str:
    """Copy `text` and return a few words on where it went. Blocks for some milliseconds.

    `send_to_terminal` writes the OSC 52 sequence; `file` is where the text goes when no other way is left.
    """
    ways = []
    if environment.get("TMUX") and _copy_to_tmux(text):
        ways.append("tmux buffer")
    if _is_here(environment) and _copy_to_desk(text):
        ways.append("desktop clipboard")
    if len(text.encode("utf-8", "replace")) <= LONGEST_SEQUENCE:
        send_to_terminal(text)
        ways.append("terminal (OSC 52)")
    if not ways:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return f"too long for the terminal, saved to {file}"
    return " and ".join(ways)


def _is_here(environment: Mapping[str, str]) -> bool:
    """Whether the desk whose clipboard we could reach is the one that the person sits at."""
    if environment.get("SSH_TTY") or environment.get("SSH_CONNECTION"):
        return False
    return sys.platform in ("darwin", "win32") or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def _copy_to_tmux(text: str) -> bool:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        command = ["tmux", "load-buffer", "-w", "-"]
        subprocess.run(command, input=text.encode(), check=True, capture_output=True, timeout=2, env=os.environ)
        return True
    return False


def _copy_to_desk(text: str) -> bool:
    import pyperclip

    with contextlib.suppress(pyperclip.PyperclipException, OSError):
        pyperclip.copy(text)
        return True
    return False
