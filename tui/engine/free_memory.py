"""What is free on each device at this moment, and what other models would give back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tui.domain import DeviceMemory
from tui.engine.host_memory import host_memory
from tui.engine.library import devices
from tui.engine.memory import HOST


def with_free_memory(needs: Iterable[DeviceMemory], leaving: Iterable[DeviceMemory]) -> tuple[DeviceMemory, ...]:
    """The needs beside what is free now, to which counts what leaving models hold of the same devices.

    Devices that this process does not know, those of other machines, keep what the probe's child saw.
    """
    needs = tuple(needs)
    freed = held_memory(leaving)
    host = host_memory()
    known = {HOST: (host.free, host.total)}
    if any(need.device != HOST for need in needs):  # asking them loads native code
        known |= {device.name: (device.free, device.total) for device in devices() if device.kind != "cpu"}
    found = []
    for need in needs:
        free, total = known.get(need.device, (need.free, need.total))
        found.append(replace(need, free=min(free + freed.get(need.device, 0), total), total=total))
    return tuple(found)


def held_memory(devices: Iterable[DeviceMemory]) -> dict[str, int]:
    """Bytes that come free on each device when these needs go. Pages of a file count as free all the time."""
    held: dict[str, int] = {}
    for device in devices:
        held[device.device] = held.get(device.device, 0) + device.needed - device.mapped
    return held
