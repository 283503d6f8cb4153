"""What a bench measured, as rows of text with bars."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from tui.engine.bench import BenchOutcome

BAR_WIDTH = 24


def bench_rows(outcomes: Sequence[BenchOutcome]) -> list[str]:
    """A heading for each parameter, and a row for each value; bars are compared within their parameter."""
    rows: list[str] = []
    for group, found in groupby(outcomes, key=lambda outcome: outcome.trial.group):
        trials = list(found)
        most = max((trial.speed for trial in trials), default=0.0)
        of = "generating" if trials[0].trial.aim == "generation" else "reading the prompt"
        note = "" if all(trial.trial.adoptable for trial in trials) else "; costs precision, so it is yours to choose"
        rows.append(f"{group} (tokens per second, {of}{note})")
        rows += [_row(trial, most) for trial in trials]
    return rows


def _row(outcome: BenchOutcome, most: float) -> str:
    if outcome.problem:
        return f"  {outcome.trial.label:<12} {outcome.problem}"
    full = round(outcome.speed / most * BAR_WIDTH) if most else 0
    return f"  {outcome.trial.label:<12} {'█' * full:<{BAR_WIDTH}} {outcome.speed:8.1f}"
