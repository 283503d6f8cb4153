"""The self-test beside other work: in the child that goes on, without a word about kernels when the program ends."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import collect, info_of
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tui.domain import Cancelled, LoadConfig, SamplingConfig
from tui.engine import Engine, Kernels, LogRing
from tui.engine.child import Job, Outcome
from tui.engine.warm_child import WarmChild

PATIENCE = 60.0


@pytest.fixture
def verdicts(tmp_path: Path) -> Path:
    return tmp_path / "verdicts.json"


@pytest.fixture
def engine(verdicts: Path) -> Iterator[Engine]:
    engine = Engine(verdicts, LogRing())
    yield engine
    engine.close()


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What is asked of children that stay: the kind of each job, and the process that gets it."""
    asked: list[tuple[str, int]] = []
    ask = WarmChild._ask

    def noted(child: WarmChild, job: Job) -> Outcome:
        assert child._process is not None
        asked.append((job.kind, child._process.pid))
        return ask(child, job)

    monkeypatch.setattr(WarmChild, "_ask", noted)
    # A second child would be one too many.
    monkeypatch.setattr("tui.engine.warm_child.run", lambda job: pytest.fail(f"{job.kind} in a child of its own"))
    return asked


def python_behind(path: Path, lines: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have children begin with some lines of a shell before they become Python."""
    path.write_text(f'#!/bin/sh\n{lines}\nexec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))


def test_one_child_tests_the_machine_and_lays_out_the_first_model(
    tmp_path: Path, engine: Engine, jobs: list[tuple[str, int]]
) -> None:
    engine._machine.test.begin()
    model = engine.load(info_of(make_scripted_model(tmp_path / "m.gguf", "Here.")), LoadConfig(threads=1))
    assert collect(model.submit([65], SamplingConfig())).text == "Here."
    assert [kind for kind, _ in jobs] == ["decode", "probe"]
    assert len({process for _, process in jobs}) == 1


def test_what_crashes_here_is_found_meanwhile_and_the_next_child_goes_on(
    tmp_path: Path,
    engine: Engine,
    verdicts: Path,
    jobs: list[tuple[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    python_behind(tmp_path / "python", f'mkdir "{tmp_path}/died" 2>/dev/null && kill -SEGV $$', monkeypatch)
    engine._machine.test.begin()
    info = info_of(make_tiny_model(tmp_path / "m.gguf"))
    engine.load(info, LoadConfig(threads=1))
    assert engine.self_test().kernels == Kernels(extra_buffers=False)
    assert [kind for kind, _ in jobs] == ["decode", "decode", "probe"]
    assert jobs[0][1] != jobs[1][1] == jobs[2][1]
    assert 1 in json.loads(verdicts.read_text()).values(), "the second attempt is remembered"


def test_ending_the_program_meanwhile_is_no_crash(
    tmp_path: Path, engine: Engine, verdicts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python_behind(tmp_path / "python", "exec sleep 600", monkeypatch)
    asked, ended = threading.Event(), threading.Event()
    ask = WarmChild._ask

    def noted(child: WarmChild, job: Job) -> Outcome:
        asked.set()
        return ask(child, job)

    def test() -> None:
        with pytest.raises(Cancelled):
            engine.self_test()
        ended.set()

    monkeypatch.setattr(WarmChild, "_ask", noted)
    tester = threading.Thread(target=test)
    tester.start()
    assert asked.wait(PATIENCE)
    engine.close()
    assert ended.wait(PATIENCE)
    tester.join()
    assert not verdicts.exists()
    with pytest.raises(Cancelled):
        engine.self_test()
    assert engine._machine.child._process is None, "nothing is left running"
