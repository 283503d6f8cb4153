"""Time from starting the process to the first paint, against a Textual application that shows one line of text."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.report import Report, in_turn, median, median_ratio
from tests.bench.terminal import watched
from tui.domain import text_message
from tui.threads import ThreadStore

THREADS = 100

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
    started = time.perf_counter()
    with watched(arguments, environment) as program:
        program.wait_for(marker)
        return time.perf_counter() - started


def measure(rounds: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
        environment = dict(os.environ, LMDECK_HOME=folder, TERM="xterm-256color")
        store = ThreadStore(Path(folder) / "lmdeck.db")
        for number in range(THREADS):
            store.add_message(store.create_thread().id, text_message("user", f"Question number {number}"))
        store.close()
        contestants = {
            "bare": lambda: first_paint([sys.executable, "-c", BARE_APPLICATION], b"ready to begin", environment),
            "lmdeck": lambda: first_paint([sys.executable, "-m", "tui"], b"lmdeck", environment),
        }
        in_turn(2, contestants)  # compiled files and the disk's cache
        results = in_turn(max(rounds, 9), contestants)
    return Report(
        "startup",
        {
            "first_paint_ratio": median_ratio(results["lmdeck"], results["bare"]),
            "first_paint_seconds": median(results["lmdeck"]),
            "bare_first_paint_seconds": median(results["bare"]),
        },
        "a Textual application with one Static, same terminal, same run",
    )
