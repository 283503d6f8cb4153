"""Guesses for models whose memory cannot be cut at will: what is wrong is taken back, exactly, or not tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.engines import info_of, loaded
from tests.support.memory_models import MemoryKind, make_memory_model
from tests.support.mtp_models import make_hybrid_mtp_model
from tests.support.oracle import Oracle, consult
from tests.support.table_driver import TableDriver, driven
from tests.support.talk import talk, talk_config, words
from tui.domain import BadRequest
from tui.engine import Engine, LogRing
from tui.engine.batch import Share
from tui.engine.cells import UNLIMITED, Drafting
from tui.engine.pace import Pace
from tui.engine.plan import Planner
from tui.engine.sequences import Sequence

KINDS: tuple[MemoryKind, ...] = ("hybrid", "window", "hybrid window")


@pytest.fixture(scope="module")
def model_paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    kinds: tuple[MemoryKind, ...] = ("recurrent", *KINDS)
    paths = {kind: make_memory_model(folder / f"{kind}.gguf", kind) for kind in kinds}
    return {**paths, "delta net": make_hybrid_mtp_model(folder / "delta.gguf")}


@pytest.mark.parametrize("error", [2, 5, 1000])
@pytest.mark.parametrize("kind", [*KINDS, "delta net"])
def test_answers_are_the_same_with_and_without_guesses(
    model_paths: dict[str, Path], kind: str, error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loaded(model_paths[kind], talk_config("off")) as model:
        expected, known = talk(model)
    consult(monkeypatch, Oracle(known, error, longest=6))
    with loaded(model_paths[kind], talk_config("ngram")) as model:
        answers, _ = talk(model)
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
    with loaded(model_paths[kind], talk_config("off", unified_kv_cache=False, context_length=3072)) as model:
        expected, known = talk(model)
    consult(monkeypatch, Oracle(known, 3, longest=6))
    with loaded(model_paths[kind], talk_config("ngram", unified_kv_cache=False, context_length=3072)) as model:
        answers, _ = talk(model)
    assert [answer.data for answer in answers] == [answer.data for answer in expected]
    assert sum(answer.stats.draft_tokens_accepted for answer in answers) > 0


class Uneven:
    """Guesses wrongly, for one sequence more than for the others."""

    def propose(self, running: list[tuple[int, list[int]]]) -> list[list[int]]:
        return [words(4 if number == 1 else 2, 99) for number, _ in running]


@pytest.mark.parametrize("kind", ["hybrid", "hybrid window", "delta net"])
def test_states_that_change_places_are_taken_back_right(model_paths: dict[str, Path], kind: str) -> None:
    # llama.cpp gives each sequence a place for its state, in the order in which they come, and computes sequences
    # with as many tokens together. That moves states that lie between theirs, but not the versions to go back to.
    with driven(model_paths[kind], speculation="ngram", draft_max_tokens=4) as driver:
        sequences = [read_all_but_one(driver, words(30, number)) for number in range(3)]
        assert [sequence.number for sequence in sequences] == [0, 1, 2]
        running = [sequences[1], sequences[0], sequences[2]]
        opened, table = driver._opened, driver.table
        planner = Planner(table, Pace(512), Uneven(), None, capacity=512, context_length=1024)  # type: ignore[arg-type]
        shares = planner.shares(running)
        assert sum(len(share.draft) for share in shares) > 0
        assert driver._batch.decode(opened.context, shares) == 0
        for share in shares:
            share.sequence.tokens.append(share.sequence.task.history[29])  # type: ignore[union-attr]
            if share.draft:
                table.roll_back(share.sequence, 30)
            share.sequence.task.history.append(7)  # type: ignore[union-attr]
        said = [driver.generate(sequence, 4) for sequence in sequences]
        assert said == [driver.fresh([*words(30, number), 7]) for number in range(3)]


@pytest.mark.parametrize("kind", ["hybrid", "delta net", "window"])
def test_a_step_that_was_stopped_leaves_no_wrong_state(model_paths: dict[str, Path], kind: str) -> None:
    with driven(model_paths[kind], speculation="ngram", draft_max_tokens=4) as driver:
        one = read_all_but_one(driver, words(30, 1))
        idle = driver.answer(words(12, 5)).history  # lies between the others, which are to be computed together
        two = read_all_but_one(driver, words(30, 2))
        driver._opened.abort_flag[0] = b"x"
        assert driver._batch.decode(driver._opened.context, [Share(s, 1, 1) for s in (one, two)]) == 2
        driver._opened.abort_flag[0] = b"\0"
        driver.table.broke_off([one, two])
        said = [driver.generate(one, 4), driver.generate(two, 4)]
        follower = driver.answer([*idle, 9])
        assert said == [driver.fresh(words(30, 1)), driver.fresh(words(30, 2))]
        assert follower.tokens == driver.fresh([*idle, 9])


def test_what_steps_with_guesses_must_be_like(model_paths: dict[str, Path]) -> None:
    found = {}
    for kind in ("hybrid", "window"):
        with driven(model_paths[kind], speculation="ngram", draft_max_tokens=4, physical_batch_size=64) as driver:
            found[kind] = driver.table.drafting
    assert found["hybrid"] == Drafting(4, 64, even=True)
    assert found["window"] == Drafting(UNLIMITED, 64)
    with driven(model_paths["hybrid"], speculation="ngram", physical_batch_size=5, unified_kv_cache=False) as driver:
        assert driver.table.drafting == Drafting(3, 5, even=True, alone=True), "a piece has no room for more"


@pytest.mark.parametrize(("kind", "changes"), [("recurrent", {}), ("hybrid", {"physical_batch_size": 2})])
def test_what_cannot_be_taken_back_is_refused(
    tmp_path: Path, model_paths: dict[str, Path], kind: str, changes: dict[str, int]
) -> None:
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    with pytest.raises(BadRequest) as refusal:
        engine.load(info_of(model_paths[kind]), talk_config("ngram", **changes))
    assert refusal.value.field == "load.speculation"
    assert engine.loaded() == ()
    engine.close()


def test_the_estimate_counts_what_can_be_taken_back(tmp_path: Path, model_paths: dict[str, Path]) -> None:
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    info = info_of(model_paths["delta net"])
    plain, guessing = (engine.estimate(info, talk_config(kind)).devices[0] for kind in ("off", "ngram"))
    # Two layers with a running state of 4 heads of 32 x 32 and a convolution of 3 x 384 values, for 3 sequences.
    version = 4 * 2 * 3 * (4 * 32 * 32 + 3 * 384)
    assert guessing.kv_cache - plain.kv_cache == 6 * version
    engine.close()


def read_all_but_one(driver: TableDriver, prompt: list[int]) -> Sequence:
    """A sequence that has read all of the prompt but its last token."""
    sequence = driver.start(driver.task(prompt))
    while len(sequence.tokens) < len(prompt) - 1:
        driver.chunk = len(prompt) - 1 - len(sequence.tokens)
        driver.step(sequence)
    driver.chunk = 512
    return sequence
