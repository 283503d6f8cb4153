"""What Ollama's `params` and `system` layers mean in lmdeck's own parameters.

Names are those of Ollama's Modelfile (`PARAMETER`). What has no counterpart here is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui.domain import ModelDefaults

_SAMPLING: Final[Mapping[str, tuple[str, type]]] = {
    "temperature": ("temperature", float),
    "top_k": ("top_k", int),
    "top_p": ("top_p", float),
    "min_p": ("min_p", float),
    "typical_p": ("typical_p", float),
    "repeat_penalty": ("repeat_penalty", float),
    "repeat_last_n": ("repeat_last_n", int),
    "presence_penalty": ("presence_penalty", float),
    "frequency_penalty": ("frequency_penalty", float),
    "seed": ("seed", int),
    "num_predict": ("max_tokens", int),
}


def defaults_from(params: str, system: str, adapters: Sequence[str]) -> ModelDefaults:
    """The defaults that the layers of a model state. Damaged ones state nothing."""
    values = _object(params)
    found: dict[str, object] = {}
    for name, (field, kind) in _SAMPLING.items():
        value = _number(values.get(name), kind)
        # Ollama writes -1 for as many as there is room for.
        if value is not None and not (name == "num_predict" and value <= 0):
            found[f"sampling.{field}"] = value
    stop = values.get("stop")
    if isinstance(stop, list) and stop and all(isinstance(text, str) for text in stop):
        found["sampling.stop"] = tuple(stop)
    context = _number(values.get("num_ctx"), int)
    if context is not None and context > 0:
        found["load.context_length"] = context
    if adapters:
        found["load.lora"] = tuple((path, 1.0) for path in adapters)
    if system.strip():
        found["answer.system_prompt"] = system.strip()
    return ModelDefaults(tuple(found.items()))


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _number(value: Any, kind: type) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if value != value or abs(value) > 2**31:
        return None
    return kind(value)
