"""The bench in the program: what it tries, what it takes for better, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.engines import info_of
from tests.support.model_maker import make_tiny_model
from tui.domain import Cancelled, GenerationStats, LmdeckError, LoadConfig, ModelWillNotFit
from tui.engine import Bench, BenchOutcome, BenchTrial, Delivery, Engine, LoadedModel, LogRing, bench_rows

Speed = Callable[[LoadConfig], tuple[float, float]]


@dataclass
class FakeMachine:
    """Loads models that answer at a speed which their configuration decides."""

    speed: Speed
    loaded: list[LoadConfig] = field(default_factory=list)
    present: int = 0
    rounds: Iterator[float] | None = None
    """Speeds of the single answers, in place of those that the configuration decides."""

    def load(self, config: LoadConfig) -> LoadedModel:
        self.loaded.append(config)
        generation, prompt = self.speed(config)
        self.present += 1
        rounds = self.rounds

        class Mailbox:
            def take(self, _wait: float) -> Delivery:
                speed = generation if rounds is None else next(rounds)
                stats = GenerationStats(generation_speed=speed, prompt_speed=prompt)
                return cast(Delivery, type("Said", (), {"stats": stats, "error": None})())

        class Vocabulary:
            def tokenize(self, text: str, *, parse_special: bool) -> list[int]:
                return [] if parse_special else list(text.encode())

        class Model:
            vocabulary = Vocabulary()

            def submit(self, tokens: list[int], _sampling: Any) -> Any:
                assert tokens
                return type("Task", (), {"mailbox": Mailbox(), "cancel": lambda _self: None})()

        return cast(LoadedModel, Model())

    def unload(self, _model: LoadedModel) -> None:
        self.present -= 1

    def bench(self, config: LoadConfig) -> tuple[LoadConfig, list[BenchOutcome]]:
        seen: list[BenchOutcome] = []
        result = Bench(self.load, self.unload, config).run(seen.append, lambda: False)
        assert self.present == 0
        assert list(result.outcomes) == seen
        return result.best, seen


def test_each_parameter_is_tried_on_top_of_the_best_so_far() -> None:
    def speed(config: LoadConfig) -> tuple[float, float]:
        return (50.0 if config.flash_attention == "off" else 20.0, float(config.physical_batch_size))

    machine = FakeMachine(speed)
    best, seen = machine.bench(LoadConfig(threads=1, speculation="ngram"))
    assert (best.flash_attention, best.physical_batch_size) == ("off", 1024)
    assert best.speculation == "ngram", "what is not tried stays"
    assert all(config.speculation == "off" and config.parallel == 1 for config in machine.loaded)
    batches = [one for one in seen if one.trial.group == "Physical batch"]
    assert all(one.trial.config.flash_attention == "off" for one in batches)
    assert [one.speed for one in batches] == [512.0, 128.0, 256.0, 1024.0]


def test_a_small_gain_is_noise_and_precision_is_for_people_to_give_up() -> None:
    def speed(config: LoadConfig) -> tuple[float, float]:
        return (20.0 + (config.flash_attention == "off") * 0.5 + (config.key_cache_type != "f16") * 100, 100.0)

    start = LoadConfig(threads=1)
    best, seen = FakeMachine(speed).bench(start)
    assert best == start
    assert max(one.generation for one in seen) > 100


def test_rounds_that_overlap_decide_nothing() -> None:
    speeds = iter([1.0, 10.0, 20.0, 30.0] + [1.0, 25.0, 28.0, 40.0] + [5.0] * 200)

    def speed(config: LoadConfig) -> tuple[float, float]:
        assert config
        return (0.0, 0.0)

    machine = FakeMachine(speed)
    machine.rounds = speeds
    best, seen = machine.bench(LoadConfig(threads=1, flash_attention="off"))
    assert [one.generation for one in seen[:2]] == [20.0, 28.0]
    assert (seen[0].fastest, seen[1].slowest) == (30.0, 25.0)
    assert best.threads == 1


def test_what_cannot_be_loaded_is_said_and_the_others_go_on() -> None:
    def speed(config: LoadConfig) -> tuple[float, float]:
        if config.physical_batch_size > 512:
            raise ModelWillNotFit("It needs more.")
        return (20.0, float(config.physical_batch_size))

    best, seen = FakeMachine(speed).bench(LoadConfig())
    assert best.physical_batch_size == 512
    assert [one.trial.label for one in seen if one.problem] == ["1024"]


def test_where_nothing_can_be_measured_the_reason_is_said() -> None:
    def speed(_config: LoadConfig) -> tuple[float, float]:
        raise ModelWillNotFit("It needs more.")

    with pytest.raises(LmdeckError, match="It needs more"):
        FakeMachine(speed).bench(LoadConfig())


def test_it_can_be_stopped() -> None:
    machine = FakeMachine(lambda _: (1.0, 1.0))
    stop = iter([False, False, False, True])
    with pytest.raises(Cancelled):
        Bench(machine.load, machine.unload, LoadConfig()).run(lambda _: None, lambda: next(stop))
    assert machine.present == 0


def test_rows_compare_bars_within_their_parameter() -> None:
    trials = [BenchTrial("Threads", "2", LoadConfig()), BenchTrial("Threads", "4", LoadConfig())]
    cache = BenchTrial("Cache", "q8_0", LoadConfig(), adoptable=False)
    rows = bench_rows(
        [BenchOutcome(trials[0], 10.0), BenchOutcome(trials[1], 20.0), BenchOutcome(cache, problem="It needs more.")]
    )
    assert rows[0] == "Threads (tokens per second, generating)"
    assert [row.count("█") for row in rows[1:3]] == [12, 24]
    assert "20.0" in rows[2]
    assert "costs precision" in rows[3]
    assert "It needs more." in rows[4]


def test_a_real_model_is_measured(tmp_path: Path) -> None:
    path = make_tiny_model(tmp_path / "m.gguf", embedding=128)
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    try:
        bench = Bench(
            lambda config: engine.load(info_of(path), config),
            lambda model: engine.unload(model.key),
            LoadConfig(threads=1, flash_attention="off"),
            rounds=1,
            longest=2048,
        )
        seen: list[BenchOutcome] = []
        result = bench.run(seen.append, lambda: False)
    finally:
        engine.close()
    assert {one.trial.group for one in seen} >= {"Flash attention", "Physical batch", "Cache types (K/V)"}
    assert all(one.generation > 0 and one.prompt > 0 for one in seen if not one.problem)
    assert not [one for one in seen if one.problem]
    assert result.outcomes == tuple(seen)
