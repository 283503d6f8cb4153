"""Tokens per second with prompt look-up over those without, on text that repeats itself and on text that does not."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from tests.bench.models import make_bench_model
from tests.bench.report import Report, in_turn, median, median_ratio
from tests.support.model_maker import make_scripted_model
from tests.support.scripts import long_script
from tui.domain import Constraint, GenerationStats, LoadConfig, ModelInfo, SamplingConfig
from tui.engine import Engine, LoadedModel, LogRing

TOKENS = 160
CONFIG = LoadConfig(context_length=8192, parallel=1)
GREEDY = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=TOKENS)
ROW = "| name | value | unit |\n| speed | fast | words per second |\n"
# Six letters by chance: every run of them was said before and went on differently, so that look-up misleads.
LETTERS = Constraint("regex", "[abcdef]+")
CHANCE = SamplingConfig(
    temperature=1.5,
    top_k=0,
    top_p=1.0,
    min_p=0.0,
    repeat_penalty=1.0,
    max_tokens=TOKENS,
    ignore_end_of_generation=True,
)


@dataclass
class Speaker:
    """One model with or without look-up, and the figures of its answers."""

    model: LoadedModel
    constraint: Constraint | None
    seeds: Iterator[int] = field(default_factory=count)
    stats: list[GenerationStats] = field(default_factory=list)

    def __call__(self) -> float:
        """Tokens per second of one answer."""
        sampling = replace(CHANCE, seed=next(self.seeds)) if self.constraint else GREEDY
        task = self.model.submit([65, 66, 10], sampling, constraint=self.constraint)
        while (delivery := task.mailbox.take()) is None or delivery.stats is None:
            pass
        if delivery.stats.generated_tokens < TOKENS // 2:
            raise RuntimeError("the answer was too short to be measured")
        self.stats.append(delivery.stats)
        return delivery.stats.generation_speed


def compare(engine: Engine, path: Path, name: str, rounds: int, constraint: Constraint | None) -> dict[str, float]:
    """The figures for one kind of text."""
    speakers = {}
    for speculation in ("off", "ngram"):
        info = ModelInfo(key=f"{name} {speculation}", path=path, size=path.stat().st_size)
        model = engine.load(info, replace(CONFIG, speculation=speculation))  # type: ignore[arg-type]
        speakers[speculation] = Speaker(model, constraint)
    in_turn(1, speakers)
    results = in_turn(rounds, speakers)
    stats = speakers["ngram"].stats
    offered = sum(entry.draft_tokens_offered for entry in stats)
    accepted = sum(entry.draft_tokens_accepted for entry in stats)
    for speaker in speakers.values():
        engine.unload(speaker.model.key)
    return {
        f"{name}_ratio": median_ratio(results["ngram"], results["off"]),
        f"{name}_tokens_per_second": median(results["ngram"]),
        f"{name}_plain_tokens_per_second": median(results["off"]),
        f"{name}_acceptance": accepted / offered if offered else 0.0,
        f"{name}_offered_per_answer": offered / len(stats),
    }


def measure(rounds: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="lmdeck-bench-") as name:
        folder = Path(name)
        # As large as the engine's bench model, so that a step costs what one costs there.
        repetitive = make_scripted_model(
            folder / "repetitive.gguf", ROW, loop=True, layers=24, feed_forward=4096, extra_tokens=100_000,
            quantization="q8_0", context_length=8192,
        )  # fmt: skip
        plain = make_scripted_model(
            folder / "random.gguf", long_script(400), layers=24, feed_forward=4096, extra_tokens=100_000,
            quantization="q8_0", context_length=8192,
        )  # fmt: skip
        chance = make_bench_model(folder / "chance.gguf", context_length=8192, extra_tokens=100_000)
        engine = Engine(folder / "verdicts.json", LogRing())
        figures = (
            compare(engine, repetitive, "repetitive", rounds, None)
            | compare(engine, plain, "unique", rounds, None)
            | compare(engine, chance, "random", rounds, LETTERS)
        )
        engine.close()
    return Report("speculation", figures, "the same model, prompt and answer without speculation, in turn")
