"""A program in a pseudo-terminal that a benchmark feeds and watches, with nothing in between."""

from __future__ import annotations

import os
import pty
import select
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from termios import TIOCSWINSZ

COLUMNS, ROWS = 120, 36
PATIENCE = 120.0
"""Seconds after which a program that does not get on is given up."""


class Watched:
    """A running program and what it has drawn."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process = process
        self.drawn = b""
        self._terminal = terminal

    def read(self, seconds: float) -> bool:
        """Take in what is drawn within some time; False if that was nothing."""
        if not select.select([self._terminal], [], [], seconds)[0]:
            return False
        try:
            self.drawn += os.read(self._terminal, 65536)
        except OSError:  # the program ended and closed its side
            return False
        return True

    def wait_for(self, marker: bytes) -> None:
        """Read until the program has drawn the marker."""
        end = time.perf_counter() + PATIENCE
        while marker not in self.drawn:
            if time.perf_counter() > end:
                raise RuntimeError(f"the program did not draw {marker!r}; it drew {self.drawn[-500:]!r}")
            self.read(0.05)

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())


@contextmanager
def watched(arguments: list[str], environment: dict[str, str]) -> Iterator[Watched]:
    """Start a program in a terminal of its own; whatever is left of it at the end is killed."""
    terminal, inside = pty.openpty()
    ioctl(inside, TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(
        arguments, stdin=inside, stdout=inside, stderr=inside, env=environment, start_new_session=True
    )
    os.close(inside)
    try:
        yield Watched(process, terminal)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(terminal)
