"""Run one benchmark by name."""

from __future__ import annotations

import argparse
import importlib
import json
import os

NAMES = (
    "engine",
    "first_use",
    "formats",
    "gap",
    "guide",
    "library",
    "memory",
    "powercut",
    "prefix",
    "screen",
    "server",
    "soak",
    "speculation",
    "startup",
    "threads",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (default 5)")
    arguments = parser.parse_args()
    # The programs that are started find compiled files, as those that pip has installed do.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    report = importlib.import_module(f"tests.bench.{arguments.name}").measure(arguments.rounds)
    figures = {key: round(value, 4) for key, value in report.figures.items()}
    if arguments.json:
        print(json.dumps({"bench": report.bench, "figures": figures, "baseline": report.baseline}))
        return
    for key, value in figures.items():
        print(f"{key:<28} {value:>12,.3f}")
    print(f"baseline: {report.baseline}")


if __name__ == "__main__":
    main()
