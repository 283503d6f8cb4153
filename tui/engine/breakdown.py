"""How much memory a context needs on each device, for models that were laid out but not allocated.

llama.cpp knows (`llama_get_memory_breakdown` in llama-ext.h), but tells it as a C++ `std::map`. This walks the
map's nodes, which have had the same layout in libstdc++ and libc++ for decades. Only the probe's child does
this: should the layout ever change, a child dies and the estimate falls back to totals.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from typing import Any

from tui.engine.library import buffer_type_device, load_llama
from tui.engine.loading import OpenModel
from tui.engine.nextn import hidden_rows_size

_SYMBOL = "_Z26llama_get_memory_breakdownPK13llama_context"
_PURPOSES = ("weights", "kv_cache", "compute")

Memory = dict[str, dict[str, int]]
"""Bytes by device name and purpose (`weights`, `kv_cache`, `compute`)."""


class _Node(ctypes.Structure):
    """A red-black tree node with its value, as libstdc++ (stl_tree.h) lays it out."""

    _fields_ = [
        ("color", ctypes.c_size_t),
        ("parent", ctypes.c_void_p),
        ("left", ctypes.c_void_p),
        ("right", ctypes.c_void_p),
        ("buffer_type", ctypes.c_void_p),
        ("sizes", ctypes.c_size_t * 3),
    ]


class _AppleNode(ctypes.Structure):
    """The same in libc++ (__tree)."""

    _fields_ = [
        ("left", ctypes.c_void_p),
        ("right", ctypes.c_void_p),
        ("parent", ctypes.c_void_p),
        ("is_black", ctypes.c_size_t),
        ("buffer_type", ctypes.c_void_p),
        ("sizes", ctypes.c_size_t * 3),
    ]


class _Map(ctypes.Structure):
    """Room for either library's `std::map`: libstdc++'s root is the third word, libc++'s the second."""

    _fields_ = [("words", ctypes.c_void_p * 6)]


def measured_memory(opened: OpenModel) -> Memory | None:
    """What the contexts and their model need, or `None` where this build does not tell."""
    if sys.platform == "win32":
        return None
    function = getattr(load_llama()._lib, _SYMBOL, None)
    if function is None:
        return None
    # Both C++ libraries return the map through a hidden pointer, which is also how C returns a large struct.
    function.restype, function.argtypes = _Map, [ctypes.c_void_p]
    memory = _breakdown(function, opened.context)
    if opened.nextn_context is not None:
        for device, sizes in _breakdown(function, opened.nextn_context).items():
            known = memory.setdefault(device, dict.fromkeys(_PURPOSES, 0))
            for purpose in ("kv_cache", "compute"):  # the weights are those of the same model
                known[purpose] += sizes[purpose]
        memory.setdefault("CPU", dict.fromkeys(_PURPOSES, 0))["compute"] += hidden_rows_size(
            opened.model, opened.context
        )
    return memory


def _breakdown(function: Any, context: Any) -> Memory:
    apple = sys.platform == "darwin"
    root = function(context).words[1 if apple else 2]
    memory: Memory = {}
    for node in _walk(root, _AppleNode if apple else _Node):
        sizes = memory.setdefault(buffer_type_device(node.buffer_type), dict.fromkeys(_PURPOSES, 0))
        for purpose, size in zip(_PURPOSES, node.sizes, strict=True):
            sizes[purpose] += size
    return memory


def _walk(address: int | None, layout: type[Any]) -> Iterator[Any]:
    if address:
        node = layout.from_address(address)
        yield from _walk(node.left, layout)
        yield node
        yield from _walk(node.right, layout)
