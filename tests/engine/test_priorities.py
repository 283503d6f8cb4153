"""Who is served first: people before programs, each in the order they came."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import collect, first_output, loaded
from tests.support.model_maker import make_scripted_model
from tui.domain import LoadConfig, SamplingConfig
from tui.engine import GenerationTask, LoadedModel
from tui.engine.queue import WaitingQueue
from tui.engine.sampling import Sampler

SCRIPT = "One two three four five six seven eight nine ten eleven twelve. "


@pytest.fixture
def single(tmp_path: Path) -> Iterator[LoadedModel]:
    """A model that serves one answer at a time, each without end."""
    path = make_scripted_model(tmp_path / "endless.gguf", SCRIPT, loop=True, context_length=4096)
    with loaded(path, LoadConfig(threads=1, parallel=1, context_length=4096)) as model:
        yield model


def waiting_task(model: LoadedModel, priority: int) -> GenerationTask:
    sampling = SamplingConfig()
    sampler = Sampler(sampling, model.vocabulary, model.trained_context_length)
    return GenerationTask([1], sampling, sampler, lambda _task: None, priority=priority)


def test_the_queue_keeps_ranks_and_arrival(single: LoadedModel) -> None:
    queue = WaitingQueue()
    programs = [waiting_task(single, 10) for _ in range(2)]
    people = [waiting_task(single, 0) for _ in range(2)]
    for task in (programs[0], people[0], programs[1], people[1]):
        queue.add(task)
    assert list(queue) == [*people, *programs]
    returned = waiting_task(single, 10)
    queue.add(returned, first=True)
    assert list(queue) == [*people, returned, *programs], "who was served already goes on before those who wait"
    positions = [delivery.position for task in queue if (delivery := task.mailbox.take(0)) is not None]
    assert positions == [1, 2, 3, 4, 5]
    assert all(task.mailbox.take(0) is None for task in queue), "a place that did not change is not told again"


def test_a_person_takes_the_turn_of_a_program_and_gives_it_back_whole(single: LoadedModel) -> None:
    program = single.submit([65, 10], SamplingConfig(max_tokens=200), priority=10)
    said = first_output(program)
    person = single.submit([66, 10], SamplingConfig(max_tokens=20), priority=0)
    answer = collect(person)
    assert answer.tokens == 20
    assert program.generated < 200, "the person did not wait for the program's end"
    rest = collect(program)
    assert rest.stats.generated_tokens == 200
    text = said.decode() + rest.text
    repeated = SCRIPT * 40
    assert repeated.startswith(text)


def test_a_program_waits_for_a_person(single: LoadedModel) -> None:
    person = single.submit([66, 10], SamplingConfig(max_tokens=60), priority=0)
    first_output(person)
    program = single.submit([65, 10], SamplingConfig(max_tokens=5), priority=10)
    ended: list[str] = []

    def read(task: GenerationTask, name: str) -> None:
        collect(task)
        ended.append(name)

    readers = [threading.Thread(target=read, args=pair) for pair in ((program, "program"), (person, "person"))]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert program.first_token_at > person.last_token_at


def test_a_persons_prompt_is_read_before_a_programs(tmp_path: Path) -> None:
    path = make_scripted_model(
        tmp_path / "slow.gguf", SCRIPT, loop=True, context_length=8192, layers=8, feed_forward=2048
    )
    with loaded(path, LoadConfig(threads=1, parallel=2, context_length=8192)) as model:
        program = model.submit([67] * 4000, SamplingConfig(max_tokens=1), priority=10)
        while (delivery := program.mailbox.take(60)) is not None and delivery.prompt is None:
            pass
        person = model.submit([68] * 600, SamplingConfig(max_tokens=1), priority=0)
        collect(person)
        assert program.generated == 0
        collect(program)
