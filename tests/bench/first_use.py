"""How long the guide takes to be there on a fresh machine, against a start on which everything is known of it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.report import Report, in_turn, median, median_ratio
from tests.bench.terminal import watched
from tests.support.model_maker import make_scripted_model
from tui.builtin import GUIDE, BuiltInModels
from tui.builtin.files import FOLDER_VARIABLE

FIRST_PAINT, LOADED = b"lmdeck", b"Welcome to"


def seconds_to_guide(environment: dict[str, str]) -> float:
    """Seconds from the first paint until the guide is loaded and greets."""
    with watched([sys.executable, "-m", "tui"], environment) as program:
        program.wait_for(FIRST_PAINT)
        painted = time.perf_counter()
        program.wait_for(LOADED)
        return time.perf_counter() - painted


def measure(rounds: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
        home = Path(folder) / "home"
        environment = dict(os.environ, LMDECK_HOME=str(home), TERM="xterm-256color")
        environment.pop("LMDECK_MODELS", None)
        if GUIDE not in BuiltInModels().files():
            make_scripted_model(Path(folder) / "shipped" / "guide.gguf", "Press F1.", layers=6)
            environment[FOLDER_VARIABLE] = str(Path(folder) / "shipped")

        def fresh() -> float:
            shutil.rmtree(home, ignore_errors=True)
            return seconds_to_guide(environment)

        contestants = {"fresh": fresh, "known": lambda: seconds_to_guide(environment)}
        in_turn(1, contestants)  # compiled files and the disk's cache
        results = in_turn(max(rounds, 5), contestants)
    return Report(
        "first_use",
        {
            "fresh_seconds": median(results["fresh"]),
            "known_seconds": median(results["known"]),
            "fresh_ratio": median_ratio(results["fresh"], results["known"]),
        },
        "a second start, when the self-test's and the probe's verdicts are known, same terminal, same run",
    )
