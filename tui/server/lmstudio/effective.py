"""The configuration that a model was really loaded with."""

from __future__ import annotations

from dataclasses import fields
from pathlib import PurePath
from typing import Any

from tui.domain import LoadConfig
from tui.engine import LoadedModel

# Parameters that name files. Where those lie is nothing that a client should learn.
_FILES = ("draft_model", "projector")


def documented_config(model: LoadedModel) -> dict[str, Any]:
    """What LM Studio tells of a loaded instance."""
    config = model.config
    if model.embeds:
        return {"context_length": model.context_length}
    found: dict[str, Any] = {
        "context_length": model.context_length,
        "eval_batch_size": _loaded(model).get("evaluation_batch_size", config.evaluation_batch_size),
        "parallel": config.parallel,
        "flash_attention": config.flash_attention != "off",
        "offload_kv_cache_to_gpu": config.offload_kv_cache,
    }
    if model.info.experts:
        found["num_experts"] = config.experts_used or model.info.experts_used
    return found


def effective_config(model: LoadedModel) -> dict[str, Any]:
    """The same, and every other parameter by its own name; `None` is what llama.cpp was left to choose."""
    documented = documented_config(model)
    return {**documented, **{name: value for name, value in _own_names(model).items() if name not in documented}}


def has(model: LoadedModel, wanted: dict[str, Any]) -> bool:
    """Whether the model is loaded with these parameters of `LoadConfig`."""
    own = _own_names(model)
    return all(value in (getattr(model.config, name), own.get(name)) for name, value in wanted.items())


def _own_names(model: LoadedModel) -> dict[str, Any]:
    config = model.config
    values = {field.name: getattr(config, field.name) for field in fields(LoadConfig)}
    values |= {name: PurePath(values[name]).name for name in _FILES if values[name]}
    values["lora"] = [(PurePath(file).name, scale) for file, scale in config.lora]
    return {**values, **_loaded(model)}


def _loaded(model: LoadedModel) -> dict[str, int]:
    """What llama.cpp itself reports."""
    numbers = {value.name: value.loaded.replace(",", "") for value in model.values}
    return {name: int(text) for name, text in numbers.items() if text.isdigit()}
