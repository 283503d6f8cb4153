"""Says what a load would need, whether the guardrail lets it, and what became of the parameters afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content

from tui.app.figures import bar, bytes_text
from tui.config import Speed
from tui.domain import DeviceMemory, GuardrailLevel, LoadedValue, MemoryEstimate

BAR_WIDTH = 24
MOST_DEVICES = 3

_LEVEL_NAMES: dict[GuardrailLevel, str] = {
    "off": "no guardrail",
    "relaxed": "relaxed guardrail",
    "balanced": "balanced guardrail",
    "strict": "strict guardrail",
    "custom": "custom guardrail",
}


def estimate_content(estimate: MemoryEstimate, *, stale: bool) -> Content:
    """Sum, gauge and verdict, device by device; a stale one is quiet while a new one is made."""
    quiet = "$foreground 45%" if stale else "$foreground 75%"
    parts: list[str | tuple[str, str]] = []
    text, role = verdict(estimate)
    parts.append((f"{text}\n", quiet if stale else role))
    for device in estimate.devices[:MOST_DEVICES]:
        parts.append((f"{gauge(device)}\n", quiet))
        parts.append((f"{sums(device)}\n", quiet))
    if len(estimate.devices) > MOST_DEVICES:
        parts.append((f"and {len(estimate.devices) - MOST_DEVICES} more devices\n", quiet))
    if besides := _besides(estimate):
        parts.append((besides, "$foreground 45%" if stale else "$foreground 60%"))
    return Content.assemble(*parts)


def gauge(device: DeviceMemory) -> str:
    """How much of what is free one device would give."""
    if not device.total:
        return f"{device.device}: needs {bytes_text(device.needed)}; it does not tell how much is free"
    part = device.needed / device.free if device.free else 1.0
    return f"{device.device} {bar(part, BAR_WIDTH)} {bytes_text(device.needed)} of {bytes_text(device.free)} free"


def sums(device: DeviceMemory) -> str:
    """What the memory of one device is for, as a sum. Parts that a model does not have are left out."""
    parts = (
        ("weights", device.weights),
        ("KV", device.kv_cache),
        ("compute", device.compute),
        ("results", device.outputs),
        ("draft", device.draft),
        ("LoRA", device.adapters),
        ("images", device.projector),
    )
    return "  " + " + ".join(f"{name} {bytes_text(size)}" for name, size in parts if size)


def verdict(estimate: MemoryEstimate) -> tuple[str, str]:
    """A sentence, and the colour that goes with it."""
    level = _LEVEL_NAMES[estimate.level]
    short = estimate.shortage
    if short is not None:
        where = f"on {short.device}" if short.device else "in all"
        return (
            f"✗ Does not fit: {bytes_text(short.needed)} {where}, the {level} allows {bytes_text(short.allowed)}",
            "$error",
        )
    if not any(device.total for device in estimate.devices):
        return f"Needs {bytes_text(estimate.needed)}.", "$foreground"
    return f"✓ Fits: {bytes_text(estimate.needed)} ({level})", "$success"


def speed_text(speed: Speed | None) -> str:
    """What answers came at when the model was loaded so before; nothing where nobody knows."""
    if speed is None or not speed.generation:
        return ""
    return f"measured: {speed.generation:.1f} tok/s in {speed.samples} answer{'' if speed.samples == 1 else 's'}"


def changes_text(changes: Sequence[LoadedValue], labels: Mapping[str, str]) -> str:
    """What fitting did, in one line."""
    if not changes:
        return "It fits as it is; nothing was changed."
    parts = [f"{labels.get(value.name, value.name)} {value.asked} → {value.fitted}" for value in changes]
    return f"Fitted: {' · '.join(parts)}"


def differences_text(values: Sequence[LoadedValue], labels: Mapping[str, str]) -> str:
    """The parameters that were loaded with another value than was asked for, one below the other."""
    lines = []
    for value in values:
        if value.fitted or value.asked not in ("", "auto", value.loaded):
            fitted = f"fitted to {value.fitted}, " if value.fitted else ""
            label = labels.get(value.name, value.name)
            lines.append(f"{label}: asked for {value.asked}, {fitted}loaded with {value.loaded}")
    return "\n".join(lines)


def values_text(values: Sequence[LoadedValue], labels: Mapping[str, str]) -> str:
    """A table of what was asked, what fitting made of it, and what was loaded."""
    rows = [("", "asked", "fitted", "loaded")]
    rows += [
        (labels.get(value.name, value.name), value.asked or "–", value.fitted or "–", value.loaded) for value in values
    ]
    first, *others = (max(len(row[column]) for row in rows) for column in range(4))
    lines = (
        "  ".join([f"{row[0]:<{first}}", *(f"{text:>{width}}" for text, width in zip(row[1:], others, strict=True))])
        for row in rows
    )
    return "\n".join(lines)


def _besides(estimate: MemoryEstimate) -> str:
    """What else bears on memory, in half sentences."""
    parts = []
    if estimate.freed:
        parts.append(f"{bytes_text(estimate.freed)} of it once other models have gone")
    if estimate.parked:
        parts.append(f"idle conversations: up to {bytes_text(estimate.parked)} of the rest")
    return "  " + "; ".join(parts) if parts else ""
