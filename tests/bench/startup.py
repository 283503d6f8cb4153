"""Time from starting the process to the first paint, against a Textual application that shows one line of text."""

from __future__ import annotations

import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

from tests.bench.report import Report, in_turn, median, median_ratio
from tui.domain import text_message
from tui.threads import ThreadStore

COLUMNS, ROWS = 120, 36
PATIENCE = 30.0

BARE_APPLICATION = """
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("ready to begin")

Bare().run()
"""


def first_paint(arguments: list[str], marker: bytes, environment: dict[str, str]) -> float:
    """Seconds from starting a program in a terminal of its own until it has drawn the marker."""
    terminal, inside = pty.openpty()
    ioctl(inside, TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    started = time.perf_counter()
    process = subprocess.Popen(
        arguments, stdin=inside, stdout=inside, stderr=inside, env=environment, start_new_session=True
    )
    os.close(inside)
    seen = b""
    try:
        while marker not in seen:
            left = started + PATIENCE - time.perf_counter()
            if left <= 0 or not select.select([terminal], [], [], left)[0]:
                raise RuntimeError(f"{arguments} did not draw {marker!r}; it drew {seen[-500:]!r}")
            seen += os.read(terminal, 65536)
        return time.perf_counter() - started
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(terminal)


def measure(rounds: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
        environment = dict(os.environ, LMDECK_HOME=folder, TERM="xterm-256color", PYTHONDONTWRITEBYTECODE="")
        store = ThreadStore(Path(folder) / "lmdeck.db")
        for number in range(100):
            store.add_message(store.create_thread().id, text_message("user", f"Question number {number}"))
        store.close()
        contestants = {
            "bare": lambda: first_paint([sys.executable, "-c", BARE_APPLICATION], b"ready to begin", environment),
            "lmdeck": lambda: first_paint([sys.executable, "-m", "tui"], b"lmdeck", environment),
        }
        in_turn(2, contestants)  # compiled files and the disk's cache
        results = in_turn(max(rounds, 5), contestants)
    return Report(
        "startup",
        {
            "first_paint_ratio": median_ratio(results["lmdeck"], results["bare"]),
            "first_paint_seconds": median(results["lmdeck"]),
            "bare_first_paint_seconds": median(results["bare"]),
        },
        "a Textual application with one Static, same terminal, same run",
    )
