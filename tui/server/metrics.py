"""Figures in Prometheus's text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

from tui import __version__
from tui.server.services import Services


def metrics_text(services: Services) -> str:
    """What is loaded and what was done, one line a figure."""
    totals = services.log.totals()
    loaded = services.workbench.loaded()
    lines = [
        _head("lmdeck_info", "gauge", "Version of lmdeck."),
        f'lmdeck_info{{version="{_escaped(__version__)}"}} 1',
        _head("lmdeck_requests_total", "counter", "Requests that came in since the program began."),
        f"lmdeck_requests_total {totals.requests}",
        _head("lmdeck_requests_failed_total", "counter", "Requests that ended in an error."),
        f"lmdeck_requests_failed_total {totals.failed}",
        _head("lmdeck_requests_running", "gauge", "Requests that are being answered."),
        f"lmdeck_requests_running {services.log.running()}",
        _head("lmdeck_prompt_tokens_total", "counter", "Prompt tokens of answered requests."),
        f"lmdeck_prompt_tokens_total {totals.prompt_tokens}",
        _head("lmdeck_cached_prompt_tokens_total", "counter", "Prompt tokens that came from the cache."),
        f"lmdeck_cached_prompt_tokens_total {totals.cached_prompt_tokens}",
        _head("lmdeck_generated_tokens_total", "counter", "Tokens that models generated."),
        f"lmdeck_generated_tokens_total {totals.generated_tokens}",
        _head("lmdeck_request_seconds_total", "counter", "Time spent on ended requests."),
        f"lmdeck_request_seconds_total {totals.seconds:.3f}",
        _head("lmdeck_model_loaded", "gauge", "Models in memory."),
        *(f'lmdeck_model_loaded{{model="{_escaped(model.key)}"}} 1' for model in loaded),
        _head("lmdeck_model_memory_bytes", "gauge", "Memory that a model takes."),
        *(f'lmdeck_model_memory_bytes{{model="{_escaped(model.key)}"}} {model.memory_bytes}' for model in loaded),
        _head("lmdeck_model_running", "gauge", "Answers that a model works on or that wait for it."),
        *(f'lmdeck_model_running{{model="{_escaped(model.key)}"}} {model.running}' for model in loaded),
    ]
    return "\n".join(lines) + "\n"


def _head(name: str, kind: str, words: str) -> str:
    return f"# HELP {name} {words}\n# TYPE {name} {kind}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
