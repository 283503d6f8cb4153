"""What makes a saved state fit: the model's files, and the load parameters that shape a state."""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tui.domain import LoadConfig
from tui.engine.library import load_llama
from tui.engine.loading import OpenModel
from tui.engine.state_file import Parameters


def model_identity(files: Iterable[Path]) -> str:
    """A text that changes when the model's files do: their paths, sizes and times."""
    parts = []
    for file in files:
        try:
            status = file.stat()
            parts.append(f"{file.resolve()}:{status.st_size}:{status.st_mtime_ns}")
        except OSError:  # it went away after it was loaded; nothing saved before belongs to it
            parts.append(f"{file}:{secrets.token_hex(8)}")
    return "\n".join(parts)


def state_parameters(opened: OpenModel, config: LoadConfig) -> Parameters:
    """The load parameters that shape a sequence's state, as JSON values.

    The context length is none of them, unless the model chooses its RoPE factors by it.
    """
    llama = load_llama()
    unified = llama.llama_n_ctx(opened.context) == llama.llama_n_ctx_seq(opened.context)
    adapters = [[path, scale, model_identity([Path(path)])] for path, scale in config.lora]
    return {
        "key_cache_type": config.key_cache_type,
        "value_cache_type": config.value_cache_type,
        "flash_attention": config.flash_attention,
        "sliding_window": "full" if config.full_sliding_window_cache else "last",
        "streams": 1 if unified else llama.llama_n_seq_max(opened.context),
        "experts_used": config.experts_used,
        "rope_frequency_base": config.rope_frequency_base,
        "rope_frequency_scale": config.rope_frequency_scale,
        "rope_scaling": config.rope_scaling,
        "yarn_extrapolation_factor": config.yarn_extrapolation_factor,
        "yarn_attention_factor": config.yarn_attention_factor,
        "yarn_beta_fast": config.yarn_beta_fast,
        "yarn_beta_slow": config.yarn_beta_slow,
        "yarn_original_context": config.yarn_original_context,
        "stretched_beyond": _rope_factor_limit(llama, opened),
        "lora": adapters,
    }


def _rope_factor_limit(llama: Any, opened: OpenModel) -> bool | None:
    """Whether the context is long enough for a model's long RoPE factors; None if it has no two sets of them."""
    text = ctypes.create_string_buffer(256)
    if llama.llama_model_meta_val_str(opened.model, b"general.architecture", text, len(text)) < 0:
        return None
    key = text.value + b".rope.scaling.original_context_length"
    if llama.llama_model_meta_val_str(opened.model, key, text, len(text)) < 0:
        return None
    try:
        return int(opened.context_length) > int(text.value)
    except ValueError:
        return None
