"""Two hundred power cuts while an answer is being written: is the store whole, and how much text is lost?

Each is a process of its own that is killed, and of whose write-ahead log a part is cut off or blanked. The baseline is
that second of text which may be lost.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from tests.bench.report import Report, median
from tests.support.power import DAMAGES, Cut, cut_power

POINTS = 200


def measure(rounds: int) -> Report:
    """`rounds` times forty points, so that the usual five rounds make two hundred."""
    points = rounds * POINTS // 5
    cuts: list[Cut] = []
    chance = random.Random(36)
    for number in range(points):
        with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
            cuts.append(cut_power(Path(folder), DAMAGES[number % len(DAMAGES)], chance))
    for cut in cuts:
        if cut.problem:
            print(f"{cut.damage}: {cut.problem}")
    honest = [cut.lost_seconds for cut in cuts if cut.damage == "unsynced"]
    early = [cut.lost_seconds for cut in cuts if cut.damage == "last commit"]
    return Report(
        "powercut",
        {
            "points": len(cuts),
            "whole_stores": sum(not cut.problem for cut in cuts),
            "points_with_lost_log": sum(cut.cut_bytes > 0 for cut in cuts),
            "lost_seconds_worst": max(honest),
            "lost_seconds_median": median(honest),
            "lost_seconds_worst_disk_confirms_too_early": max(early),
        },
        "at most one second of text, and no store that is not whole",
    )
