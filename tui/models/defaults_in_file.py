"""What comes with a model: how its makers want it to be sampled, and what a `model.yaml` or its store says."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from math import isfinite
from pathlib import Path
from struct import pack
from typing import Any

from tui.domain import ModelInfo, ModelUnusable
from tui.models.gguf import read_header

# Keys of llama.cpp (`LLM_KV_GENERAL_SAMPLING_*` of llama-arch.cpp), and ours.
_KEYS = {
    "temp": "sampling.temperature",
    "top_k": "sampling.top_k",
    "top_p": "sampling.top_p",
    "min_p": "sampling.min_p",
    "xtc_probability": "sampling.xtc_probability",
    "xtc_threshold": "sampling.xtc_threshold",
    "penalty_last_n": "sampling.repeat_last_n",
    "penalty_repeat": "sampling.repeat_penalty",
    "mirostat": "sampling.mirostat",
    "mirostat_tau": "sampling.mirostat_target_entropy",
    "mirostat_eta": "sampling.mirostat_learning_rate",
}


def file_defaults(model: ModelInfo) -> Mapping[str, Any]:
    """Values by dotted keys, unchecked; what lies beside the file counts before what stands in it."""
    return {**_in_file(model), **dict(model.defaults.values)}


def _in_file(model: ModelInfo) -> Mapping[str, float]:
    """Values of sampling; nothing for a file that says nothing or cannot be read."""
    try:
        status = model.path.stat()
    except (OSError, ValueError):
        return {}
    return _read(model.path, status.st_mtime_ns, status.st_size)


# Reading a header takes tens of milliseconds where the vocabulary is large, and every answer asks.
@lru_cache(maxsize=256)
def _read(path: Path, _modified: int, _size: int) -> Mapping[str, float]:
    try:
        found = read_header(path).sampling
    except ModelUnusable:
        return {}
    return {_KEYS[name]: _as_written(value) for name, value in found.items() if name in _KEYS}


def _as_written(value: float) -> float:
    """The shortest number that the same 32 bits stand for: 0.3, where they come to 0.30000001192092896."""
    if isinstance(value, int) or not isfinite(value):
        return value
    with suppress(OverflowError):
        bits = pack("<f", value)
        for digits in range(6, 9):
            if pack("<f", shorter := float(f"{value:.{digits}g}")) == bits:
                return shorter
    return value
