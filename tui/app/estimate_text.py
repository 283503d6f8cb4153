"""Says what a load would need, and whether it fits."""

from __future__ import annotations

from textual.content import Content

from tui.app.figures import bar, bytes_text
from tui.domain import DeviceMemory, MemoryEstimate

BAR_WIDTH = 24
MOST_DEVICES = 3


def estimate_content(estimate: MemoryEstimate, *, stale: bool) -> Content:
    """Sum, gauge and verdict, device by device; a stale one is quiet while a new one is made."""
    quiet = "$foreground 45%" if stale else "$foreground 75%"
    parts: list[str | tuple[str, str]] = []
    for device in estimate.devices[:MOST_DEVICES]:
        sums = f"weights {bytes_text(device.weights)} + KV {bytes_text(device.kv_cache)}"
        parts.append((f"{sums} + compute {bytes_text(device.compute)} = {bytes_text(device.needed)}\n", quiet))
        parts.append((f"{gauge(device)}\n", quiet))
    if len(estimate.devices) > MOST_DEVICES:
        parts.append((f"and {len(estimate.devices) - MOST_DEVICES} more devices\n", quiet))
    text, role = verdict(estimate)
    parts.append((text, quiet if stale else role))
    return Content.assemble(*parts)


def gauge(device: DeviceMemory) -> str:
    """How much of what is free one device would give."""
    if not device.total:
        return f"{device.device}: does not tell how much is free"
    part = device.needed / device.free if device.free else 1.0
    return f"{device.device} {bar(part, BAR_WIDTH)} {bytes_text(device.needed)} of {bytes_text(device.free)} free"


def verdict(estimate: MemoryEstimate) -> tuple[str, str]:
    """A sentence, and the colour that goes with it."""
    short = estimate.too_small
    if short is not None:
        missing = bytes_text(short.needed - short.free)
        return f"✗ Does not fit: {short.device} lacks {missing}. {_advice(short)}", "$error"
    if not any(device.total for device in estimate.devices):
        return f"Needs {bytes_text(estimate.needed)}.", "$foreground"
    return f"✓ Fits: needs {bytes_text(estimate.needed)}.", "$success"


def _advice(device: DeviceMemory) -> str:
    if device.device.upper().startswith("CPU"):
        helps = "Close other programs or choose a smaller model"
    else:
        helps = "Lower the GPU layers"
    if device.kv_cache > device.weights // 4 or device.needed - device.kv_cache <= device.free:
        return f"{helps}, or lower the context length."
    return f"{helps}."
