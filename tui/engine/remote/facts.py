"""What a server tells about one of its models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tui.domain import ModelInfo, RemoteEndpoint

# Where servers tell how long a context can be: LM Studio and OpenRouter, vLLM, Groq, and llama-server below `meta`.
_CONTEXT_FIELDS = ("loaded_context_length", "max_context_length", "context_length", "max_model_len", "context_window")
_CONTEXT_FIELDS_BELOW = ("n_ctx", "n_ctx_train")


def remote_model(endpoint: RemoteEndpoint, model_id: str, facts: dict[str, Any] | None = None) -> ModelInfo:
    """A model of an endpoint, with what the server tells about it."""
    facts = facts or {}
    found = facts.get("meta")
    meta: dict[str, Any] = found if isinstance(found, dict) else {}
    contexts = [_count(facts, name) for name in _CONTEXT_FIELDS]
    contexts += [_count(meta, name) for name in _CONTEXT_FIELDS_BELOW]
    owner = facts.get("owned_by")
    return ModelInfo(
        key=f"{endpoint.name}/{model_id}",
        path=Path(),
        size=_count(meta, "size"),
        name=model_id,
        publisher=owner if isinstance(owner, str) and owner.isprintable() else "",
        parameters=_count(meta, "n_params"),
        context_length=next((length for length in contexts if length), 0),
        vocabulary_size=_count(meta, "n_vocab"),
        remote=endpoint.name,
    )


def _count(facts: dict[str, Any], name: str) -> int:
    found = facts.get(name)
    return found if isinstance(found, int) and 0 < found < 2**63 else 0
