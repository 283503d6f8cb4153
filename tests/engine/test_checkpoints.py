"""Models whose memory cannot be cut back: what is found again, and that nothing but time depends on it."""

from __future__ import annotations

import random
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.engines import collect, loaded
from tests.support.memory_models import MemoryKind, make_memory_model
from tests.support.table_driver import EXACT, TableDriver, driven
from tui.domain import LoadConfig, SamplingConfig
from tui.engine import checkpoints as points
from tui.engine.checkpoints import Checkpoint

KINDS: tuple[MemoryKind, ...] = ("recurrent", "hybrid", "window", "hybrid window")
KEPT_BACK = points.BEFORE_PROMPT_END


def words(count: int, seed: float = 0) -> list[int]:
    """Random tokens."""
    return random.Random(seed).choices(range(200), k=count)


@pytest.fixture(scope="module")
def model_paths(tmp_path_factory: pytest.TempPathFactory) -> dict[MemoryKind, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {kind: make_memory_model(folder / f"{kind}.gguf", kind) for kind in KINDS}


def driven_with_rollback(path: Path) -> AbstractContextManager[TableDriver]:
    """A driver whose context can take back four tokens of a running state, as drafts need it."""
    return driven(path, speculation="ngram", draft_max_tokens=4)


def fill_window(driver: TableDriver) -> None:
    """Use up the cells of sliding windows, so that nothing old is left there by chance."""
    for seed in range(3):
        driver.answer(words(700, 100 + seed))


@pytest.mark.parametrize("kind", KINDS)
def test_a_next_turn_takes_over_everything(model_paths: dict[MemoryKind, Path], kind: MemoryKind) -> None:
    with driven(model_paths[kind], context_length=2048) as driver:
        first = driver.answer(words(300))
        turn = driver.answer([*first.history, *words(20, 1)])
        assert turn.cached == len(first.history) - 1
        assert turn.miss == ""
        fill_window(driver)  # and parks it
        later = driver.answer([*turn.history, *words(20, 2)])
        assert later.cached == len(turn.history) - 1
        assert turn.tokens == driver.fresh([*first.history, *words(20, 1)])
        assert later.tokens == driver.fresh([*turn.history, *words(20, 2)])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parallel", [1, 3])
def test_messages_that_are_answered_again_or_edited(
    model_paths: dict[MemoryKind, Path], kind: MemoryKind, parallel: int
) -> None:
    with driven(model_paths[kind], context_length=2048, parallel=parallel) as driver:
        first = driver.answer(words(900), 30)
        question = [*first.history, *words(150, 1)]
        asked = driver.answer(question, 100)
        again = driver.answer(question)
        assert again.cached >= len(question) - KEPT_BACK
        edited = driver.answer([*first.history, *words(150, 2)])
        assert edited.cached >= len(first.history) - 1
        # A template that leaves the thoughts out of the history shares the prompt, but for its last tokens.
        without_thoughts = driver.answer([*question[:-4], *words(60, 3)])
        assert without_thoughts.cached == len(question) - KEPT_BACK
        old = driver.answer([*asked.history, 9])
        assert old.cached == len(asked.history) - 1, "the answer that was replaced is still there"
        assert again.tokens == driver.fresh(question)
        assert edited.tokens == driver.fresh([*first.history, *words(150, 2)])
        assert without_thoughts.tokens == driver.fresh([*question[:-4], *words(60, 3)])
        assert old.tokens == driver.fresh([*asked.history, 9])


@pytest.mark.parametrize("kind", KINDS)
def test_choices_share_their_prompt(model_paths: dict[MemoryKind, Path], kind: MemoryKind) -> None:
    prompt = words(400)
    greedy = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=40)
    with loaded(model_paths[kind], LoadConfig(**EXACT, context_length=2048, parallel=4)) as model:
        tasks = [model.submit(list(prompt), greedy) for _ in range(4)]
        answers = [collect(task) for task in tasks]
        read = sorted(answer.stats.prompt_tokens - answer.stats.cached_prompt_tokens for answer in answers)
        assert read == [KEPT_BACK] * 3 + [400]
        assert len({answer.data for answer in answers}) == 1
        # All of them ran to their end side by side: shared window cells did not keep anybody out.
        assert max(task.first_token_at for task in tasks) < min(task.last_token_at for task in tasks)
        assert model._worker._table.figures().leaked_cells == 0


