"""A terminal that a test can type into and look at: tmux, started without anybody's configuration."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE = 60.0
"""Seconds to wait for something to appear."""

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Terminal:
    """One tmux session that runs lmdeck."""

    def __init__(self, name: str, home: Path, columns: int, rows: int) -> None:
        self._name = name
        self._home = home
        self._size = f"{columns}x{rows}"

    def start(self) -> None:
        """Start lmdeck in a new session."""
        command = f"env LMDECK_HOME={self._home} {sys.executable} -m tui; echo 'ended with' $?; sleep 1000"
        # No status line, so that the program has all the rows; no waiting for keys that begin with escape.
        options = ("set -g status off", "set -g escape-time 0", f"set -g default-size {self._size}")
        configuration = self._home / "tmux.conf"
        configuration.write_text("\n".join(options) + "\n")
        columns, _, rows = self._size.partition("x")
        self._tmux("-f", str(configuration), "new-session", "-d", "-s", "main", "-x", columns, "-y", rows, command)

    def stop(self) -> None:
        """End the session and everything in it, as a closed terminal window does."""
        self._tmux("kill-server", check=False)

    def keys(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        self._tmux("send-keys", "-t", "main", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-t", "main", "-l", text)

    def screen(self) -> str:
        """What is to be seen now."""
        return self._tmux("capture-pane", "-p", "-t", "main")

    def wait(self, condition: str | Callable[[str], bool]) -> str:
        """Wait until the screen shows a text, or is as wanted; what it shows then."""
        wanted = (lambda screen: condition in screen) if isinstance(condition, str) else condition
        end = time.monotonic() + PATIENCE
        while True:
            screen = self.screen()
            if wanted(screen):
                return screen
            if time.monotonic() > end:
                size = self._tmux("display-message", "-p", "-t", "main", "#{pane_width}x#{pane_height}").strip()
                raise AssertionError(f"waited in vain for {condition!r}; the screen ({size}) shows:\n{screen}")
            time.sleep(0.1)

    def process(self) -> int:
        """The process id of lmdeck."""
        shell = self._tmux("display-message", "-p", "-t", "main", "#{pane_pid}").strip()
        children = subprocess.run(["pgrep", "-P", shell], capture_output=True, text=True, check=True)
        return int(children.stdout.split()[0])

    def _tmux(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._name, *arguments], capture_output=True, text=True, check=check, timeout=30
        )
        return done.stdout


@contextmanager
def terminal(home: Path, columns: int = 80, rows: int = 24) -> Iterator[Terminal]:
    """A terminal of a certain size with lmdeck running in it."""
    session = Terminal(f"lmdeck-{uuid.uuid4().hex[:8]}", home, columns, rows)
    session.start()
    try:
        yield session
    finally:
        session.stop()
