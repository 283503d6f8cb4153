"""The loaded models as `lmdeck ps` shows them, in the words of `lms ps --json`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from tui.domain import ModelInfo
from tui.engine import LoadedModel


def instance_object(model: LoadedModel, known: Sequence[ModelInfo]) -> dict[str, Any]:
    """One loaded model: what it is, what it does just now, and how long it stays.

    An instance with a name of its own is found among the models that are `known`, since that is not its model's key.
    """
    running = model.running
    parallel = model.config.parallel
    return {
        "identifier": model.key,
        "type": "embedding" if model.embeds else "llm",
        "modelKey": _model_key(model.info, known),
        "displayName": model.info.name or model.info.key,
        "status": _status(model, running),
        "queued": max(0, running - parallel),
        "sizeBytes": model.memory_bytes,
        "contextLength": model.context_length,
        "maxContextLength": model.trained_context_length,
        "parallel": None if model.embeds else parallel,
        "ttlMs": None if model.ttl is None else round(model.ttl * 1000),
        "idleMs": 0 if running else round((time.monotonic() - model.last_used) * 1000),
        "justInTime": model.just_in_time,
    }


def _model_key(info: ModelInfo, known: Sequence[ModelInfo]) -> str:
    if any(other.key == info.key for other in known):
        return info.key
    return next((other.key for other in known if other.is_same_as(info)), info.key)


def _status(model: LoadedModel, running: int) -> str:
    if not running:
        return "idle"
    return "computingEmbedding" if model.embeds else "generating"
