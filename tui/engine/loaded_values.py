"""Load parameters after loading: what was asked for, what fitting made of it, what llama.cpp really uses."""

from __future__ import annotations

from typing import Any

from tui.domain import LoadConfig, LoadedValue
from tui.engine.library import load_llama
from tui.engine.loading import Kernels, OpenModel


def loaded_values(
    asked: LoadConfig, fitted: LoadConfig, kernels: Kernels, opened: OpenModel
) -> tuple[LoadedValue, ...]:
    """Side by side, for every parameter of which llama.cpp reports what became of it."""
    llama = load_llama()
    context = opened.context
    found: tuple[tuple[str, int], ...] = (
        ("context_length", opened.context_length),
        ("gpu_layers", _gpu_layers(llama, fitted, kernels, opened)),
        ("evaluation_batch_size", llama.llama_n_batch(context)),
        ("physical_batch_size", llama.llama_n_ubatch(context)),
        ("threads", llama.llama_n_threads(context)),
        ("batch_threads", llama.llama_n_threads_batch(context)),
    )
    return tuple(
        LoadedValue(name, _text(wanted := getattr(asked, name)), _text(value), _changed(wanted, getattr(fitted, name)))
        for name, value in found
    )


def _gpu_layers(llama: Any, config: LoadConfig, kernels: Kernels, opened: OpenModel) -> int:
    if not (kernels.gpu and llama.llama_supports_gpu_offload()):
        return 0
    if config.gpu_offload_ratio is not None:
        return round(config.gpu_offload_ratio * opened.layers)
    return opened.layers if config.gpu_layers is None else min(config.gpu_layers, opened.layers)


def _text(value: int | None) -> str:
    return "auto" if value is None else f"{value:,}"


def _changed(asked: int | None, fitted: int | None) -> str:
    return "" if asked == fitted else _text(fitted)
