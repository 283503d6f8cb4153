"""The one place where llama.cpp enters the process: environment, logging, devices, identity of the build.

`import llama_cpp` loads native code and takes a third of a second, so it happens on the first call here and
never when a module is imported.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

LEVELS = {0: "info", 1: "debug", 2: "info", 3: "warning", 4: "error"}
"""ggml_log_level of ggml.h to our words; 5 continues the line before it."""
_CONTINUE = 5

SWITCH_INTERVAL = 0.0005
"""Seconds. The engine's thread shares the interpreter lock with screen, readers and server; with Python's default of
5 ms a fast model loses a quarter of its speed to a screen that is busy a fifth of the time, with this an eighth."""

_SPINS = "1000"
"""Looks at a barrier before an OpenMP thread sleeps: some 10 us, about what waking it again costs."""

LogSink = Callable[[str, str], None]
"""Takes a level and a line of text."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that llama.cpp can compute on. Memory is in bytes, 0 where it does not tell."""

    name: str
    description: str
    kind: str
    """`cpu`, `gpu`, `igpu`, `accelerator` or `other`."""
    free: int
    total: int


@functools.cache
def load_llama() -> Any:
    """The `llama_cpp.llama_cpp` module, its backend initialised. Slow the first time."""
    # libgomp reads its settings when it is loaded. By itself its threads spin for 3 ms before they sleep, and hold
    # the cores that the others wait for. `default_threads` in loading.py has the figures.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
    # Without this an assertion in ggml forks a debugger that can hang for minutes.
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")
    from llama_cpp import llama_cpp

    sys.setswitchinterval(SWITCH_INTERVAL)
    llama_cpp.llama_backend_init()
    return llama_cpp


class _LogRouter:
    """Joins the pieces that llama.cpp logs into lines and hands them on."""

    def __init__(self, sink: LogSink) -> None:
        self._sink = sink
        self._level = "info"
        self._pending = ""

    def __call__(self, level: int, text: bytes, _user_data: object) -> None:
        try:
            if level != _CONTINUE:
                self._flush()
                self._level = LEVELS.get(level, "info")
            self._pending += text.decode("utf-8", "replace")
            *lines, self._pending = self._pending.split("\n")
            for line in lines:
                if line.strip():
                    self._sink(self._level, line)
        except Exception:  # an exception must never travel up into native code
            self._pending = ""

    def _flush(self) -> None:
        if self._pending.strip():
            self._sink(self._level, self._pending)
        self._pending = ""


_routes: list[Any] = []
"""The native library keeps the callback for as long as the process lives, so something must hold it."""


def route_log(sink: LogSink) -> None:
    """Send everything that llama.cpp logs to `sink` from now on, and nothing to the terminal."""
    llama = load_llama()
    callback = llama.llama_log_callback(_LogRouter(sink))
    llama.llama_log_set(callback, ctypes.c_void_p(0))
    _routes.append(callback)
    del _routes[:-1]


def library_folder() -> Path:
    """Where the native libraries of the installed llama-cpp-python lie."""
    import importlib.util

    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        raise ImportError("llama-cpp-python is not installed")
    return Path(spec.origin).parent / "lib"


def library_version() -> str:
    """The version of the installed llama-cpp-python, without loading it."""
    from importlib.metadata import version

    return version("llama-cpp-python")


@functools.cache
def build_identity() -> str:
    """A short text that changes whenever the native libraries, the processor or its features change."""
    digest = hashlib.sha256()
    for file in sorted(library_folder().glob("*")):
        if file.is_file():
            status = file.stat()
            digest.update(f"{file.name}:{status.st_size}:{status.st_mtime_ns};".encode())
    digest.update(processor_name().encode())
    digest.update(_processor_flags().encode())
    digest.update(os.environ.get("CUDA_VISIBLE_DEVICES", "").encode())
    return f"{library_version()}-{digest.hexdigest()[:16]}"


