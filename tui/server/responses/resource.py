"""The response object: what was asked, and what became of it."""

from __future__ import annotations

import time
from typing import Any

from tui.domain import GenerationRequest, GenerationStats, LmdeckError
from tui.server.dialects import status_of, told
from tui.server.responses.identifiers import new_id
from tui.server.responses.request import ResponsesRequest

Response = dict[str, Any]
"""A response as it is on the wire and in the store."""


def new_response(wire: ResponsesRequest, request: GenerationRequest, model: str) -> Response:
    """The response before anything of it is there."""
    text, reasoning = wire.text, wire.reasoning
    return {
        "id": new_id("resp"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "queued" if wire.background else "in_progress",
        "background": bool(wire.background),
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": wire.instructions,
        "max_output_tokens": wire.max_output_tokens,
        "max_tool_calls": wire.max_tool_calls,
        "metadata": wire.metadata or {},
        "model": model,
        "output": [],
        "parallel_tool_calls": wire.parallel_tool_calls is not False,
        "previous_response_id": wire.previous_response_id,
        "prompt_cache_key": wire.prompt_cache_key,
        "prompt_cache_retention": wire.prompt_cache_retention,
        "reasoning": {
            "effort": reasoning.effort if reasoning is not None else None,
            "summary": reasoning.summary if reasoning is not None else None,
        },
        "safety_identifier": wire.safety_identifier,
        # The one tier that there is, whichever was asked for.
        "service_tier": "default",
        "store": wire.stored,
        "temperature": request.sampling.temperature,
        "text": {
            "format": text.format.echoed() if text is not None else {"type": "text"},
            "verbosity": (text.verbosity if text is not None else None) or "medium",
        },
        "tool_choice": wire.tool_choice or "auto",
        "tools": [tool.echoed() for tool in wire.tools or ()],
        "top_logprobs": wire.top_logprobs or 0,
        "top_p": request.sampling.top_p,
        "truncation": wire.truncation or "disabled",
        "usage": None,
        "user": wire.user,
    }


def usage(stats: GenerationStats) -> dict[str, Any]:
    """What it cost in tokens."""
    return {
        "input_tokens": stats.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": stats.cached_prompt_tokens,
            # Every token that is read stays in the cache.
            "cache_write_tokens": stats.prompt_tokens - stats.cached_prompt_tokens,
        },
        "output_tokens": stats.generated_tokens,
        "output_tokens_details": {"reasoning_tokens": stats.reasoning_tokens},
        "total_tokens": stats.prompt_tokens + stats.generated_tokens,
    }


def error_of(problem: LmdeckError) -> dict[str, str]:
    """An error inside a response; its codes are OpenAI's, of which two fit."""
    return {"code": "server_error" if status_of(problem) >= 500 else "invalid_prompt", "message": told(problem)}
