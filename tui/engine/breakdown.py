"""How much memory a context needs on each device, for models that were laid out but not allocated.

llama.cpp knows (`llama_get_memory_breakdown` in llama-ext.h), but tells it as a C++ `std::map`.
"""

from __future__ import annotations

import ctypes
from typing import Any

from tui.engine.library import buffer_type_device, ggml, load_llama
from tui.engine.native_map import read_map

_SYMBOL = "_Z26llama_get_memory_breakdownPK13llama_context"
_PURPOSES = ("weights", "kv_cache", "compute")
MAPPABLE = "mappable"

Memory = dict[str, dict[str, int]]
"""Bytes by device name and purpose (`weights`, `kv_cache`, `compute`), and how many of the weights could be mapped
from the file (`mappable`): those that no device holds and that are not repacked."""


def measured_memory(context: Any) -> Memory | None:
    """What the context and its model need, or `None` where this build does not tell."""
    function = getattr(load_llama()._lib, _SYMBOL, None)
    found = read_map(function, [(ctypes.c_void_p, context)], len(_PURPOSES)) if function is not None else None
    if found is None:
        return None
    memory: Memory = {}
    for buffer_type, numbers in found.items():
        sizes = memory.setdefault(buffer_type_device(buffer_type), dict.fromkeys((*_PURPOSES, MAPPABLE), 0))
        for purpose, size in zip(_PURPOSES, numbers, strict=True):
            sizes[purpose] += size
        if ggml().ggml_backend_buft_is_host(buffer_type):
            sizes[MAPPABLE] += numbers[0]
    return memory
