"""What a benchmark found, and the arithmetic that all of them share."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """Figures by key, and what they were measured against."""

    bench: str
    figures: dict[str, float]
    baseline: str


def in_turn(rounds: int, contestants: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Run every contestant once a round, in turn, the order reversed every other round; their figures.

    Other work on the machine then hits all of them alike.
    """
    results: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        order = list(contestants)
        for name in order if number % 2 == 0 else reversed(order):
            results[name].append(contestants[name]())
    return results


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def median_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the rounds' ratios: noise that hits a whole round falls out."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))
