"""The one place where mtmd, llama.cpp's library for images, enters the process."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

from tui.engine.library import load_llama


@functools.cache
def load_mtmd() -> Any:
    """The `llama_cpp.mtmd_cpp` module, its log going where llama.cpp's goes."""
    llama = load_llama()
    from llama_cpp import mtmd_cpp

    mtmd_cpp.mtmd_log_set(_relay(llama), ctypes.c_void_p(0))
    return mtmd_cpp


@functools.cache
def _relay(llama: Any) -> Any:
    """A callback that hands on to llama.cpp's own, whichever that is at the time."""

    def hand_on(level: int, text: bytes, _data: object) -> None:
        callback, data = llama.llama_log_callback(), ctypes.c_void_p()
        llama.llama_log_get(ctypes.byref(callback), ctypes.byref(data))
        if callback:
            callback(level, text, data)

    return llama.llama_log_callback(hand_on)