def processor_name() -> str:
    """The processor's own name, as far as the system tells."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _processor_flags() -> str:
    return _cpuinfo("flags") or _cpuinfo("Features")


@functools.cache
def _cpuinfo(field: str) -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() == field:
                    return value.strip()
    except OSError:
        return ""
    return ""


# enum ggml_backend_dev_type of ggml-backend.h
_DEVICE_KINDS = {0: "cpu", 1: "gpu", 2: "igpu", 3: "accelerator"}


def devices() -> tuple[Device, ...]:
    """The devices of this build, loaded into this process, in llama.cpp's order."""
    load_llama()
    registry = ggml()
    found = []
    for index in range(registry.ggml_backend_dev_count()):
        device = ctypes.c_void_p(registry.ggml_backend_dev_get(index))
        free, total = ctypes.c_size_t(0), ctypes.c_size_t(0)
        registry.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
        found.append(
            Device(
                name=registry.ggml_backend_dev_name(device).decode("utf-8", "replace"),
                description=registry.ggml_backend_dev_description(device).decode("utf-8", "replace"),
                kind=_DEVICE_KINDS.get(registry.ggml_backend_dev_type(device), "other"),
                free=free.value,
                total=total.value,
            )
        )
    return tuple(found)


def describe_build() -> dict[str, str]:
    """The build of llama.cpp and what it runs on, for people. Loads the native library."""
    llama = load_llama()
    features = llama.llama_print_system_info().decode("utf-8", "replace")
    lines = {
        "llama_cpp_python": library_version(),
        "build": build_identity(),
        "processor": processor_name(),
        "features": " ".join(feature.split("=")[0].strip() for feature in features.split("|") if "= 1" in feature),
        "gpu_offload": "yes" if llama.llama_supports_gpu_offload() else "not in this build",
    }
    for device in devices():
        memory = f", {device.free / 2**30:.1f} of {device.total / 2**30:.1f} GB free" if device.kind != "cpu" else ""
        lines[f"device {device.name}"] = f"{device.description} ({device.kind}{memory})"
    return lines


def buffer_type_device(buffer_type: int) -> str:
    """The name of the device whose memory a `ggml_backend_buffer_type_t` takes; `CPU` for all of the host's."""
    registry = ggml()
    device = registry.ggml_backend_buft_get_device(buffer_type)
    if not device or registry.ggml_backend_buft_is_host(buffer_type):
        return "CPU"
    name: str = registry.ggml_backend_dev_name(device).decode("utf-8", "replace")
    return name


@functools.cache
def ggml() -> SimpleNamespace:
    """ggml's registry of devices (ggml-backend.h), which the Python bindings do not cover."""
    sizes = ctypes.POINTER(ctypes.c_size_t)
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "ggml_backend_dev_count": (ctypes.c_size_t, []),
        "ggml_backend_dev_get": (ctypes.c_void_p, [ctypes.c_size_t]),
        "ggml_backend_dev_name": (ctypes.c_char_p, [ctypes.c_void_p]),
        "ggml_backend_dev_description": (ctypes.c_char_p, [ctypes.c_void_p]),
        "ggml_backend_dev_type": (ctypes.c_int, [ctypes.c_void_p]),
        "ggml_backend_dev_memory": (None, [ctypes.c_void_p, sizes, sizes]),
        "ggml_backend_dev_buffer_type": (ctypes.c_void_p, [ctypes.c_void_p]),
        "ggml_backend_reg_by_name": (ctypes.c_void_p, [ctypes.c_char_p]),
        "ggml_backend_reg_get_proc_address": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]),
        "ggml_backend_register": (None, [ctypes.c_void_p]),
        "ggml_backend_buft_name": (ctypes.c_char_p, [ctypes.c_void_p]),
        "ggml_backend_buft_get_device": (ctypes.c_void_p, [ctypes.c_void_p]),
        "ggml_backend_buft_is_host": (ctypes.c_bool, [ctypes.c_void_p]),
    }
    # The registry is in libggml, what it says of a device in libggml-base.
    libraries = [ctypes.CDLL(str(path)) for name in ("ggml", "ggml-base") if (path := _library_file(name))]
    functions = {}
    for name, (result, arguments) in signatures.items():
        function = next(getattr(library, name) for library in libraries if hasattr(library, name))
        function.restype, function.argtypes = result, arguments
        functions[name] = function
    return SimpleNamespace(**functions)


def _library_file(name: str) -> Path | None:
    folder = library_folder()
    files = (folder / f"lib{name}.so", folder / f"lib{name}.dylib", folder / f"{name}.dll")
    return next((file for file in files if file.exists()), None)
