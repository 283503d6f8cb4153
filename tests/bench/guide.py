"""The guide on its held-out sets, and how fast it speaks.

The sets are those of `tui.builtin.training.checking`; every request goes through lmdeck's server.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench.report import Report, in_turn, median_ratio
from tui.builtin.training.checking import check_model
from tui.domain import LoadConfig, ModelInfo, SamplingConfig
from tui.engine import Engine, LoadedModel, LogRing

GUIDE = Path(__file__).parents[2] / "tui" / "builtin" / "guide.gguf"
GENERATED_TOKENS = 128


def tokens_per_second(model: LoadedModel, sampling: SamplingConfig) -> float:
    """The speed of one answer."""
    task = model.submit(list(range(300, 332)), sampling)
    while (delivery := task.mailbox.take()) is None or delivery.stats is None:
        pass
    return delivery.stats.generation_speed


def measure(rounds: int) -> Report:
    report = check_model(GUIDE)
    greedy = SamplingConfig(
        temperature=0.0, repeat_penalty=1.0, max_tokens=GENERATED_TOKENS, ignore_end_of_generation=True
    )
    usual = SamplingConfig(max_tokens=GENERATED_TOKENS, ignore_end_of_generation=True)
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as folder:
        engine = Engine(Path(folder) / "verdicts.json", LogRing())
        info = ModelInfo(key="guide", path=GUIDE, size=GUIDE.stat().st_size)
        model = engine.load(info, LoadConfig(context_length=2048, parallel=1))
        contestants = {
            "usual": lambda: tokens_per_second(model, usual),
            "greedy": lambda: tokens_per_second(model, greedy),
        }
        in_turn(1, contestants)
        results = in_turn(rounds, contestants)
        engine.close()
    figures = {
        **report.figures,
        "sampling_cost_ratio": median_ratio(results["usual"], results["greedy"]),
    }
    return Report("guide", figures, "greedy sampling of the same model in the same process (for the speed)")
