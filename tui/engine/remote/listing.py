"""Which models a remote engine has."""

from __future__ import annotations

import asyncio
import json

import httpx

from tui.domain import LmdeckError, ModelInfo, RemoteEndpoint
from tui.engine.remote.connection import Patience, open_client, read_body, run_alone
from tui.engine.remote.facts import remote_model
from tui.engine.remote.failures import broken_off, not_an_answer, parse_complaint, refusal, silent, unreachable

PATIENCE = 5.0
"""Seconds for the whole list. A list that takes longer is of no use to somebody who looks for a model."""

# Longer lists are cut: hosts of hosts have some hundred models.
_MOST_MODELS = 5_000
_LONGEST_ID = 300


def list_models(endpoint: RemoteEndpoint, patience: float = PATIENCE) -> tuple[ModelInfo, ...]:
    """The models of an endpoint, by key. Blocks up to `patience` seconds; raises LmdeckError."""
    return run_alone(_list_models(endpoint, patience))


async def _list_models(endpoint: RemoteEndpoint, patience: float) -> tuple[ModelInfo, ...]:
    try:
        async with asyncio.timeout(patience):
            return await _ask(endpoint, patience)
    except LmdeckError:
        raise
    except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout) as problem:
        raise silent(endpoint, patience) from problem
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as problem:
        raise broken_off(endpoint, begun=False) from problem
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as problem:
        raise unreachable(endpoint, problem) from problem


async def _ask(endpoint: RemoteEndpoint, patience: float) -> tuple[ModelInfo, ...]:
    async with open_client(endpoint, Patience(connect=patience, silence=patience)) as client:
        async with client.stream("GET", f"{endpoint.url}/models") as response:
            body = await read_body(response)
        if not response.is_success:
            raise refusal(endpoint, response.status_code, parse_complaint(body), response.headers)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    entries = value.get("data") if isinstance(value, dict) else value
    if not isinstance(entries, list):
        raise not_an_answer(endpoint, body[:400].decode("utf-8", "replace"), begun=False)
    models: dict[str, ModelInfo] = {}
    for entry in entries[:_MOST_MODELS]:
        model_id = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(model_id, str) and 0 < len(model_id) <= _LONGEST_ID and model_id.isprintable():
            models.setdefault(model_id, remote_model(endpoint, model_id, entry))
    return tuple(sorted(models.values(), key=lambda model: model.key))
