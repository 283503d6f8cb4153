"""Many conversations in one context: batching, queueing, prefixes, a full cache."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.engines import Collected, collect, first_output, loaded
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tests.support.scripts import long_script
from tui.domain import LoadConfig, SamplingConfig
from tui.engine import GenerationTask
from tui.engine.pace import Pace

SCRIPT = "One two three four five six seven eight nine ten eleven twelve. "


@pytest.fixture(scope="module")
def endless_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_scripted_model(
        tmp_path_factory.mktemp("models") / "endless.gguf", SCRIPT, loop=True, context_length=4096
    )


def collect_all(tasks: list[GenerationTask]) -> list[Collected]:
    """Read several tasks at once, each in a thread, so that nobody waits for another."""
    results: dict[int, Collected] = {}

    def read(number: int) -> None:
        results[number] = collect(tasks[number])

    readers = [threading.Thread(target=read, args=(number,)) for number in range(len(tasks))]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return [results[number] for number in range(len(tasks))]


def test_conversations_run_together_and_do_not_mix(tmp_path: Path) -> None:
    path = make_tiny_model(tmp_path / "random.gguf", extra_tokens=500, quantization="f32")
    prompts = [[65 + number] * (3 + number) for number in range(4)]
    sampling = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=40)
    with loaded(path, LoadConfig(threads=1, parallel=4)) as model:
        alone = [collect(model.submit(list(prompt), sampling)).data for prompt in prompts]
    with loaded(path, LoadConfig(threads=1, parallel=4)) as model:
        tasks = [model.submit(list(prompt), sampling) for prompt in prompts]
        together = [answer.data for answer in collect_all(tasks)]
    assert together == alone
    assert len(set(alone)) == len(alone)


def test_answers_overlap_in_time(endless_path: Path) -> None:
    with loaded(endless_path, LoadConfig(threads=1, parallel=3, context_length=4096)) as model:
        tasks = [model.submit([65, 10], SamplingConfig(max_tokens=300)) for _ in range(3)]
        collect_all(tasks)
        assert max(task.first_token_at for task in tasks) < min(task.last_token_at for task in tasks)


def test_those_beyond_the_parallel_limit_wait_and_are_told_their_place(endless_path: Path) -> None:
    with loaded(endless_path, LoadConfig(threads=1, parallel=1, context_length=4096)) as model:
        first = model.submit([65, 10], SamplingConfig())
        first_output(first)
        waiting = [model.submit([66, 10], SamplingConfig(max_tokens=5)) for _ in range(3)]
        positions = [delivery.position for task in waiting if (delivery := task.mailbox.take(5)) is not None]
        assert positions == [1, 2, 3]
        waiting[1].cancel()
        assert collect(waiting[1]).stats.stop_reason == "userStopped"
        moved_up = waiting[2].mailbox.take(5)
        assert moved_up is not None
        assert moved_up.position == 2
        first.cancel()
        assert collect(first).stats.stop_reason == "userStopped"
        assert [collect(task).tokens for task in (waiting[0], waiting[2])] == [5, 5]


def test_a_running_answer_goes_on_while_a_long_prompt_is_read(tmp_path: Path) -> None:
    path = make_scripted_model(
        tmp_path / "slow.gguf", SCRIPT, loop=True, context_length=8192, layers=8, feed_forward=2048
    )
    with loaded(path, LoadConfig(threads=1, parallel=2, context_length=8192)) as model:
        running = model.submit([65, 10], SamplingConfig())
        first_output(running)
        long = model.submit([66] * 4000, SamplingConfig(max_tokens=1))
        before = running.generated
        collect(long)
        during = running.generated - before
        running.cancel()
        collect(running)
    assert during > 8, "a prompt of many chunks leaves a step to the running answer after each"


def test_the_next_turn_reads_only_what_is_new(tmp_path: Path) -> None:
    path = make_scripted_model(tmp_path / "scripted.gguf", SCRIPT)
    with loaded(path, LoadConfig(threads=1)) as model:
        prompt = model.vocabulary.tokenize("A rather long first question.\n")
        first = model.submit(prompt, SamplingConfig())
        collect(first)
        second = [*first.history, *model.vocabulary.tokenize("<|im_end|>\nAnd then?\n")]
        answer = collect(model.submit(list(second), SamplingConfig()))
        assert answer.text == SCRIPT
        assert answer.stats.cached_prompt_tokens == len(first.history)
        branch = [*prompt, *model.vocabulary.tokenize("Another way to go on.\n")]
        other = collect(model.submit(list(branch), SamplingConfig()))
        assert other.stats.cached_prompt_tokens >= len(prompt)
        again = collect(model.submit(list(second), SamplingConfig()))
        assert again.stats.cached_prompt_tokens == len(second) - 1, "a branch leaves the other one in the cache"


def test_a_shared_prefix_gives_the_same_answer_as_reading_it_again(tmp_path: Path) -> None:
    path = make_tiny_model(tmp_path / "random.gguf", extra_tokens=500, quantization="f32")
    sampling = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=20)
    shared = list(range(40, 100))
    with loaded(path, LoadConfig(threads=1)) as model:
        fresh = collect(model.submit([*shared, 7, 8, 9], sampling))
    with loaded(path, LoadConfig(threads=1)) as model:
        collect(model.submit([*shared, 1, 2], sampling))
        reused = collect(model.submit([*shared, 7, 8, 9], sampling))
    assert reused.stats.cached_prompt_tokens == len(shared)
    assert reused.data == fresh.data


def test_a_full_cache_suspends_the_youngest_and_loses_nothing(tmp_path: Path) -> None:
    script = long_script(220)
    path = make_scripted_model(tmp_path / "long.gguf", script, context_length=512)
    with loaded(path, LoadConfig(threads=1, parallel=4, context_length=512)) as model:
        # Four answers of 220 tokens each do not fit into 512 cells at once.
        answers = collect_all([model.submit([65 + number, 10], SamplingConfig()) for number in range(4)])
    assert [answer.text for answer in answers] == [script] * 4
    assert {answer.stats.stop_reason for answer in answers} == {"eosFound"}


def test_idle_conversations_give_way_to_new_ones(tmp_path: Path) -> None:
    path = make_scripted_model(tmp_path / "scripted.gguf", SCRIPT, context_length=512)
    with loaded(path, LoadConfig(threads=1, context_length=512)) as model:
        for number in range(8):
            answer = collect(model.submit([97 + number] * 400, SamplingConfig()))
            assert answer.text == SCRIPT


@pytest.mark.parametrize("architecture", ["qwen2", "qwen3"])
def test_other_architectures_generate(tmp_path: Path, architecture: str) -> None:
    path = make_scripted_model(tmp_path / "other.gguf", SCRIPT, architecture=architecture)  # type: ignore[arg-type]
    with loaded(path) as model:
        assert collect(model.submit([65, 10], SamplingConfig())).text == SCRIPT


def run_pace(pace: Pace, seconds: Callable[[int], float], *, depth: int = 0, steps: int = 100) -> int:
    """Let prompts be read at that cost beside an answer with steps of 30 ms; the last chunk's size."""
    room = 0
    for _ in range(steps):
        pace.measured(1, 0, depth, 0.030)
        room = pace.prompt_room(running=1, depth=depth)
        pace.measured(2, room, depth, 0.030 + seconds(room))
    return room


