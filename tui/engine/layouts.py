"""Models that were laid out without being allocated, kept by a child process for their next contexts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from tui.domain import LoadConfig, ModelUnusable
from tui.engine.library import load_llama
from tui.engine.loading import Kernels, OpenModel, open_context, open_weights

MOST_KEPT: Final = 2
"""A model and its draft model."""

_OF_CONTEXTS: Final = {
    "context_length",
    "parallel",
    "unified_kv_cache",
    "evaluation_batch_size",
    "physical_batch_size",
    "threads",
    "batch_threads",
    "flash_attention",
    "key_cache_type",
    "value_cache_type",
    "offload_kv_cache",
    "full_sliding_window_cache",
    "rope_frequency_base",
    "rope_frequency_scale",
    "rope_scaling",
    "yarn_extrapolation_factor",
    "yarn_attention_factor",
    "yarn_beta_fast",
    "yarn_beta_slow",
    "yarn_original_context",
    # How the file is read makes no difference to a model that is not.
    "try_mmap",
    "keep_model_in_memory",
    "direct_io",
}
"""The load parameters that llama.cpp takes for a context and not for the model (llama_context_params of llama.h)."""


@dataclass(frozen=True, slots=True)
class _Key:
    """What a handle serves for: one state of a file, with the parameters that shape the model itself."""

    path: Path
    modified: int
    size: int
    config: LoadConfig
    kernels: Kernels


class Layouts:
    """The handles of the models that were laid out last. For one thread."""

    def __init__(self) -> None:
        self._handles: dict[_Key, Any] = {}

    @contextmanager
    def opened(self, path: Path, config: LoadConfig, kernels: Kernels) -> Iterator[OpenModel]:
        """The model with a context that goes at the end. Raises as `open_model` does."""
        opened = open_context(path, self._model(path, config, kernels), config, simulate=True, gpu=kernels.gpu)
        try:
            yield opened
        finally:
            opened.close_contexts()

    def _model(self, path: Path, config: LoadConfig, kernels: Kernels) -> Any:
        plain: dict[str, Any] = {
            field.name: field.default for field in fields(LoadConfig) if field.name in _OF_CONTEXTS
        }
        try:
            status = path.stat()
        except OSError as problem:
            raise ModelUnusable(f"The model file cannot be read: {problem}.") from problem
        key = _Key(path, status.st_mtime_ns, status.st_size, replace(config, **plain), kernels)
        handle = self._handles.pop(key, None)
        if handle is None:
            handle = open_weights(path, config, kernels, simulate=True)
        self._handles[key] = handle  # the newest is the last
        for oldest in list(self._handles)[:-MOST_KEPT]:
            load_llama().llama_model_free(self._handles.pop(oldest))
        return handle
