"""The models there are, as `GET /api/v1/models` and `GET /api/v0/models` describe them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tui.domain import ModelInfo
from tui.engine import LoadedModel
from tui.server.lmstudio.abilities import TemplateAbilities, sees
from tui.server.lmstudio.effective import documented_config
from tui.workbench import Workbench

ListedModel = tuple[ModelInfo, list[LoadedModel]]
"""A model, and its loaded instances."""


def listed(workbench: Workbench) -> list[ListedModel]:
    """Every usable model, by key, and those that are loaded though they lie elsewhere. Looks at the disk at first."""
    loaded = workbench.loaded()
    models = [info for info in workbench.catalogue.models(abilities=False) if info.usable]
    known = {info.path for info in models}
    models += [one.info for one in loaded if one.info.path not in known and one.info.key == one.key]
    return [(info, instances_of(info, loaded)) for info in models]


def instances_of(info: ModelInfo, loaded: Sequence[LoadedModel]) -> list[LoadedModel]:
    """The loaded instances of a model, whatever they are called."""
    return [] if info.remote else [one for one in loaded if one.info.is_same_as(info)]


def model_object(model: ListedModel, abilities: TemplateAbilities) -> dict[str, Any]:
    """One model of `GET /api/v1/models`."""
    info, instances = model
    first = instances[0] if instances else None
    embeds = first.embeds if first is not None else info.embeds
    common: dict[str, Any] = {
        "type": "embedding" if embeds else "llm",
        "publisher": info.publisher or info.remote,
        "key": info.key,
        "display_name": info.name or info.key,
    }
    if not embeds:
        common["architecture"] = info.architecture or None
    common |= {
        "quantization": _quantization(info),
        "size_bytes": info.size,
        "params_string": params_string(info.parameters),
        "loaded_instances": [{"id": one.key, "config": documented_config(one)} for one in instances],
        "max_context_length": info.context_length or (first.trained_context_length if first is not None else 0),
        "format": None if info.remote else "gguf",
    }
    if embeds:
        return common
    can = abilities.of(info, first)
    capabilities: dict[str, Any] = {"vision": sees(info, first), "trained_for_tool_use": can is not None and can.tools}
    if can is not None and can.reasoning is not None:
        capabilities["reasoning"] = {"allowed_options": list(can.reasoning.allowed), "default": can.reasoning.default}
    return {**common, "capabilities": capabilities, "description": None}


def legacy_object(model: ListedModel, abilities: TemplateAbilities) -> dict[str, Any]:
    """One model of `GET /api/v0/models`."""
    info, instances = model
    first = instances[0] if instances else None
    embeds = first.embeds if first is not None else info.embeds
    found: dict[str, Any] = {
        "id": info.key,
        "object": "model",
        "type": "embeddings" if embeds else "vlm" if sees(info, first) else "llm",
        "publisher": info.publisher or info.remote,
        "arch": info.architecture,
        "compatibility_type": "gguf",
        "quantization": info.quantization,
        "state": "loaded" if instances else "not-loaded",
        "max_context_length": info.context_length,
    }
    if first is not None:
        found["loaded_context_length"] = first.context_length
    can = None if embeds else abilities.of(info, first)
    if can is not None and can.tools:
        found["capabilities"] = ["tool_use"]
    return found


def params_string(parameters: int) -> str | None:
    """A number of weights as people say it: `1.7B`, `137M`."""
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if parameters >= size:
            number = parameters / size
            return f"{number:.0f}{letter}" if number >= 10 else f"{number:.1f}".removesuffix(".0") + letter
    return str(parameters) if parameters else None


def _quantization(info: ModelInfo) -> dict[str, Any] | None:
    if not info.quantization:
        return None
    bits = round(info.size * 8 / info.parameters, 2) if info.parameters and info.size else None
    return {"name": info.quantization, "bits_per_weight": bits}
