"""Reading a C++ `std::map` that a native function returns, where llama.cpp tells something in no other way.

The maps' nodes have had the same layout in libstdc++ and libc++ for decades. Only children of this process read
them: should the layout ever change, a child dies, and what it was to find out is not known.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Iterator
from typing import Any


class _Map(ctypes.Structure):
    """Room for either library's `std::map`: libstdc++'s root is the third word, libc++'s the second."""

    _fields_ = [("words", ctypes.c_void_p * 6)]


def read_map(function: Any, arguments: list[tuple[Any, Any]], numbers: int) -> dict[int, tuple[int, ...]] | None:
    """Call a native function that maps pointers to so many `size_t`, with arguments of these ctypes types.

    `None` on systems whose C++ library is another one.
    """
    if sys.platform == "win32":
        return None
    apple = sys.platform == "darwin"
    # Both C++ libraries return the map through a hidden pointer, which is also how C returns a large struct.
    function.restype, function.argtypes = _Map, [kind for kind, _ in arguments]
    found = function(*(value for _, value in arguments))
    root = found.words[1 if apple else 2]
    return {node.key: tuple(node.numbers) for node in _walk(root, _node(apple, numbers))}


@functools.cache
def _node(apple: bool, numbers: int) -> type[Any]:
    """A red-black tree node with its value: of libc++ (__tree), or of libstdc++ (stl_tree.h)."""
    pointers = [("left", ctypes.c_void_p), ("right", ctypes.c_void_p)]
    parent = ("parent", ctypes.c_void_p)
    links = [*pointers, parent, ("is_black", ctypes.c_size_t)] if apple else [("color", ctypes.c_size_t), parent]
    links += [] if apple else pointers
    value = [("key", ctypes.c_void_p), ("numbers", ctypes.c_size_t * numbers)]
    return type("Node", (ctypes.Structure,), {"_fields_": [*links, *value]})


def _walk(address: int | None, layout: type[Any]) -> Iterator[Any]:
    if address:
        node = layout.from_address(address)
        yield from _walk(node.left, layout)
        yield node
        yield from _walk(node.right, layout)
