"""How long a running answer halts while somebody else's long prompt is read.

The worst and the usual time between two tokens of the answer, and what the prompt took, beside the time that the
same prompt takes alone.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from pathlib import Path

from tests.bench.engine import noted_times
from tests.bench.models import make_bench_model
from tests.bench.report import Report, median
from tui.domain import LoadConfig, ModelInfo, SamplingConfig
from tui.engine import Engine, GenerationTask, LoadedModel, LogRing

PROMPT_TOKENS = 4000
CONTEXT_LENGTH = 16384
ENDLESS = SamplingConfig(temperature=0.0, repeat_penalty=1.0, ignore_end_of_generation=True)
ONE_TOKEN = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=1)
WARM_UP_TOKENS = 40


def wait(task: GenerationTask) -> None:
    while (delivery := task.mailbox.take()) is None or delivery.stats is None:
        pass


def fresh_prompt(salt: int) -> list[int]:
    return [1000 + salt, *((salt * 31 + index * 17) % 50_000 + 2000 for index in range(PROMPT_TOKENS - 1))]


def gaps_of(moments: list[float], begin: float, end: float) -> list[float]:
    """Times between tokens, seconds, that overlap with the given time."""
    return [later - earlier for earlier, later in itertools.pairwise(moments) if later > begin and earlier < end]


def one_round(model: LoadedModel, salt: int) -> dict[str, float]:
    started = time.perf_counter()
    wait(model.submit(fresh_prompt(salt), ONE_TOKEN))
    alone = time.perf_counter() - started

    running = model.submit([100, 101, 102, salt + 200], ENDLESS)
    moments = noted_times(running)
    while len(moments) < WARM_UP_TOKENS:
        time.sleep(0.01)
    begin = time.perf_counter()
    wait(model.submit(fresh_prompt(salt + 1), ONE_TOKEN))
    end = time.perf_counter()
    after = len(moments)
    while len(moments) < after + WARM_UP_TOKENS:
        time.sleep(0.01)
    running.cancel()
    wait(running)
    quiet = gaps_of(moments, moments[0], begin) + gaps_of(moments, end, moments[-1])
    busy = gaps_of(moments, begin, end)
    return {
        "worst_gap_ms": max(busy) * 1000,
        "median_gap_ms": median(quiet) * 1000,
        "worst_quiet_gap_ms": max(quiet) * 1000,
        "median_gap_while_reading_ms": median(busy) * 1000,
        "gap_ratio": max(busy) / median(quiet),
        "prompt_seconds": end - begin,
        "prompt_alone_seconds": alone,
    }


def measure(rounds: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
        path = make_bench_model(Path(folder) / "bench.gguf", context_length=CONTEXT_LENGTH)
        engine = Engine(Path(folder) / "verdicts.json", LogRing())
        config = LoadConfig(context_length=CONTEXT_LENGTH, parallel=2)
        model = engine.load(ModelInfo(key="bench", path=path, size=path.stat().st_size), config)
        results = [one_round(model, salt=10 * number) for number in range(rounds)]
        engine.close()
    figures = {name: median([result[name] for result in results]) for name in results[0]}
    return Report("gap", figures, "the same answer before and after the prompt, and the same prompt alone")
