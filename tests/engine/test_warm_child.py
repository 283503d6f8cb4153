"""A child process that stays says what a fresh one says, and its misfortunes are nobody else's."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.model_maker import make_tiny_model
from tui.domain import LoadConfig
from tui.engine import Kernels, warm_child
from tui.engine.child import Job, Outcome, run
from tui.engine.warm_child import WarmChild

CONFIGS = [
    LoadConfig(context_length=512),
    LoadConfig(context_length=2048),
    LoadConfig(context_length=2048, key_cache_type="q8_0", flash_attention="on"),
    LoadConfig(context_length=1024, parallel=2, unified_kv_cache=False),
    LoadConfig(context_length=512, physical_batch_size=64),
    LoadConfig(context_length=512, gpu_layers=1),
    LoadConfig(context_length=512, rope_scaling="linear", rope_frequency_scale=0.5, threads=1, try_mmap=False),
    LoadConfig(context_length=512),
]


@pytest.fixture
def child() -> Iterator[WarmChild]:
    child = WarmChild()
    yield child
    child.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_tiny_model(tmp_path / "m.gguf", embedding=128)


def job_for(path: Path, config: LoadConfig) -> Job:
    return Job("probe", str(path), config, Kernels())


def figures(outcome: Outcome) -> dict[str, object]:
    """What does not change with the rest of the machine."""
    assert not outcome.problem, outcome
    return {name: value for name, value in outcome.result.items() if name != "devices"}


def opens_the_file(outcome: Outcome) -> bool:
    return any("llama_model_loader" in line for line in outcome.log)


def test_it_says_what_a_fresh_child_says(child: WarmChild, path: Path) -> None:
    self_test = replace(job_for(path, CONFIGS[0]), kind="decode")
    assert child.run(self_test).result == run(self_test).result, "what comes before the first layout on a new machine"
    opened = []
    for config in CONFIGS:
        job = job_for(path, config)
        outcome = child.run(job)
        opened.append(opens_the_file(outcome))
        assert figures(outcome) == figures(run(job)), config
    assert opened == [True, False, False, False, False, True, False, False]


def test_a_file_that_changed_is_opened_again(child: WarmChild, path: Path) -> None:
    job = job_for(path, CONFIGS[0])
    before = child.run(job).result["layers"]
    make_tiny_model(path, layers=5, embedding=128)
    assert child.run(job).result["layers"] == before + 3


def test_a_problem_counts_only_if_a_fresh_child_has_it_too(
    child: WarmChild, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Job] = []

    def counted(job: Job) -> Outcome:
        asked.append(job)
        return run(job)

    monkeypatch.setattr(warm_child, "run", counted)
    assert figures(child.run(job_for(path, CONFIGS[0])))
    wrong = job_for(path, replace(CONFIGS[0], key_cache_type="q4_0", value_cache_type="q4_0", flash_attention="off"))
    assert child.run(wrong).problem
    assert asked == [wrong]
    assert not opens_the_file(child.run(job_for(path, CONFIGS[1]))), "it stays for the next"
    # What kills it is the child's end only.
    assert child._process is not None
    child._process.kill()
    child._process.wait()
    assert figures(child.run(job_for(path, CONFIGS[2])))


def test_a_child_that_dies_is_reported_by_its_signal(
    child: WarmChild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = tmp_path / "dying"
    dying.write_text(f"#!/bin/sh\necho 'ggml.c:7: GGML_ASSERT(x > 0) failed' >&2\nkill -{signal.SIGSEGV:d} $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    outcome = child.run(job_for(tmp_path / "any.gguf", LoadConfig()))
    assert outcome.crashed
    assert "SIGSEGV" in outcome.problem
    assert "GGML_ASSERT(x > 0)" in outcome.problem
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    assert "No process could be started" in child.run(job_for(tmp_path / "any.gguf", LoadConfig())).problem


def test_a_child_that_hangs_is_given_up(child: WarmChild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = tmp_path / "hanging"
    hanging.write_text("#!/bin/sh\nexec sleep 60\n")
    hanging.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(hanging))
    monkeypatch.setattr(warm_child, "TIMEOUT_SECONDS", 0.1)
    outcome = child.run(job_for(tmp_path / "any.gguf", LoadConfig()))
    assert outcome.crashed
    assert "did not answer" in outcome.problem


def test_whoever_comes_meanwhile_need_not_wait(child: WarmChild, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(_job: Job) -> Outcome:
        begun.set()
        may_end.wait(60)
        return Outcome({"slow": 1})

    monkeypatch.setattr(child, "_ask", slow)
    monkeypatch.setattr(warm_child, "run", lambda _job: Outcome({"fresh": 1}))
    first = threading.Thread(target=child.run, args=(job_for(path, CONFIGS[0]),))
    first.start()
    assert begun.wait(60)
    assert child.run(job_for(path, CONFIGS[1])).result == {"fresh": 1}
    may_end.set()
    first.join()


def test_it_goes_when_nobody_wants_anything(child: WarmChild, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_child, "IDLE_SECONDS", 0.01)
    child.run(job_for(path, CONFIGS[0]))
    end = time.monotonic() + 30
    while child._process is not None:
        assert time.monotonic() < end, "it never went"
        time.sleep(0.005)
    assert figures(child.run(job_for(path, CONFIGS[1])))