def test_a_fork_is_remembered_for_those_who_come_after(model_paths: dict[MemoryKind, Path]) -> None:
    system = words(500)
    with driven(model_paths["recurrent"]) as driver:
        driver.answer([*system, *words(200, 1)])
        second = driver.answer([*system, *words(200, 2)])
        third = driver.answer([*system, *words(200, 3)])
        assert second.cached == 0
        assert second.miss == "this model's state cannot go back to token 501"
        assert third.cached == 500
        assert third.tokens == driver.fresh([*system, *words(200, 3)])


def test_others_wait_for_the_part_they_share(model_paths: dict[MemoryKind, Path]) -> None:
    system = words(500)
    with driven(model_paths["hybrid"]) as driver:
        driver.chunk = 100
        reader = driver.start(driver.task([*system, *words(300, 1)]))
        driver.step(reader)
        task = driver.task([*system, *words(30, 2)])
        while driver.table.waits(task):
            assert len(reader.tokens) < 500
            driver.step(reader)
        assert len(reader.tokens) == 500
        follower = driver.start(task)
        assert task.cached == 500
        said = driver.generate(follower, 4)
        driver.generate(reader, 1)
        assert said == driver.fresh([*system, *words(30, 2)])


@pytest.mark.parametrize("kind", ["recurrent", "hybrid"])
def test_without_checkpoints_only_whole_conversations_are_found(
    model_paths: dict[MemoryKind, Path], kind: MemoryKind
) -> None:
    with driven(model_paths[kind], context_checkpoints=0) as driver:
        first = driver.answer(words(300))
        assert driver.table.figures().checkpoints == 0
        again = driver.answer(words(300))
        assert (again.cached, again.miss) == (0, "this model's state cannot go back to token 300")
        assert driver.answer([*first.history, 5]).cached == len(first.history) - 1


def test_a_window_that_still_holds_enough_needs_no_checkpoint(model_paths: dict[MemoryKind, Path]) -> None:
    with driven(model_paths["window"], context_length=2048) as driver:
        first = driver.answer(words(300))
        assert driver.answer([*first.history[:277], 5]).cached == 277
    with driven(model_paths["window"], context_length=2048, full_sliding_window_cache=True) as driver:
        driver.answer(words(300))
        assert driver.table.figures().checkpoints == 0


def test_a_cut_into_a_window_that_is_gone_goes_back_to_a_checkpoint(model_paths: dict[MemoryKind, Path]) -> None:
    with driven(model_paths["window"], context_length=4096, parallel=1, physical_batch_size=64) as driver:
        sequence = driver.start(driver.task(words(2500)))
        while not driver.step(sequence):
            pass
        shortest = driver.table._cells.shortest_cut(sequence.number)
        assert 2100 < shortest < 2500
        assert not driver.table._cells.cut(sequence.number, shortest - 1)
        driver.table.trim(sequence, 2100)
        assert len(sequence.tokens) == points.EVERY
        assert driver.generate(sequence, 4) == driver.fresh(words(2500))


