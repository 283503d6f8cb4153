"""The estimate before loading against what llama.cpp reports after it, for twenty sets of parameters on each of
three model shapes: dense, sliding windows, experts.

The estimate comes from a child process that allocates nothing; the baseline is llama.cpp's own breakdown of the buffers
that the loaded model and its context really have, once they have read as long a prompt as one call takes.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from tests.bench.report import Report, median
from tests.support.engines import info_of
from tests.support.expert_models import make_expert_model
from tests.support.memory_models import make_memory_model
from tests.support.model_maker import make_tiny_model
from tui.domain import CacheType, LoadConfig, MemoryEstimate
from tui.engine import Engine, LogRing
from tui.engine.breakdown import measured_memory
from tui.engine.library import load_llama
from tui.engine.loading import OpenModel, open_model

COMBINATIONS = 20
CONTEXT_LENGTHS = (512, 1024, 3000, 4096, 8192, 16_384)
BATCHES = ((2048, 512), (512, 512), (512, 128), (1024, 256), (64, 64), (4096, 1024))
PARALLEL = (1, 2, 4, 8, 16)
PURPOSES = ("weights", "kv_cache", "compute")


def combinations(cache_types: tuple[CacheType, ...], seed: int) -> Iterator[LoadConfig]:
    """Parameters drawn so that each context length, batch and cache type comes up."""
    chance = random.Random(seed)
    for number in range(COMBINATIONS):
        evaluation, physical = BATCHES[number % len(BATCHES)]
        key, value = (chance.choice(cache_types) for _ in range(2))
        yield LoadConfig(
            context_length=CONTEXT_LENGTHS[number * 5 % len(CONTEXT_LENGTHS)],
            parallel=chance.choice(PARALLEL),
            unified_kv_cache=number % 4 != 3,
            evaluation_batch_size=evaluation,
            physical_batch_size=physical,
            key_cache_type=key,
            value_cache_type=value,
            full_sliding_window_cache=number % 5 == 4,
            flash_attention=chance.choice(("auto", "on")),
            try_mmap=chance.random() < 0.5,
            threads=1,
        )


def read_prompt(opened: OpenModel) -> None:
    """Decode as many tokens as one call takes, so that buffers that grow with use have grown."""
    llama = load_llama()
    count = min(llama.llama_n_batch(opened.context), opened.context_length)
    tokens = (llama.llama_token * count)(*(index % 100 + 10 for index in range(count)))
    if llama.llama_decode(opened.context, llama.llama_batch_get_one(tokens, count)) != 0:
        raise RuntimeError("the prompt could not be read")


def error_percent(estimate: MemoryEstimate, opened: OpenModel) -> float:
    """How far the estimate is off, device by device, in per cent of what llama.cpp has allocated there."""
    found = measured_memory(opened)
    if found is None:
        raise RuntimeError("this build of llama.cpp does not tell what it has allocated")
    wrong = 0.0
    for device in estimate.devices:
        real = sum(found.get(device.device, {}).get(purpose, 0) for purpose in PURPOSES)
        wrong = max(wrong, abs(device.weights + device.kv_cache + device.compute - real) / max(1, real))
    return 100 * wrong


def measure(rounds: int) -> Report:  # noqa: ARG001 - sizes do not vary from round to round
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
        root = Path(folder)
        every = get_args(CacheType)
        dense = make_tiny_model(
            root / "dense.gguf",
            layers=6,
            embedding=256,
            heads=8,
            feed_forward=704,
            context_length=16_384,
            extra_tokens=8000,
            quantization="q8_0",
        )
        window = make_memory_model(root / "window.gguf", "window", context_length=16_384)
        experts = make_expert_model(root / "experts.gguf", layers=6, context_length=16_384)
        # Heads of the window model are too narrow for quantised caches.
        shapes: tuple[tuple[Path, tuple[CacheType, ...]], ...] = (
            (dense, every),
            (window, ("f16", "f32")),
            (experts, every),
        )
        engine = Engine(root / "verdicts.json", LogRing())
        kernels = engine.self_test().kernels
        errors: dict[str, list[float]] = {}
        for seed, (path, cache_types) in enumerate(shapes):
            for config in combinations(cache_types, seed):
                estimate = engine.estimate(info_of(path), config)
                opened = open_model(path, config, kernels)
                read_prompt(opened)
                errors.setdefault(path.stem, []).append(error_percent(estimate, opened))
                opened.close()
        engine.close()
    every_error = [error for found in errors.values() for error in found]
    figures = {
        "max_error_percent": max(every_error),
        "median_error_percent": median(every_error),
        "combinations": float(len(every_error)),
        **{f"{name}_max_error_percent": max(found) for name, found in errors.items()},
    }
    return Report("memory", figures, "llama.cpp's breakdown of the loaded model's buffers")
