"""Extra heads that guess: right where they know, harmless where they do not, refused where they are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.engines import collect, info_of, loaded
from tests.support.model_maker import make_tiny_model
from tests.support.mtp_models import make_hybrid_mtp_model, make_scripted_mtp_model, make_window_mtp_model
from tests.support.oracle import guess_always
from tests.support.talk import GREEDY, talk, talk_config, words
from tui.domain import BadRequest, LoadConfig
from tui.engine import Engine, LogRing
from tui.engine.batch import Share
from tui.engine.breakdown import measured_memory
from tui.engine.loading import Kernels, open_model
from tui.engine.sequence import Sequence
from tui.engine.speculation.head import Head
from tui.engine.speculation.mtp import MtpDrafter

SCRIPT = "We say one two three four, and then we go on to five, six and seven. "
PLAIN = LoadConfig(threads=1, context_length=512, speculation="mtp")


@pytest.fixture(scope="module")
def model_paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "knows": make_scripted_mtp_model(folder / "knows.gguf", SCRIPT),
        "chain knows": make_scripted_mtp_model(folder / "chain-knows.gguf", SCRIPT, heads=3),
        "window": make_window_mtp_model(folder / "window.gguf"),
        "chain": make_window_mtp_model(folder / "chain.gguf", heads=2),
        "hybrid": make_hybrid_mtp_model(folder / "hybrid.gguf"),
    }


@pytest.mark.parametrize("kind", ["knows", "chain knows"])
@pytest.mark.parametrize("changes", [{}, {"full_sliding_window_cache": True}, {"physical_batch_size": 4}], ids=str)
def test_heads_that_know_the_text_are_right(
    model_paths: dict[str, Path], kind: str, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    guess_always(monkeypatch)
    with loaded(model_paths[kind], LoadConfig(threads=1, context_length=512, speculation="mtp", **changes)) as model:
        answers = [collect(model.submit(words(150, seed), GREEDY)) for seed in range(2)]
    for answer in answers:
        assert answer.text.startswith(SCRIPT + SCRIPT)
        offered, accepted = answer.stats.draft_tokens_offered, answer.stats.draft_tokens_accepted
        assert accepted >= 60 * 0.7, "steps give a right token at least for each head"
        assert offered - accepted <= 8, "only what was guessed behind the end was in vain"


def test_heads_go_on_where_the_cache_spared_the_model_the_reading(
    model_paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    guess_always(monkeypatch)
    with loaded(model_paths["chain knows"], PLAIN) as model:
        first = model.submit(words(200), GREEDY)
        answers = [collect(first)]
        # The same sequence goes on, then another one takes over a copy of the beginning.
        answers.append(collect(model.submit([*first.history, *words(8, 1)], GREEDY)))
        answers.append(collect(model.submit([*words(200), *words(8, 2)], GREEDY)))
        assert [answer.stats.cached_prompt_tokens for answer in answers] == [0, 259, 200]
        drafter = model._worker._runner._speculator._drafter  # type: ignore[union-attr]
        assert max(trail.cells for trail in drafter._trails.values()) > 300, "nothing was forgotten between the turns"  # type: ignore[attr-defined]
    for answer in answers:
        assert answer.stats.draft_tokens_accepted >= 60 * 0.7


@pytest.mark.parametrize("kind", ["window", "chain", "hybrid"])
def test_answers_are_the_same_with_heads_that_know_nothing(
    model_paths: dict[str, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loaded(model_paths[kind], talk_config("off")) as model:
        expected, _ = talk(model)
    guess_always(monkeypatch)
    with loaded(model_paths[kind], talk_config("mtp")) as model:
        answers, _ = talk(model)
        figures = model.cache_figures()
    assert [answer.data for answer in answers] == [answer.data for answer in expected]
    assert sum(answer.stats.draft_tokens_offered for answer in answers) > 100
    assert figures is not None
    assert figures.leaked_cells == 0


def test_guesses_are_left_alone_where_they_do_not_pay(model_paths: dict[str, Path]) -> None:
    with loaded(model_paths["window"], PLAIN) as model:
        answer = collect(model.submit(words(100), replace(GREEDY, max_tokens=250)))
    assert 0 < answer.stats.draft_tokens_offered < 150


@pytest.mark.parametrize("fault", ["full", "fails"])
def test_heads_that_fail_do_no_harm(model_paths: dict[str, Path], fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def config(speculation: str) -> LoadConfig:
        # With whole windows, there are many sequences, and the heads hold the idle ones that the model has parked.
        return talk_config(speculation, context_length=256, parallel=2, full_sliding_window_cache=True)

    prompts = [words(90, seed) for seed in range(4)]
    with loaded(model_paths["chain"], config("off")) as model:
        expected = [collect(model.submit(list(prompt), GREEDY)).data for prompt in prompts]
    guess_always(monkeypatch)
    if fault == "full":  # and nobody notices beforehand
        monkeypatch.setattr("tui.engine.speculation.trail.Trail.cells", 0)
    else:
        compute, calls = Head._compute, iter(range(10_000))
        monkeypatch.setattr(Head, "_compute", lambda *a, **k: next(calls) % 5 != 4 and compute(*a, **k))
    with loaded(model_paths["chain"], config("mtp")) as model:
        tasks = [model.submit(list(prompt), GREEDY) for prompt in prompts]
        answers = [collect(task) for task in tasks]
    assert [answer.data for answer in answers] == expected
    assert sum(answer.stats.draft_tokens_offered for answer in answers) > 0


def test_images_are_left_out(model_paths: dict[str, Path]) -> None:
    opened = open_model(model_paths["knows"], PLAIN, Kernels(extra_buffers=False, gpu=False))
    drafter = MtpDrafter(opened, 0.0)
    chunk: Any = object()
    drafter.computed([Share(Sequence(0), 3, chunk=(0, chunk))])
    assert drafter.draft([(0, [1, 2, 3], 4)]) == [[]]
    drafter.close()
    opened.close()


@pytest.mark.parametrize("kind", ["none", "only said so", "build"])
def test_what_has_no_heads_is_refused(
    tmp_path: Path, model_paths: dict[str, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = model_paths["knows"]
    if kind == "none":
        path = make_tiny_model(tmp_path / "none.gguf")
    elif kind == "only said so":
        path = make_scripted_mtp_model(tmp_path / "empty.gguf", SCRIPT, heads=0, declared=1)
    else:
        monkeypatch.setattr("tui.engine.nextn.nextn_functions", lambda: None)
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    with pytest.raises(BadRequest) as refusal:
        engine.load(info_of(path), PLAIN)
    assert refusal.value.field == "load.speculation"
    assert "MTP" in refusal.value.message
    assert engine.loaded() == ()
    engine.close()


@pytest.mark.parametrize("kind", ["chain", "hybrid"])
def test_the_estimate_counts_the_heads(
    tmp_path: Path, model_paths: dict[str, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    config = talk_config("mtp")
    plain = engine.estimate(info_of(model_paths[kind]), talk_config("off")).needed
    estimate = engine.estimate(info_of(model_paths[kind]), config).needed
    guess_always(monkeypatch)
    model = engine.load(info_of(model_paths[kind]), config)
    assert collect(model.submit(words(300), GREEDY)).stats.draft_tokens_offered > 0
    real = measured_memory(model._worker._opened)
    engine.close()
    assert real is not None
    known = sum(sizes[purpose] for sizes in real.values() for purpose in ("weights", "kv_cache", "compute"))
    assert estimate == pytest.approx(known, rel=0.02)
    assert estimate > plain
