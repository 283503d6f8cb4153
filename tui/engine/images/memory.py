"""What a projector file takes of each device's memory; for a child process."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from tui.domain import LoadConfig
from tui.engine.images.native import load_mtmd
from tui.engine.images.projector import context_parameters
from tui.engine.library import ggml
from tui.engine.loading import Kernels
from tui.engine.native_map import read_map

_SYMBOL = "_Z21mtmd_get_memory_usagePKc19mtmd_context_params"


def projector_memory(path: Path, config: LoadConfig, kernels: Kernels) -> dict[str, int]:
    """Bytes by device name, weights and the computation of one image; nothing is read but the file's header.

    Nothing for a file that mtmd cannot use. Where this build of mtmd does not tell, the file counts as the CPU's.
    """
    mtmd = load_mtmd()
    parameters = context_parameters(config, kernels)
    parameters.warmup = True  # lays out the computation too
    function = getattr(mtmd._libmtmd, _SYMBOL, None)
    arguments = [(ctypes.c_char_p, os.fsencode(path)), (mtmd.mtmd_context_params, parameters)]
    found = read_map(function, arguments, 1) if function is not None else None
    if found is None:
        return {"CPU": path.stat().st_size}
    memory: dict[str, int] = {}
    for device, (size,) in found.items():
        name = ggml().ggml_backend_dev_name(device).decode("utf-8", "replace")
        memory[name] = memory.get(name, 0) + size
    return memory
