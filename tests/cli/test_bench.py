"""`lmdeck bench` with a small model: a plot for each parameter, and the best one saved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.model_maker import make_scripted_model


@pytest.fixture
def home(lmdeck_home: Path) -> Path:
    make_scripted_model(lmdeck_home / "models" / "talker.gguf", "A word or two. ", loop=True)
    return lmdeck_home


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tui", "bench", *arguments],
        capture_output=True, text=True, check=False, timeout=120, env=dict(os.environ, NO_COLOR="1"),
    )  # fmt: skip


def test_every_parameter_is_plotted_against_its_fastest_value(home: Path) -> None:
    done = bench("talker", "--rounds", "1", "--save")
    assert done.returncode == 0, done.stderr
    groups: list[list[tuple[int, float]]] = []
    for line in done.stdout.splitlines():
        if "(tokens per second" in line:
            groups.append([])
        elif line.startswith("  ") and groups:
            groups[-1].append((line.count("█"), float(line.split()[-1])))
    assert len(groups) >= 3
    for group in groups:
        longest, fastest = max(bar for bar, _ in group), max(speed for _, speed in group)
        assert longest == 24
        for bar, speed in group:
            assert abs(bar - speed / fastest * 24) <= 0.51
    assert bool(list(home.rglob("talker.json"))) == ("Saved as the model's defaults." in done.stdout)


def test_as_json(home: Path) -> None:
    assert home
    done = bench("talker", "--rounds", "1", "--json")
    found = json.loads(done.stdout)
    assert found["model"] == "talker"
    assert {outcome["parameter"] for outcome in found["outcomes"]} >= {"CPU threads", "Flash attention"}
    assert not found["saved"]
