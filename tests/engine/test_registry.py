"""Several models at once: who stays, who goes, and what is left of those that went."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.engines import collect, first_output, info_of
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tui.domain import Constraint, Guardrail, LoadConfig, ModelWillNotFit, SamplingConfig
from tui.engine import Engine, LogRing
from tui.engine.parking import Conversation

ONE_THREAD = LoadConfig(threads=1, context_length=512)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    return [make_scripted_model(folder / f"m{number}.gguf", f"I am {number}. ", loop=True) for number in range(3)]


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_models_answer_beside_each_other(engine: Engine, paths: list[Path]) -> None:
    models = [engine.load(info_of(path), ONE_THREAD) for path in paths]
    tasks = [model.submit([65], SamplingConfig(max_tokens=6)) for model in models]
    assert [collect(task).text[:6] for task in tasks] == ["I am 0", "I am 1", "I am 2"]
    assert engine.loaded() == tuple(models)
    engine.unload("m1")
    assert [model.key for model in engine.loaded()] == ["m0", "m2"]


def test_time_without_work_unloads_and_work_puts_it_off(engine: Engine, paths: list[Path], tmp_path: Path) -> None:
    endless = make_scripted_model(tmp_path / "endless.gguf", "On and on. ", loop=True, context_length=65536, layers=4)
    changes = threading.Semaphore(0)
    engine.on_change = changes.release
    staying = engine.load(info_of(paths[1]), ONE_THREAD)
    model = engine.load(info_of(endless), replace(ONE_THREAD, context_length=65536), ttl=1.0)
    task = model.submit([65], SamplingConfig())
    first_output(task)
    time.sleep(1.3)
    assert engine.get("endless") is model, "it works"
    task.cancel()
    collect(task)
    wait_until(lambda: engine.get("endless") is None)
    assert engine.loaded() == (staying,)
    assert all(changes.acquire(timeout=1) for _ in range(3)), "two came and one went"


def test_what_requests_loaded_makes_room_for_the_next_one(engine: Engine, paths: list[Path]) -> None:
    by_hand = engine.load(info_of(paths[0]), ONE_THREAD)
    engine.load(info_of(paths[1]), ONE_THREAD, just_in_time=True).release()
    second = engine.load(info_of(paths[2]), ONE_THREAD, just_in_time=True)
    assert engine.loaded() == (by_hand, second)
    task = second.submit([65], SamplingConfig())
    first_output(task)
    second.release()
    third = engine.load(info_of(paths[1]), ONE_THREAD, just_in_time=True)
    assert len(engine.loaded()) == 3, "a model that works is left alone"
    task.cancel()
    collect(task)
    wait_until(lambda: engine.loaded() == (by_hand, third))
    third.release()
    engine.auto_evict = False
    engine.load(info_of(paths[2]), ONE_THREAD, just_in_time=True)
    assert len(engine.loaded()) == 3


def test_a_model_that_somebody_is_about_to_ask_stays(engine: Engine, paths: list[Path]) -> None:
    first = engine.load(info_of(paths[0]), ONE_THREAD, just_in_time=True)
    first.release()
    assert engine.reserve("m0") is first
    second = engine.load(info_of(paths[1]), ONE_THREAD, just_in_time=True)
    assert not engine.unload_idle("m0")
    assert collect(first.submit([65], SamplingConfig(max_tokens=6))).text[:6] == "I am 0"
    assert engine.loaded() == (first, second)
    first.release()
    wait_until(lambda: engine.loaded() == (second,))


def test_a_request_takes_the_model_as_it_is_and_its_time_counts_only_if_it_loads(
    engine: Engine, paths: list[Path]
) -> None:
    model = engine.load(info_of(paths[0]), ONE_THREAD, ttl=100, just_in_time=True)
    again = engine.load(info_of(paths[0]), replace(ONE_THREAD, context_length=256), ttl=5, just_in_time=True)
    assert again is model
    assert (model.ttl, model.just_in_time) == (100, True)
    by_hand = engine.load(info_of(paths[0]), ONE_THREAD)
    assert by_hand is model
    assert (model.ttl, model.just_in_time) == (None, False)


def test_several_instances_have_numbers(engine: Engine, paths: list[Path]) -> None:
    for _ in range(3):
        engine.load(info_of(paths[0]), ONE_THREAD, identifier="twin")
    assert [model.key for model in engine.loaded()] == ["twin", "twin:2", "twin:3"]
    engine.unload("twin:2")
    assert engine.load(info_of(paths[0]), ONE_THREAD, identifier="twin").key == "twin:2"


def test_the_longest_unused_goes_when_there_is_no_room(tmp_path: Path, paths: list[Path]) -> None:
    limit = [0.0]
    engine = Engine(tmp_path / "verdicts.json", LogRing(), guardrail=lambda: Guardrail("custom", limit[0]))
    engine.auto_evict = False
    for path in paths[:2]:
        model = engine.load(info_of(path), ONE_THREAD, just_in_time=True)
        collect(model.submit([65], SamplingConfig(max_tokens=2)))
        model.release()
    room_for_one = max(model.memory_bytes for model in engine.loaded()) / 2**30
    limit[0] = 2.1 * room_for_one
    engine.load(info_of(paths[2]), ONE_THREAD)
    assert [model.key for model in engine.loaded()] == ["m1", "m2"]
    limit[0] = 0.9 * room_for_one
    with pytest.raises(ModelWillNotFit, match="custom"):
        engine.load(info_of(paths[0]), ONE_THREAD)
    assert [model.key for model in engine.loaded()] == ["m1", "m2"], "nobody goes in vain"
    forced = engine.load(info_of(paths[0]), ONE_THREAD, force=True)
    assert engine.get("m0") is forced
    engine.close()


def test_a_model_stays_when_its_new_parameters_are_refused(tmp_path: Path, paths: list[Path]) -> None:
    limit = [1.0]
    engine = Engine(tmp_path / "verdicts.json", LogRing(), guardrail=lambda: Guardrail("custom", limit[0]))
    first = engine.load(info_of(paths[0]), ONE_THREAD)
    limit[0] = 0.001
    with pytest.raises(ModelWillNotFit):
        engine.load(info_of(paths[0]), replace(ONE_THREAD, context_length=1024))
    assert engine.loaded() == (first,)
    assert collect(first.submit([65], SamplingConfig(max_tokens=6))).text[:6] == "I am 0"
    engine.close()


def test_what_will_go_counts_as_free(tmp_path: Path, paths: list[Path]) -> None:
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    assert engine.estimate(info_of(paths[0]), ONE_THREAD).freed == 0
    replaced = engine.load(info_of(paths[0]), ONE_THREAD)
    idle = engine.load(info_of(paths[1]), ONE_THREAD, just_in_time=True)
    idle.release()
    engine.load(info_of(paths[2]), ONE_THREAD)
    (device,) = replaced.memory.devices
    (other,) = idle.memory.devices
    # Weights are pages of the file, which count as free all the time.
    assert engine.estimate(info_of(paths[0]), ONE_THREAD).freed == (
        device.needed - device.weights + other.needed - other.weights
    )  # fmt: skip
    engine.close()


def test_progress_can_be_watched(engine: Engine, paths: list[Path]) -> None:
    seen: list[tuple[tuple[str, float], ...]] = []
    engine.load(info_of(paths[0]), ONE_THREAD, lambda _progress: seen.append(engine.loading()))
    assert seen[-1] == (("m0", 1.0),)
    assert engine.loading() == ()


def test_unloading_returns_the_memory(engine: Engine, tmp_path: Path) -> None:
    # 60 MB of weights, copied into memory of their own.
    path = make_tiny_model(tmp_path / "large.gguf", layers=4, embedding=512, feed_forward=2048, quantization="f32")
    config = LoadConfig(threads=1, context_length=2048, try_mmap=False)
    process = psutil.Process()
    sizes = []
    for _ in range(6):
        model = engine.load(info_of(path), config)
        collect(model.submit([65] * 300, SamplingConfig(max_tokens=3)))
        loaded = process.memory_info().rss
        engine.unload(model.key)
        sizes.append(process.memory_info().rss)
    assert loaded - sizes[-1] > 50e6, "the weights are gone"
    assert max(sizes[2:]) - sizes[1] < 8e6, "nothing stays behind each time"


def test_a_closed_model_keeps_nothing_of_its_conversations(engine: Engine, paths: list[Path]) -> None:
    model = engine.load(info_of(paths[0]), replace(ONE_THREAD, parallel=1))
    for number in range(20):  # more than fit into the context beside each other
        prompt = [number * 7 + place % 5 for place in range(100)]
        collect(model.submit(prompt, SamplingConfig(max_tokens=2), constraint=Constraint("regex", "[a-z]*")))
    figures = model.cache_figures()
    assert figures is not None
    assert figures.parked_bytes > 10_000
    engine.unload(model.key)
    states = [found for found in gc.get_objects() if isinstance(found, Conversation)]
    assert states == [], "though this test still holds the model"


def test_threads_share_one_arena_so_that_unloading_can_give_back_what_they_used() -> None:
    program = """
import ctypes, sys, threading
from pathlib import Path
from tui.engine import Engine, LogRing
Engine(Path("verdicts.json"), LogRing())
meeting = threading.Barrier(12)
def work():
    meeting.wait()
    data = [bytes(100_000) for _ in range(20)]
    meeting.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, stream)
libc.fflush(stream)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)
    assert 1 <= done.stdout.count(b"<heap nr=") <= 2
