"""Models as JSON: LM Studio's fields, as `lms ls --json` prints them, and ours for what it does not have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tui.domain import ModelInfo

if TYPE_CHECKING:
    from tui.models import ModelEntry


def model_record(
    model: ModelInfo, last_used: Callable[[ModelInfo], float], entry: ModelEntry | None = None
) -> dict[str, Any]:
    """One model. `entry` names its variants, of which it is the selected one."""
    several = entry is not None and len(entry.variants) > 1
    bits = round(model.size * 8 / model.parameters, 2) if model.parameters and model.size else None
    record: dict[str, Any] = {
        "type": "embedding" if model.embeds else "llm",
        "modelKey": entry.key if entry is not None and several else model.key,
        "format": None if model.remote else "gguf",
        "displayName": model.name or model.key,
        "publisher": model.publisher,
        "path": "" if model.remote else str(model.path),
        "sizeBytes": model.size,
        "indexedModelIdentifier": model.key,
        "deviceIdentifier": None,
        "paramsString": parameters_text(model.parameters) or None,
        "architecture": model.architecture,
        "quantization": {"name": model.quantization, "bits": bits} if model.quantization else None,
    }
    if several and entry is not None:
        record["variants"] = [variant.variant_key for variant in entry.variants]
        record["selectedVariant"] = entry.selected.variant_key
    if not model.embeds:
        record |= {"vision": model.sees, "trainedForToolUse": model.tools, "reasoning": model.thinks}
    if model.custom_fields:
        record["customFields"] = [asdict(field) for field in model.custom_fields]
    used = last_used(model)
    return record | {
        "maxContextLength": model.context_length,
        "parameters": model.parameters,
        "files": [str(file) for file in model.files],
        "projectors": [str(file) for file in model.projectors or ()],
        "source": model.source,
        "storeName": model.store_name,
        "remote": model.remote,
        "base": model.base,
        "lastUsed": used or None,
        "usable": model.usable,
        "problem": model.problem,
    }


def entry_record(entry: ModelEntry, last_used: Callable[[ModelInfo], float]) -> dict[str, Any]:
    """A model with each of its variants."""
    variants = [model_record(model, last_used) | {"modelKey": model.variant_key} for model in entry.variants]
    return {"model": model_record(entry.selected, last_used, entry), "variants": variants}


def parameters_text(count: int) -> str:
    """Parameter counts as model names have them: `0.5B`, `7.2B`, `135M`."""
    if count >= 10**9 / 2:
        return f"{count / 10**9:.1f}B"
    return f"{count / 10**6:.0f}M" if count >= 10**6 else f"{count / 10**3:.0f}K" if count else ""
