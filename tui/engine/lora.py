"""LoRA adapters: small files that change what a model says."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

from tui.domain import BadRequest, EngineFault
from tui.engine.library import load_llama


def open_adapters(model: Any, adapters: tuple[tuple[str, float], ...]) -> list[tuple[Any, float]]:
    """The adapters' native handles and scales. They are freed with their model.

    Raises BadRequest, naming the file, for one that does not fit this model.
    """
    llama = load_llama()
    opened = []
    for file, scale in adapters:
        handle = llama.llama_adapter_lora_init(model, os.fsencode(Path(file).expanduser()))
        if not handle:
            raise BadRequest(
                f"The LoRA adapter {Path(file).name} does not fit this model.",
                "Choose an adapter that was made for it; see the log for llama.cpp's reason.",
                field="load.lora",
            )
        opened.append((handle, scale))
    return opened


def use_adapters(context: Any, adapters: list[tuple[Any, float]]) -> None:
    """Apply adapters to everything that the context computes."""
    if not adapters:
        return
    llama = load_llama()
    handles = (llama.llama_adapter_lora_p_ctypes * len(adapters))(*(handle for handle, _ in adapters))
    scales = (ctypes.c_float * len(adapters))(*(scale for _, scale in adapters))
    if llama.llama_set_adapters_lora(context, handles, len(adapters), scales) != 0:
        raise EngineFault("llama.cpp could not apply the LoRA adapters.", "Load the model without them.")
