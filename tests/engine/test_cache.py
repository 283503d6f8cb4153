"""What a prompt takes over from conversations before it: next turns, branches, waiting, parking, reasons, leaks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import collect, loaded
from tests.support.model_maker import make_tiny_model
from tests.support.table_driver import EXACT, TableDriver, driven
from tui.domain import LoadConfig, SamplingConfig
from tui.engine.checkpoints import Checkpoint
from tui.engine.parking import Conversation, ParkingLot
from tui.engine.prefix import common_prefix

GREEDY = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=5)


def words(count: int, seed: int = 0) -> list[int]:
    """Random tokens."""
    return random.Random(seed).choices(range(200), k=count)


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    return make_tiny_model(folder / "random.gguf", extra_tokens=300, quantization="f32", context_length=4096)


@pytest.fixture
def driver(model_path: Path) -> Iterator[TableDriver]:
    with driven(model_path) as made:
        yield made


def test_common_prefix_of_any_two_lists() -> None:
    chance = random.Random(1)
    for _ in range(500):
        left = chance.choices(range(3), k=chance.randrange(60))
        right = left[: chance.randrange(60)] + chance.choices(range(3), k=chance.randrange(20))
        limit = chance.randrange(70)
        expected = 0
        while expected < min(len(left), len(right), limit) and left[expected] == right[expected]:
            expected += 1
        assert common_prefix(left, right, limit) == expected


def test_a_next_turn_takes_over_everything_and_a_branch_what_it_shares(driver: TableDriver) -> None:
    first = driver.answer(words(200))
    turn = driver.answer([*first.history, *words(20, 1)])
    assert turn.cached == len(first.history) - 1, "all but the last token, which was never read"
    branch = driver.answer([*first.history[:150], *words(20, 2)])
    assert branch.cached == 150
    again = driver.answer([*turn.history, 5])
    assert again.cached == len(turn.history) - 1, "the branch left the other one as it was"
    assert again.tokens == driver.fresh([*turn.history, 5])
    assert branch.tokens == driver.fresh([*first.history[:150], *words(20, 2)])


def test_a_branch_leaves_a_parked_conversation_as_it_was(driver: TableDriver) -> None:
    first = driver.answer(words(200))
    driver.answer(words(200, 1))  # parks the first
    assert driver.table.figures().parked_conversations == 1
    branch = driver.answer([*words(200)[:100], *words(30, 2)])
    assert branch.cached == 100
    assert driver.answer([*first.history, 5]).cached == len(first.history) - 1
    parked = driver.table._shelf.lot.conversations
    assert all(other.tokens != first.history[:-1] for other in parked), "the whole conversation moved back"


def test_choices_wait_for_the_first_to_read_their_prompt(driver: TableDriver) -> None:
    driver.chunk = 64
    prompt = words(200)
    first, second, other = driver.task(prompt), driver.task(prompt), driver.task(words(200, 1))
    reader = driver.start(first)
    assert driver.table.waits(second)
    assert driver.table.assign(second) is None
    assert not driver.table.waits(other), "nobody reads that"
    while not driver.step(reader):
        pass
    assert not driver.table.waits(second)
    follower = driver.start(second)
    assert second.cached == len(prompt) - 1
    assert second.cache_miss == ""
    assert follower.number != reader.number
    said = driver.generate(follower, 3)
    driver.table.release(reader)
    assert said == driver.fresh(prompt, 3)


def test_nobody_waits_for_a_reader_that_gave_up_or_ranks_lower(driver: TableDriver) -> None:
    driver.chunk = 64
    prompt = words(300)
    first, second = driver.task(prompt, priority=1), driver.task(prompt, priority=1)
    reader = driver.start(first)
    driver.step(reader)
    assert driver.table.waits(second)
    assert not driver.table.waits(driver.task(prompt, priority=0)), "a person does not wait for a program"
    driver.table.release(reader)  # cancelled
    assert not driver.table.waits(second)
    driver.start(second)
    assert second.cached == 64, "what it had read is taken over"


def test_many_choices_at_once_read_their_prompt_once(model_path: Path) -> None:
    prompt = words(400)
    with loaded(model_path, LoadConfig(**EXACT, context_length=2048, parallel=4)) as model:
        tasks = [model.submit(list(prompt), GREEDY) for _ in range(4)]
        answers = [collect(task) for task in tasks]
    read = [answer.stats.prompt_tokens - answer.stats.cached_prompt_tokens for answer in answers]
    assert sorted(read) == [1, 1, 1, 400]
    assert len({answer.data for answer in answers}) == 1


def test_an_answer_that_was_put_aside_goes_on_from_memory(driver: TableDriver) -> None:
    task = driver.task(words(200))
    sequence = driver.start(task)
    while not driver.step(sequence):
        pass
    task.history.append(7)
    driver.table.release(sequence)
    driver.table.put_aside(sequence)
    assert driver.table.figures().used_cells == 0
    back = driver.start(task)
    assert len(back.tokens) == 200
    assert driver.generate(back, 3) == driver.fresh([*words(200), 7], 3)


def test_a_cache_divided_among_conversations_is_copied_for_good(model_path: Path) -> None:
    with driven(model_path, context_length=1500, unified_kv_cache=False) as driver:
        reader = driver.start(driver.task(words(300)))
        while not driver.step(reader):
            pass
        branch = driver.task([*words(300)[:200], *words(50, 1)])
        sequence = driver.start(branch)
        assert branch.cached == 200
        said = driver.generate(sequence, 4)
        driver.table.release(reader)
        again = driver.answer([*branch.history, 5])
        assert again.cached == len(branch.history) - 1
        assert driver.table.figures().parked_conversations == 0, "idle conversations are nobody's burden"
        assert said == driver.fresh([*words(300)[:200], *words(50, 1)])


def test_reasons_for_misses(driver: TableDriver) -> None:
    first = driver.answer(words(300))
    assert first.miss == "", "the first message of a conversation cannot be cached"
    assert driver.answer([*first.history, *words(20, 1)]).miss == ""
    assert driver.answer([*words(20), *words(200, 5)]).miss == "", "the same system prompt, another conversation"
    changed = driver.answer([*first.history[:250], *words(100, 2)])
    assert changed.miss == "the conversation changed at token 251 of 327"
    assert driver.answer(first.history[:300]).miss == "", "the same prompt once more"


def test_a_conversation_that_had_to_go_is_missed_by_name(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.engine.shelf.parking_budget", lambda _free, _total: 200_000)  # room for one
    with driven(model_path) as driver:
        first = driver.answer(words(300))
        for seed in range(1, 4):
            driver.answer(words(300, seed))
        late = driver.answer([*first.history, 5])
        assert late.cached == 0
        assert late.miss == "it was evicted to make room"
        assert late.tokens == driver.fresh([*first.history, 5])


def test_a_conversation_that_does_not_fit_back_says_so(model_path: Path) -> None:
    with driven(model_path, context_length=512) as driver:
        first = driver.answer(words(300))
        other = driver.start(driver.task(words(300, 1)))
        while not driver.step(other):
            pass
        late = driver.task([*first.history, 5])
        assert driver.table.assign(late) is not None
        assert late.cache_miss == "there was no room to bring it back"
        assert driver.table.figures().leaked_cells == 0


def test_nothing_is_left_in_the_cells_whatever_happened(model_path: Path) -> None:
    chance = random.Random(3)
    histories = [words(150, seed) for seed in range(3)]
    with loaded(model_path, LoadConfig(**EXACT, context_length=512, parallel=3)) as model:
        table = model._worker._table
        for _ in range(40):
            tasks = []
            for _ in range(3):
                start = chance.choice(histories)
                prompt = [*start[: chance.randrange(1, len(start))], *words(chance.randrange(1, 200), chance.random())]
                tasks.append(model.submit(prompt[:450], GREEDY))
            for task in tasks:
                if chance.random() < 0.3:
                    task.cancel()
            for task in tasks:
                assert collect(task).error is None
                histories.append(list(task.history))
        assert table.figures().leaked_cells == 0
        table.forget_idle()
        assert (table.figures().used_cells, table.figures().parked_bytes) == (0, 0)


def conversation(tokens: list[int], size: int, *checkpoints: Checkpoint) -> Conversation:
    return Conversation(tokens, bytearray(size), 0, list(checkpoints))


def test_parked_conversations_keep_to_their_budget_oldest_first() -> None:
    lot = ParkingLot(budget=2500)
    first, second, third = (conversation([number] * 100, 1000) for number in range(3))
    for each in (first, second):
        assert lot.make_room(1000, []) == []
        lot.park(each, replaces=True)
    assert lot.make_room(1000, []) == [first]
    lot.park(third, replaces=True)
    lot.touch(second)
    assert lot.make_room(1000, []) == [third]
    assert lot.make_room(3000, []) is None, "nobody goes for what cannot fit"
    assert lot.conversations == (second,)


def test_checkpoints_count_once_and_make_room_too() -> None:
    checkpoint = Checkpoint(50, bytearray(800))
    lot = ParkingLot(budget=2500)
    lot.park(conversation([1] * 100, 1000, checkpoint), replaces=False)
    assert lot.size([checkpoint]) == 1800, "a resident branch shares the checkpoint"
    assert lot.size([checkpoint, Checkpoint(60, bytearray(500))]) == 2300
    assert lot.make_room(200, [checkpoint]) == []
    assert len(lot.make_room(1000, [checkpoint]) or []) == 1


@pytest.mark.parametrize("replaces", [True, False])
def test_a_longer_conversation_replaces_its_own_beginning(replaces: bool) -> None:
    lot = ParkingLot(budget=2500)
    short, long = conversation([5] * 100, 10), conversation([5] * 150, 10)
    lot.park(short, replaces=replaces)
    lot.park(long, replaces=replaces)
    assert lot.conversations == ((long,) if replaces else (short, long))
    lot.remove(long)
    assert long not in lot.conversations
