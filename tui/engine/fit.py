"""Chooses GPU layers and context length so that a model goes into the memory that is free.

What a model needs grows almost in proportion to either, so two layouts give a line, the line gives a guess, and one
or two more layouts make sure of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tui.domain import FittedLoad, LoadConfig, LoadedValue, MemoryEstimate
from tui.engine.guardrail import margin
from tui.engine.loading import DEFAULT_CONTEXT_LENGTH
from tui.engine.memory import HOST

# llama.cpp rounds context lengths up to this, so that nothing between is worth a try.
_CONTEXT_STEP = 256
_MOST_GUESSES = 8

Estimate = Callable[[LoadConfig], MemoryEstimate]
"""Says what a configuration needs beside what is free, as the guardrail sees it."""


def fit_load(asked: LoadConfig, trained: int, layers: int, estimate: Estimate) -> FittedLoad:
    """The configuration that fits best. Where nothing fits, its estimate still has a shortage.

    A context length that was left open becomes the longest that fits, up to what the model was trained for. All
    layers stay on the GPU as long as that leaves room for a usual conversation; then layers go that nobody asked for,
    and a context length that was asked for is lowered last, never below `fit_minimum_context`.
    """
    search = _Search(estimate)
    longest = asked.context_length or trained or DEFAULT_CONTEXT_LENGTH
    shortest = min(asked.fit_minimum_context, longest)
    whole = replace(asked, context_length=longest)
    if search.fits(whole):
        return _fitted(asked, whole, search)
    has_gpu = any(device.device != HOST for device in search.estimate(whole).devices)
    may_move = has_gpu and asked.gpu_layers is None and asked.gpu_offload_ratio is None
    if asked.context_length is None or not may_move:
        usual = min(longest, max(shortest, DEFAULT_CONTEXT_LENGTH)) if may_move else shortest
        found = search.longest_context(asked, usual, longest)
        if found is not None or not may_move:
            return _fitted(asked, found or replace(asked, context_length=shortest), search)
        longest = usual
    for length in (longest, shortest):
        moved = search.most_layers(replace(asked, context_length=length), layers)
        if search.fits(moved):
            found = search.longest_context(moved, length, longest)
            return _fitted(asked, found or moved, search)
    return _fitted(asked, moved, search)


class _Search:
    """Tries configurations, each once."""

    def __init__(self, estimate: Estimate) -> None:
        self._ask = estimate
        self._known: dict[LoadConfig, MemoryEstimate] = {}

    def estimate(self, config: LoadConfig) -> MemoryEstimate:
        if config not in self._known:
            self._known[config] = self._ask(config)
        return self._known[config]

    def fits(self, config: LoadConfig) -> bool:
        return self._margin(config) >= 0

    def longest_context(self, config: LoadConfig, low: int, high: int) -> LoadConfig | None:
        """The configuration with the longest context between these lengths; `None` if not even the lowest fits."""

        def with_length(length: int) -> LoadConfig:
            return replace(config, context_length=length)

        found = _greatest(low, high, _CONTEXT_STEP, lambda length: self._margin(with_length(length)))
        return None if found is None else with_length(found)

    def most_layers(self, config: LoadConfig, layers: int) -> LoadConfig:
        """The configuration with as many layers on the GPU as fit there; ordinary memory is not looked at."""

        def with_layers(count: int) -> LoadConfig:
            return config if count == layers else replace(config, gpu_layers=count)

        found = _greatest(0, layers, 1, lambda count: self._margin(with_layers(count), gpu_only=True))
        return with_layers(found or 0)

    def _margin(self, config: LoadConfig, *, gpu_only: bool = False) -> int:
        """Bytes that are left on the device that is worst off."""
        estimate = self.estimate(config)
        margins = [
            margin(device, estimate.level)
            for device in estimate.devices
            if not (gpu_only and device.device == HOST)
        ]  # fmt: skip
        if estimate.limit is not None and not gpu_only:
            margins.append(estimate.limit - estimate.needed)
        return min(margins, default=0)


def _greatest(low: int, high: int, step: int, margin_at: Callable[[int], int]) -> int | None:
    """The greatest number from `low` to `high`, a multiple of `step` or one of the two, whose margin is not negative.

    The margin shrinks as the number grows. Guesses follow the line between the nearest numbers that are known.
    """
    above = margin_at(high)
    if above >= 0:
        return high
    below = margin_at(low)
    if below < 0:
        return None
    for _ in range(_MOST_GUESSES):
        guess = low + int((high - low) * below / (below - above))
        guess = max(low + 1, min(guess, high - 1)) // step * step
        if guess <= low:
            guess = (low // step + 1) * step
        if guess >= high:
            break
        found = margin_at(guess)
        if found >= 0:
            low, below = guess, found
        else:
            high, above = guess, found
    return low


def _fitted(asked: LoadConfig, fitted: LoadConfig, search: _Search) -> FittedLoad:
    changes = tuple(
        LoadedValue(name, _text(before), "", _text(after))
        for name in ("context_length", "gpu_layers")
        if (before := getattr(asked, name)) != (after := getattr(fitted, name))
    )
    return FittedLoad(fitted, search.estimate(fitted), changes)


def _text(value: int | None) -> str:
    return "auto" if value is None else f"{value:,}"
