"""How much memory a context needs on each device, for models that were laid out but not allocated.

llama.cpp knows (`llama_get_memory_breakdown` in llama-ext.h), but tells it as a C++ `std::map`.
"""

from __future__ import annotations

import ctypes
from typing import Any

from tui.engine.library import buffer_type_device, ggml, load_llama
from tui.engine.loading import OpenModel
from tui.engine.native_map import read_map
from tui.engine.nextn import hidden_rows_size

_SYMBOL = "_Z26llama_get_memory_breakdownPK13llama_context"
_PURPOSES = ("weights", "kv_cache", "compute")
MAPPABLE = "mappable"

Memory = dict[str, dict[str, int]]
"""Bytes by device name and purpose (`weights`, `kv_cache`, `compute`), and how many of the weights could be mapped
from the file (`mappable`): those that no device holds and that are not repacked."""


def measured_memory(opened: OpenModel) -> Memory | None:
    """What the contexts and their model need, or `None` where this build does not tell."""
    memory = _breakdown(opened.context)
    if memory is None or opened.nextn_context is None:
        return memory
    for device, sizes in (_breakdown(opened.nextn_context) or {}).items():
        known = memory.setdefault(device, _nothing())
        for purpose in ("kv_cache", "compute"):  # the weights are those of the same model
            known[purpose] += sizes[purpose]
    memory.setdefault("CPU", _nothing())["compute"] += hidden_rows_size(opened.model, opened.context)
    return memory


def _nothing() -> dict[str, int]:
    return dict.fromkeys((*_PURPOSES, MAPPABLE), 0)


def _breakdown(context: Any) -> Memory | None:
    function = getattr(load_llama()._lib, _SYMBOL, None)
    found = read_map(function, [(ctypes.c_void_p, context)], len(_PURPOSES)) if function is not None else None
    if found is None:
        return None
    memory: Memory = {}
    for buffer_type, numbers in found.items():
        sizes = memory.setdefault(buffer_type_device(buffer_type), _nothing())
        for purpose, size in zip(_PURPOSES, numbers, strict=True):
            sizes[purpose] += size
        if ggml().ggml_backend_buft_is_host(buffer_type):
            sizes[MAPPABLE] += numbers[0]
    return memory