def test_copies_have_windows_of_their_own(model_paths: dict[MemoryKind, Path]) -> None:
    # Window cells that two conversations share are never reused, and there are but 256 of them here.
    with driven(model_paths["window"], parallel=2, physical_batch_size=64) as driver:
        running = driver.start(driver.task(words(250)))
        while not driver.step(running):
            pass
        branch = driver.task([*words(250)[:240], *words(300, 1)])
        sequence = driver.start(branch)
        assert branch.cached == 240
        said = driver.generate(sequence, 4)
        driver.table.release(running)
        assert said == driver.fresh([*words(250)[:240], *words(300, 1)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_that_cannot_be_restored_leaves_nothing_behind(
    model_paths: dict[MemoryKind, Path], kind: MemoryKind
) -> None:
    with driven(model_paths[kind]) as driver:
        driver.answer(words(900))
        cells = driver.table._cells
        state = cells.snapshot(0)
        assert state is not None
        driver.table.forget_idle()
        assert not cells.restore(0, state[:-8])
        assert cells.length(0) == 0
        task = driver.task(words(900, 1))
        sequence = driver.start(task)
        assert driver.generate(sequence, 4) == driver.fresh(words(900, 1)), "all cells are free"


@pytest.mark.parametrize("kind", ["recurrent", "hybrid", "hybrid window"])
def test_a_step_that_broke_off_goes_back_to_a_checkpoint(model_paths: dict[MemoryKind, Path], kind: MemoryKind) -> None:
    with driven(model_paths[kind]) as driver:
        first = driver.answer(words(300))
        sequence = driver.start(driver.task([*first.history, *words(100, 1)]))
        held = len(sequence.tokens)
        driver.step(sequence)
        del sequence.tokens[held:]  # as if the results had never come
        driver.table.trim(sequence, held)
        assert len(sequence.tokens) == sequence.checkpoints[-1].length > 0
        assert driver.generate(sequence, 4) == driver.fresh([*first.history, *words(100, 1)])


def test_checkpoints_stay_within_number_and_budget(
    model_paths: dict[MemoryKind, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with driven(model_paths["recurrent"], context_checkpoints=3) as driver:
        history = words(100)
        for seed in range(6):
            history = [*driver.answer(history).history, *words(100, seed)]
        lengths = [c.length for sequence in driver.table._residents for c in sequence.checkpoints]
        assert len(lengths) == 3
        assert max(lengths) == len(history) - 100 - 4 - KEPT_BACK, "the newest is never given up"
    monkeypatch.setattr("tui.engine.shelf.parking_budget", lambda _free, _total: 1000)
    with driven(model_paths["recurrent"]) as driver:
        driver.answer(words(300))
        assert driver.table.figures().parked_bytes == 0
        assert driver.answer(words(300)).tokens == driver.fresh(words(300))


def test_where_prompts_pause() -> None:
    assert points.stops(0, 50, 0) == []
    assert points.stops(0, 300, 0) == [300 - KEPT_BACK]
    assert points.stops(280, 300, 0) == [], "a short message is read again as quickly"
    assert points.stops(0, 530, 500) == [500], "where others went their own way is worth more than the end"
    assert points.stops(0, 6000, 0) == [2048, 4096, 6000 - KEPT_BACK]
    stops = [1000]
    points.add_stop(stops, 0, 500)
    points.add_stop(stops, 0, 510)
    points.add_stop(stops, 0, 10)
    assert stops == [500, 1000]


def test_thinning_keeps_what_covers_most() -> None:
    kept = points.thin([Checkpoint(length, bytearray()) for length in (100, 1000, 1050, 2000, 2010)], 3)
    assert [checkpoint.length for checkpoint in kept] == [100, 1050, 2010]
    assert points.thin(kept, 0) == []


def test_what_is_usable() -> None:
    assert points.usable([], common=80, held=100, shortest_cut=0) == 80
    assert points.usable([], common=100, held=100, shortest_cut=100) == 100
    assert points.usable([40, 60, 90], common=80, held=100, shortest_cut=100) == 60
    assert points.usable([90], common=80, held=100, shortest_cut=81) == 0


def test_wrong_guesses_are_taken_back_exactly(model_paths: dict[MemoryKind, Path]) -> None:
    with driven_with_rollback(model_paths["hybrid"]) as driver:
        prompt, guesses = words(200), words(4, 1)
        sequence = driver.start(driver.task([*prompt, *guesses]))
        while len(sequence.tokens) < 199:
            driver.chunk = 199 - len(sequence.tokens)
            driver.step(sequence)
        driver.chunk = 512
        driver.step(sequence)  # the prompt's last token and four guesses
        del sequence.tokens[200:]
        driver.table.roll_back(sequence, 200)
        assert len(sequence.tokens) == 200
        follower = driver.start(driver.task([*prompt, 9]))  # a copy at once, before the next step
        assert sequence.task is not None
        assert len(follower.tokens) == 200
        sequence.task.history[200:] = [9]
        said = driver.generate(follower, 4)
        assert driver.generate(sequence, 4) == said
        assert said == driver.fresh([*prompt, 9])


def test_what_single_steps_computed_is_not_taken_back(model_paths: dict[MemoryKind, Path]) -> None:
    with driven_with_rollback(model_paths["hybrid"]) as driver:
        sequence = driver.start(driver.task(words(200)))
        driver.generate(sequence, 4)
        driver.table.trim(sequence, 201)
        assert len(sequence.tokens) == 200 - KEPT_BACK, "llama.cpp would agree, with a wrong state"
