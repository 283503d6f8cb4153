"""Guesses for models whose memory cannot be cut at will: what is wrong is taken back, exactly, or not tried."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.engines import Collected, collect, info_of, loaded
from tests.support.memory_models import MemoryKind, make_memory_model
from tests.support.mtp_models import make_hybrid_mtp_model
from tests.support.oracle import Oracle, consult
from tests.support.table_driver import EXACT, TableDriver, driven
from tui.domain import BadRequest, LoadConfig, SamplingConfig
from tui.engine import Engine, LoadedModel, LogRing
from tui.engine.cells import Cells, Drafting

GREEDY = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=60)
KINDS: tuple[MemoryKind, ...] = ("hybrid", "window", "hybrid window")


def words(count: int, seed: float = 0) -> list[int]:
    """Random tokens."""
    return random.Random(seed).choices(range(200), k=count)


@pytest.fixture(scope="module")
def model_paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    kinds: tuple[MemoryKind, ...] = ("recurrent", *KINDS)
    paths = {kind: make_memory_model(folder / f"{kind}.gguf", kind) for kind in kinds}
    return {**paths, "delta net": make_hybrid_mtp_model(folder / "delta.gguf")}


def config(speculation: str, **changes: object) -> LoadConfig:
    # Few cells for windows, so that they are used again and again.
    base = {**EXACT, "context_length": 2048, "physical_batch_size": 32, "parallel": 3, "draft_max_tokens": 6}
    return LoadConfig(**{**base, "speculation": speculation, **changes})  # type: ignore[arg-type]


def conversation(model: LoadedModel) -> tuple[list[Collected], dict[tuple[int, ...], list[int]]]:
    """Answers alone, side by side, to what follows them and to a message that was edited; and what was said."""
    answers, known = [], {}

    def ask(prompts: list[list[int]]) -> list[list[int]]:
        tasks = [model.submit(list(prompt), GREEDY) for prompt in prompts]
        answers.extend(collect(task) for task in tasks)
        known.update({tuple(p): task.history[len(p) :] for p, task in zip(prompts, tasks, strict=True)})
        return [task.history for task in tasks]

    (first,) = ask([words(300)])
    (second,) = ask([[*first, *words(20, 1)]])
    ask([[*first, *words(30, 2)]])
    ask([[*second, *words(9, 3)], words(70, 4), words(150, 5)])
    return answers, known


@pytest.mark.parametrize("error", [2, 5, 1000])
@pytest.mark.parametrize("kind", [*KINDS, "delta net"])
def test_answers_are_the_same_with_and_without_guesses(
    model_paths: dict[str, Path], kind: str, error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loaded(model_paths[kind], config("off")) as model:
        expected, known = conversation(model)
    consult(monkeypatch, Oracle(known, error, longest=6))
    with loaded(model_paths[kind], config("ngram")) as model:
        answers, _ = conversation(model)
        figures = model.cache_figures()
        assert figures is not None
        assert figures.leaked_cells == 0
    assert [answer.data for answer in answers] == [answer.data for answer in expected]
    assert [a.stats.cached_prompt_tokens for a in answers] == [e.stats.cached_prompt_tokens for e in expected]
    offered = sum(answer.stats.draft_tokens_offered for answer in answers)
    accepted = sum(answer.stats.draft_tokens_accepted for answer in answers)
    if error == 1000:
        assert offered >= accepted > 0.9 * offered > 0, "only what was guessed behind an end was in vain"
    else:
        assert 0 < accepted < offered


@pytest.mark.parametrize("kind", [*KINDS, "delta net"])
def test_answers_with_caches_of_their_own(
    model_paths: dict[str, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loaded(model_paths[kind], config("off", unified_kv_cache=False, context_length=3072)) as model:
        expected, known = conversation(model)
    consult(monkeypatch, Oracle(known, 3, longest=6))
    with loaded(model_paths[kind], config("ngram", unified_kv_cache=False, context_length=3072)) as model:
        answers, _ = conversation(model)
    assert [answer.data for answer in answers] == [answer.data for answer in expected]
    assert sum(answer.stats.draft_tokens_accepted for answer in answers) > 0
