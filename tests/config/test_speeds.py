"""How fast models were: medians by parameters that matter, kept over restarts, whatever the file holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config import Speed, SpeedStore
from tui.domain import GenerationStats, LoadConfig, ModelInfo

MODEL = ModelInfo("m", Path("/m.gguf"), 100)


def stats(speed: float, tokens: int = 50, prompt: float = 0.0) -> GenerationStats:
    return GenerationStats(
        prompt_tokens=200, cached_prompt_tokens=100, generated_tokens=tokens, generation_speed=speed,
        prompt_speed=prompt,
    )  # fmt: skip


def test_the_median_counts_and_outlives_the_process(tmp_path: Path) -> None:
    store = SpeedStore(tmp_path / "speeds.json")
    for speed in (10, 30, 20):
        store.record(MODEL, LoadConfig(threads=4), stats(speed, prompt=100))
    assert store.expected(MODEL, LoadConfig(threads=4)) == Speed(20, 100, 3)
    store.save()
    again = SpeedStore(tmp_path / "speeds.json")
    assert again.expected(MODEL, LoadConfig(threads=4)) == Speed(20, 100, 3)


def test_only_what_bears_on_speed_tells_loads_apart(tmp_path: Path) -> None:
    store = SpeedStore(tmp_path / "speeds.json")
    store.record(MODEL, LoadConfig(threads=4, context_length=4096), stats(10))
    assert store.expected(MODEL, LoadConfig(threads=4, context_length=8192, parallel=1)) is not None
    assert store.expected(MODEL, LoadConfig(threads=2)) is None
    assert store.expected(ModelInfo("m", Path("/m.gguf"), 101), LoadConfig(threads=4)) is None


def test_short_answers_say_nothing(tmp_path: Path) -> None:
    store = SpeedStore(tmp_path / "speeds.json")
    store.record(MODEL, LoadConfig(), stats(1000, tokens=3))
    assert store.expected(MODEL, LoadConfig()) is None
    store.save()
    assert not (tmp_path / "speeds.json").exists()


def test_the_last_answers_count(tmp_path: Path) -> None:
    store = SpeedStore(tmp_path / "speeds.json")
    for speed in [1] * 20 + [50] * 9:
        store.record(MODEL, LoadConfig(), stats(speed))
    assert store.expected(MODEL, LoadConfig()) == Speed(50, 0, 9)


def test_two_processes_keep_each_others_figures(tmp_path: Path) -> None:
    one, other = (SpeedStore(tmp_path / "speeds.json") for _ in range(2))
    one.record(MODEL, LoadConfig(threads=1), stats(10))
    other.record(MODEL, LoadConfig(threads=2), stats(20))
    one.save()
    other.save()
    found = SpeedStore(tmp_path / "speeds.json")
    assert found.expected(MODEL, LoadConfig(threads=1)) == Speed(10, 0, 1)
    assert found.expected(MODEL, LoadConfig(threads=2)) == Speed(20, 0, 1)


@pytest.mark.parametrize("text", ["{", '{"m.gguf:100": 5}', "[]"])
def test_a_damaged_file_begins_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "speeds.json").write_text(text)
    store = SpeedStore(tmp_path / "speeds.json")
    store.record(MODEL, LoadConfig(), stats(10))
    store.save()
    assert SpeedStore(tmp_path / "speeds.json").expected(MODEL, LoadConfig()) == Speed(10, 0, 1)


def test_many_models_do_not_fill_the_disk(tmp_path: Path) -> None:
    store = SpeedStore(tmp_path / "speeds.json")
    models = [ModelInfo("m", Path(f"/{number}.gguf"), 1) for number in range(450)]
    for one in models:
        store.record(one, LoadConfig(), stats(10))
    assert store.expected(models[0], LoadConfig()) is None
    assert store.expected(models[-1], LoadConfig()) is not None
