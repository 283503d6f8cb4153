"""The model that the benchmarks measure with."""

from __future__ import annotations

from pathlib import Path

from tests.support.model_maker import make_tiny_model


def make_bench_model(path: Path, *, context_length: int, extra_tokens: int = 151_000) -> Path:
    """Write a model of about half a billion weights in the shape of Qwen2.5-0.5B, with random weights."""
    return make_tiny_model(
        path,
        layers=24,
        embedding=512,
        heads=8,
        kv_heads=2,
        feed_forward=1408,
        context_length=context_length,
        extra_tokens=extra_tokens,
        quantization="q8_0",
    )
