"""Whether a model fits this machine: what the engine's own fitting makes of its header.

The four verdicts are LM Studio's (`fitEstimation` of its download options); how they are found is not: nothing is
guessed from the size of a file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tui.domain import FittedLoad, LoadConfig, MemoryEstimate, ModelInfo, ModelWillNotFit

FitKind = Literal["gpu", "partial", "cpu", "none"]
"""All of it on a GPU; some layers of it; in ordinary memory; not at all."""

USUAL_CONTEXT = 8192
"""Tokens that a verdict counts with, or what the model was trained for where that is less: what loading takes when
nobody says otherwise."""

Fitting = Callable[[ModelInfo, LoadConfig], FittedLoad]
"""Fits load parameters to this machine. Raises ModelWillNotFit where nothing helps."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What becomes of a model on this machine."""

    kind: FitKind
    needed: int
    """Bytes over all devices; on the worst device where it does not fit."""
    context_length: int
    """Tokens of context that this counts with."""
    gpu_layers: int | None = None
    """How many layers lie on a GPU; `None` for all of them, or where there is no GPU."""
    layers: int = 0
    estimate: MemoryEstimate | None = None
    """Device by device; `None` where it does not fit."""
    problem: str = ""
    """Why it does not fit, as sentences."""

    @property
    def rank(self) -> int:
        """0 for what runs as well as it can here, then higher the slower it will be."""
        return {"gpu": 0, "cpu": 0 if self.gpu_layers is None else 2, "partial": 1, "none": 3}[self.kind]


def fit_of(model: ModelInfo, fitting: Fitting) -> Fit:
    """The verdict on a model, here or on the Hub. Blocks for about a second; raises what `fitting` raises."""
    context = min(model.context_length or USUAL_CONTEXT, USUAL_CONTEXT)
    try:
        fitted = fitting(model, LoadConfig(context_length=context))
    except ModelWillNotFit as refusal:
        return Fit("none", refusal.needed_bytes, context, layers=model.layers, problem=refusal.message)
    estimate, layers = fitted.estimate, fitted.config.gpu_layers
    return Fit(
        kind=_kind(estimate, layers),
        needed=estimate.needed,
        context_length=fitted.config.context_length or context,
        gpu_layers=layers,
        layers=model.layers,
        estimate=estimate,
    )


def _kind(estimate: MemoryEstimate, layers: int | None) -> FitKind:
    on_gpu = any(device.device != "CPU" and device.weights for device in estimate.devices)
    if not on_gpu or layers == 0:
        return "cpu"
    return "gpu" if layers is None else "partial"
