"""ggml's devices and buffer types by name, and devices of other machines (RPC)."""

from __future__ import annotations

import ctypes
from typing import Any

from tui.domain import BadRequest
from tui.engine.library import ggml

# enum ggml_backend_dev_type of ggml-backend.h: discrete and integrated GPUs
_GPU_KINDS = (1, 2)


def gpu_handles() -> list[int]:
    """Native handles of the GPUs of this build, in llama.cpp's order."""
    library = ggml()
    found = [library.ggml_backend_dev_get(index) for index in range(library.ggml_backend_dev_count())]
    return [device for device in found if library.ggml_backend_dev_type(device) in _GPU_KINDS]


def buffer_types() -> dict[str, int]:
    """Native buffer types by name, such as `CPU` or `CUDA0`."""
    library = ggml()
    found: dict[str, int] = {}
    for index in range(library.ggml_backend_dev_count()):
        handle = library.ggml_backend_dev_buffer_type(library.ggml_backend_dev_get(index))
        if handle:
            found[library.ggml_backend_buft_name(handle).decode("utf-8", "replace")] = handle
    return found


def add_rpc_server(server: str) -> None:
    """Use the devices of a llama.cpp RPC server, `host:port`. Raises BadRequest where this build cannot."""
    library = ggml()
    registry = library.ggml_backend_reg_by_name(b"RPC")
    address = library.ggml_backend_reg_get_proc_address(registry, b"ggml_backend_rpc_add_server") if registry else None
    if not address:
        raise BadRequest(
            "This build of llama.cpp has no RPC backend.",
            "Install llama-cpp-python with CMAKE_ARGS=-DGGML_RPC=on, or leave the RPC servers out.",
            field="load.rpc_servers",
        )
    # ggml_backend_reg_t ggml_backend_rpc_add_server(const char * endpoint), ggml-rpc.h
    add: Any = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)(address)
    added = add(server.encode())
    if not added:
        raise BadRequest(
            f"The RPC server {server} does not answer.", "Start it, or check its address.", field="load.rpc_servers"
        )
    library.ggml_backend_register(added)