def test_the_pace_bounds_prompt_chunks_by_time() -> None:
    pace = Pace(512)
    assert pace.prompt_room(running=0, depth=0) == 512, "nobody waits, so nothing is held back"
    room = run_pace(pace, lambda count: count * 0.002)
    assert 0.030 * 2 <= room * 0.002 <= 0.030 * 5
    assert run_pace(pace, lambda count: count * 1.0) == 4, "however slow the machine, prompts get on"
    assert run_pace(pace, lambda count: count * 0.0001) > 64, "and make use of better times"


def test_the_pace_finds_the_size_from_which_chunks_are_cheap() -> None:
    def flash_attention(count: int) -> float:
        return count * (0.001 if count >= 64 else 0.004)

    assert run_pace(Pace(512), flash_attention) == 64
    assert run_pace(Pace(512), lambda count: flash_attention(count) * 2) in (4, 8), "64 would take too long"
    pace = Pace(512)
    for depth in range(0, 4000, 500):  # the more is cached, the longer everything takes
        run_pace(pace, lambda count, depth=depth: flash_attention(count) * (1 + depth / 1000), depth=depth, steps=9)  # type: ignore[misc]
    assert pace.prompt_room(running=1, depth=4000) < 64
    assert run_pace(pace, flash_attention) == 64, "a new prompt begins anew"


def test_idle_conversations_are_parked_and_taken_back_whole(tmp_path: Path) -> None:
    path = make_tiny_model(tmp_path / "random.gguf", extra_tokens=500, quantization="f32")
    sampling = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=20)
    prompts = [[40 + number + index % 50 for index in range(150)] for number in range(3)]
    with loaded(path, LoadConfig(threads=1, context_length=512)) as model:
        alone = [collect(model.submit([*prompt, 7, 8], sampling)).data for prompt in prompts]
    with loaded(path, LoadConfig(threads=1, context_length=512)) as model:
        for prompt in prompts:  # three times 150 tokens and more: they do not fit beside each other
            collect(model.submit(list(prompt), sampling))
        again = [collect(model.submit([*prompt, 7, 8], sampling)) for prompt in prompts]
    assert [answer.stats.cached_prompt_tokens for answer in again] == [150, 150, 150]
    assert [answer.data for answer in again] == alone
