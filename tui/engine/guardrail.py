"""Refuses to load what would leave the machine too little memory.

Levels are LM Studio's, and so is the default, `strict`. Each says how much of a device must stay free beside what a
model takes: for other programs, for the page cache, for the computations of other programs on a GPU that also draws
the screen. llama.cpp's own fitting leaves 1 GB for the same reasons.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui.domain import (
    DeviceMemory,
    Guardrail,
    GuardrailLevel,
    LoadConfig,
    MemoryEstimate,
    MemoryShortage,
    ModelInfo,
    ModelWillNotFit,
)
from tui.engine.checks import PLAIN_CACHE_TYPES
from tui.engine.memory import HOST, readable_size
from tui.engine.parking import parking_budget

_GIB = 1024**3


@dataclass(frozen=True, slots=True)
class _Rule:
    """How far one level lets a model go on one device."""

    reserve: float
    """The part of the device's whole memory that must stay free."""
    most_reserved: int
    """The most bytes that are kept free so: large devices need no larger reserve."""
    counts_mapped: bool
    """Whether pages of the file must fit into free memory. If they need not, the machine still runs, but reads the
    file again and again where it has too little for all of them."""


_RULES: dict[GuardrailLevel, _Rule] = {
    # What surely ends in failure: memory that cannot be dropped must be there, and the device must be large enough.
    "relaxed": _Rule(0.0, 0, counts_mapped=False),
    # All of the model stays in memory while it works, and the system keeps a little.
    "balanced": _Rule(0.05, _GIB, counts_mapped=True),
    # Beside the model there is room for a browser on a small machine, and for prompts of images on a GPU.
    "strict": _Rule(0.10, 2 * _GIB, counts_mapped=True),
}


def judge(
    devices: tuple[DeviceMemory, ...], guardrail: Guardrail, *, held: int = 0, freed: int = 0, parks: bool = True
) -> MemoryEstimate:
    """An estimate with what the guardrail says to it.

    `held` is what models take that stay, over all devices; `freed` what is in the devices' free memory only once
    others have gone. Both in bytes. `parks` says whether idle conversations will take some of the rest.
    """
    limited = guardrail.level == "custom" and guardrail.limit_gib > 0
    limit = max(0, int(guardrail.limit_gib * _GIB) - held) if limited else None
    parked = _parked(devices) if parks else 0
    estimate = MemoryEstimate(devices, guardrail.level, limit=limit, freed=freed, parked=parked)
    shortages = [
        MemoryShortage(device.device, device.needed, _allowed(device, guardrail.level))
        for device in devices
        if guardrail.level in _RULES and margin(device, guardrail.level) < 0
    ]
    if limit is not None and estimate.needed > limit:
        shortages.append(MemoryShortage("", estimate.needed, limit))
    worst = max(shortages, key=lambda short: short.needed - short.allowed, default=None)
    return replace(estimate, shortage=worst)


def margin(device: DeviceMemory, level: GuardrailLevel) -> int:
    """Bytes that a level would let the model take beyond what it needs on a device; negative where it refuses.

    Levels without a rule of their own are judged as `relaxed` is: more than there is helps nobody.
    """
    if not device.total:
        return 0
    rule = _RULES.get(level, _RULES["relaxed"])
    pinned = device.needed - (0 if rule.counts_mapped else device.mapped)
    return min(_allowed(device, level) - pinned, device.total - device.needed)


def refusal(model: ModelInfo, config: LoadConfig, estimate: MemoryEstimate) -> ModelWillNotFit:
    """The error for an estimate that has a shortage: what is needed where, what may be taken, what to do."""
    short = estimate.shortage
    assert short is not None
    device = next((device for device in estimate.devices if device.device == short.device), None)
    if device is None:
        needs = f"{readable_size(short.needed)} in all"
        limit = f"the custom guardrail leaves {readable_size(short.allowed)} for it beside the models that are loaded"
    else:
        needs = f"{readable_size(short.needed)} on {device.device} ({_parts(device)})"
        limit = (
            f"{readable_size(device.free)} of {readable_size(device.total)} is free, of which the {estimate.level} "
            f"guardrail lets it take {readable_size(short.allowed)}"
        )
    return ModelWillNotFit(
        f"{model.key} needs {needs}; {limit}.",
        f"{_advice(config, device)}, or load it anyway (force).",
        needed_bytes=short.needed,
        available_bytes=short.allowed,
        device=short.device,
        level=estimate.level,
    )


def _allowed(device: DeviceMemory, level: GuardrailLevel) -> int:
    rule = _RULES.get(level, _RULES["relaxed"])
    return max(0, device.free - min(int(rule.reserve * device.total), rule.most_reserved))


def _parked(devices: tuple[DeviceMemory, ...]) -> int:
    """Bytes for idle conversations beside the model. They shrink with what is free, so no level counts them."""
    host = next((device for device in devices if device.device == HOST), None)
    return parking_budget(max(0, host.free - host.needed + host.mapped), host.total) if host is not None else 0


def _parts(device: DeviceMemory) -> str:
    """Its largest parts first."""
    parts = {
        "weights": device.weights,
        "KV cache": device.kv_cache,
        "compute": device.compute,
        "results": device.outputs,
        "draft model": device.draft,
        "LoRA adapters": device.adapters,
        "image projector": device.projector,
    }
    largest = sorted(((size, name) for name, size in parts.items() if size), reverse=True)
    return ", ".join(f"{name} {readable_size(size)}" for size, name in largest)


def _advice(config: LoadConfig, device: DeviceMemory | None) -> str:
    ways = ["Lower the context length"]
    if config.key_cache_type in PLAIN_CACHE_TYPES or config.value_cache_type in PLAIN_CACHE_TYPES:
        ways.append("choose the cache type q8_0")
    if device is not None and device.device != HOST:
        ways.append("put fewer layers on the GPU")
    return ", ".join([*ways, "choose a smaller model", "unload others"])
