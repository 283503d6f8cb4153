"""The probe: what a model needs with certain load parameters, and whether this machine has it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tui.domain import (
    BadRequest,
    DeviceMemory,
    LoadConfig,
    MemoryEstimate,
    ModelInfo,
    ModelUnusable,
    ModelWillNotFit,
)
from tui.engine.checks import check_config
from tui.engine.child import Job, run
from tui.engine.library import build_identity
from tui.engine.loading import Kernels
from tui.engine.verdicts import VerdictStore


def estimate_memory(model: ModelInfo, config: LoadConfig, kernels: Kernels, store: VerdictStore) -> MemoryEstimate:
    """Lay the model out in a child process and add up what it would take. About half a second, then remembered.

    Raises ModelUnusable with llama.cpp's reason if the file cannot be loaded at all, and BadRequest if the
    parameters are impossible.
    """
    check_config(config, model.context_length)
    key = _verdict_key(model, config, kernels)
    verdict = store.get(key)
    if not isinstance(verdict, dict) or "memory" not in verdict:
        outcome = run(Job("probe", str(model.path), config, kernels))
        if outcome.field:
            raise BadRequest(outcome.problem, outcome.advice or "Choose another value.", field=outcome.field)
        if outcome.crashed and config.speculation == "mtp":  # most likely the header names heads that are not there
            raise BadRequest(
                f"{model.path.name} would end the program if its MTP heads were used: {outcome.problem}",
                "Choose ngram, or draft with a small model, or turn speculation off.",
                field="load.speculation",
            )
        if outcome.problem:
            cause = f"{model.path.name} would end the program: " if outcome.crashed else ""
            raise ModelUnusable(
                cause + outcome.problem, "Download it again, or choose another file or other load parameters."
            )
        verdict = outcome.result
        store.put(key, verdict)
    return _with_free_memory(verdict)


def check_fit(estimate: MemoryEstimate, model: ModelInfo, config: LoadConfig) -> None:
    """Raise ModelWillNotFit if loading would surely run out of memory.

    Weights that are mapped from the file need no memory of their own as long as the machine has as much in
    all: the system drops and reads them again as needed.
    """
    for device in estimate.devices:
        mapped = device.device == "CPU" and config.try_mmap and not config.keep_model_in_memory
        own = device.needed - (device.weights if mapped else 0)
        if not device.total or (own <= device.free and device.needed <= device.total):
            continue
        available = device.free if own > device.free else device.total
        raise ModelWillNotFit(
            f"{model.key} needs {readable_size(device.needed)} on {device.device} "
            f"(weights {readable_size(device.weights)}, KV cache {readable_size(device.kv_cache)}, "
            f"compute {readable_size(device.compute)}); {readable_size(available)} is available.",
            "Choose a shorter context length, fewer GPU layers, a smaller cache type or a smaller model.",
            needed_bytes=device.needed,
            available_bytes=available,
        )


def readable_size(size: float) -> str:
    """Bytes as people read them, in powers of 1,024: `512 MB`, `4.3 GB`."""
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GB"


def _verdict_key(model: ModelInfo, config: LoadConfig, kernels: Kernels) -> str:
    parts: list[Any] = [_identity(model.files or (model.path,)), asdict(config), asdict(kernels), build_identity()]
    return f"probe:{json.dumps(parts, sort_keys=True)}"


def _identity(files: Iterable[Path]) -> list[tuple[str, int, int]]:
    """What tells one state of a model's files from another."""
    try:
        return [(str(file), (status := file.stat()).st_size, status.st_mtime_ns) for file in files]
    except OSError as problem:
        raise ModelUnusable(f"The model file cannot be read: {problem}.", "Was it moved or deleted?") from problem


def _with_free_memory(verdict: dict[str, Any]) -> MemoryEstimate:
    """The remembered sizes beside what is free at this moment."""
    import psutil

    host = psutil.virtual_memory()
    found = {device["name"]: device for device in verdict.get("devices", ())}
    devices = []
    for name, sizes in verdict["memory"].items():
        if not any(sizes.values()):
            continue
        free, total = (host.available, host.total) if name == "CPU" else _device_memory(found.get(name))
        devices.append(
            DeviceMemory(name, sizes["weights"], sizes["kv_cache"], sizes["compute"], free=free, total=total)
        )
    if not devices:
        raise BadRequest("llama.cpp did not say how much memory this needs.", field="load")
    return MemoryEstimate(tuple(devices))


def _device_memory(device: dict[str, Any] | None) -> tuple[int, int]:
    return (device["free"], device["total"]) if device else (0, 0)
