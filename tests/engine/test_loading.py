"""From a file to a loaded model: the probe, the self-test, checks before loading, and what is told afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.engines import collect, info_of, loaded
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tui.domain import (
    BadRequest,
    Cancelled,
    EngineFault,
    LoadConfig,
    ModelUnusable,
    ModelWillNotFit,
    SamplingConfig,
)
from tui.engine import Engine, Kernels, LogRing, readable_size
from tui.engine.child import Job, Outcome, run
from tui.engine.self_test import self_test
from tui.engine.verdicts import VerdictStore
from tui.engine.warm_child import WarmChild

GB = 1024**3


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path / "verdicts.json", LogRing())


def test_the_estimate_is_what_the_file_and_the_cache_take(tmp_path: Path, engine: Engine) -> None:
    path = make_tiny_model(tmp_path / "m.gguf", layers=3, embedding=128, heads=4, kv_heads=2, quantization="f32")
    (device,) = engine.estimate(info_of(path), LoadConfig(context_length=1024)).devices
    assert device.device == "CPU"
    # Keys and values of 2 heads of 32, 2 bytes each, in 3 layers and 1,024 cells.
    assert device.kv_cache == 2 * (2 * 32) * 2 * 3 * 1024
    assert 0.9 * path.stat().st_size < device.weights < path.stat().st_size
    assert device.compute > 0
    assert device.total > device.free > 0
    double = engine.estimate(info_of(path), LoadConfig(context_length=2048)).devices[0]
    assert double.kv_cache == 2 * device.kv_cache


def test_an_estimate_is_remembered_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_tiny_model(tmp_path / "m.gguf")
    jobs: list[Job] = []

    def counted(_child: WarmChild, job: Job) -> Outcome:
        if job.kind == "probe":
            jobs.append(job)
        return run(job)

    monkeypatch.setattr(WarmChild, "run", counted)
    for _ in range(2):  # the second engine reads the first one's verdicts from disk
        Engine(tmp_path / "verdicts.json", LogRing()).estimate(info_of(path), LoadConfig())
    assert len(jobs) == 1
    make_tiny_model(path, layers=3)
    Engine(tmp_path / "verdicts.json", LogRing()).estimate(info_of(path), LoadConfig())
    assert len(jobs) == 2


def test_what_was_asked_and_what_was_loaded_are_told(tmp_path: Path) -> None:
    path = make_tiny_model(tmp_path / "m.gguf")
    with loaded(path, LoadConfig(context_length=1000, threads=1)) as model:
        values = {value.name: (value.asked, value.loaded) for value in model.values}
        assert values["context_length"] == ("1,000", "1,000"), "llama.cpp rounds up, which nobody asked for"
        assert values["threads"] == ("1", "1")
        assert values["gpu_layers"][0] == "auto"
        assert model.context_length == 1000


def test_loading_the_same_again_gives_the_same_model(tmp_path: Path, engine: Engine) -> None:
    info = info_of(make_tiny_model(tmp_path / "m.gguf"))
    first = engine.load(info, LoadConfig(threads=1))
    assert engine.load(info, LoadConfig(threads=1)) is first
    other = engine.load(info, LoadConfig(threads=1, context_length=256))
    assert other is not first
    assert engine.loaded() == (other,)
    engine.close()
    assert engine.loaded() == ()


def test_progress_is_told_and_can_stop_the_load(tmp_path: Path, engine: Engine) -> None:
    info = info_of(make_tiny_model(tmp_path / "m.gguf"))
    told: list[float] = []
    engine.load(info, LoadConfig(threads=1), told.append)
    assert told[-1] == 1.0
    assert told == sorted(told)
    engine.close()
    with pytest.raises(Cancelled):
        engine.load(info, LoadConfig(threads=1), lambda _progress: False)
    assert engine.loaded() == ()


@pytest.mark.parametrize(
    ("config", "field", "hint"),
    [
        (LoadConfig(context_length=4096), "load.context_length", "2,048"),
        (LoadConfig(context_length=0), "load.context_length", "from 1 to 2,048"),
        (LoadConfig(context_length=-5), "load.context_length", "from 1 to 2,048"),
        (LoadConfig(context_length=10**9), "load.context_length", "2,048"),
        (LoadConfig(context_length=10**9, rope_frequency_scale=0.1), "load.context_length", "16,777,216"),
        (LoadConfig(parallel=0), "load.parallel", "1 to 256"),
        (LoadConfig(parallel=10**6), "load.parallel", "1 to 256"),
        (LoadConfig(gpu_layers=-3), "load.gpu_layers", "0 to"),
        (LoadConfig(threads=0), "load.threads", "1 to"),
        (LoadConfig(key_cache_type="q9"), "load.key_cache_type", "q8_0"),  # type: ignore[arg-type]
        (LoadConfig(value_cache_type="q8_0", flash_attention="off"), "load.value_cache_type", "flash attention"),
    ],
)
def test_impossible_parameters_are_refused_by_name(
    tmp_path: Path, engine: Engine, config: LoadConfig, field: str, hint: str
) -> None:
    info = replace(info_of(make_tiny_model(tmp_path / "m.gguf")), context_length=2048)
    with pytest.raises(BadRequest) as refusal:
        engine.load(info, config)
    assert refusal.value.field == field
    assert hint in str(refusal.value)


def test_a_context_beyond_memory_is_refused_with_the_figures(tmp_path: Path, engine: Engine) -> None:
    path = make_tiny_model(tmp_path / "m.gguf", layers=8, embedding=256, kv_heads=4, context_length=10**7)
    with pytest.raises(ModelWillNotFit) as refusal:
        engine.load(info_of(path), LoadConfig(context_length=10**7))
    assert refusal.value.needed_bytes > refusal.value.available_bytes > 0
    assert (refusal.value.device, refusal.value.level) == ("CPU", "strict")
    for part in ("KV cache", "strict", "free"):
        assert part in refusal.value.message
    for way in ("context length", "q8_0", "force"):
        assert way in refusal.value.advice
    assert "GPU" not in refusal.value.advice, "nothing of it is on one"


def test_a_cache_type_that_the_model_cannot_take_names_the_reason(tmp_path: Path, engine: Engine) -> None:
    info = info_of(make_tiny_model(tmp_path / "m.gguf"))  # heads of 16, and q8_0 comes in blocks of 32
    with pytest.raises(BadRequest, match="q8_0") as refusal:
        engine.load(info, LoadConfig(key_cache_type="q8_0"))
    assert refusal.value.field == "load.key_cache_type"


def test_a_damaged_file_is_refused_with_llama_cpps_reason(tmp_path: Path, engine: Engine) -> None:
    path = make_tiny_model(tmp_path / "m.gguf")
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(ModelUnusable, match="file bounds") as refusal:
        engine.load(info_of(path), LoadConfig())
    assert "Download it again" in refusal.value.advice


def test_a_file_that_went_away_is_refused(tmp_path: Path, engine: Engine) -> None:
    path = make_tiny_model(tmp_path / "m.gguf")
    info = info_of(path)
    path.unlink()
    with pytest.raises(ModelUnusable, match="cannot be read"):
        engine.load(info, LoadConfig())


def test_a_child_that_is_killed_is_reported_by_its_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dying = tmp_path / "dying"
    dying.write_text(f"#!/bin/sh\necho 'ggml.c:7: GGML_ASSERT(x > 0) failed' >&2\nkill -{signal.SIGSEGV:d} $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    outcome = run(Job("probe", "any.gguf", LoadConfig(), Kernels()))
    assert outcome.crashed
    assert "SIGSEGV" in outcome.problem
    assert "GGML_ASSERT(x > 0)" in outcome.problem


class Machine:
    """A machine on which some of llama.cpp's kernels kill the process."""

    def __init__(self, works: set[Kernels]) -> None:
        self.works = works
        self.tried: list[Kernels] = []

    def __call__(self, job: Job) -> Outcome:
        self.tried.append(job.kernels)
        if job.kernels in self.works:
            return Outcome({"decoded": 4})
        return Outcome(problem="llama.cpp crashed (SIGSEGV).", crashed=True)


def test_the_self_test_passes_on_this_machine_in_a_real_child(tmp_path: Path) -> None:
    result = self_test(VerdictStore(tmp_path / "verdicts.json"), run)
    assert result.summary


def test_kernels_that_crash_are_found_and_avoided_for_good(tmp_path: Path) -> None:
    machine = Machine({Kernels(extra_buffers=False), Kernels(extra_buffers=False, gpu=False)})
    found = self_test(VerdictStore(tmp_path / "verdicts.json"), machine)
    assert found.kernels == Kernels(extra_buffers=False)
    assert "crash" in found.summary
    again = self_test(VerdictStore(tmp_path / "verdicts.json"), Machine(set()))
    assert again == found, "remembered, not tried again"


def test_a_machine_without_repacking_kernels_still_loads_and_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine({Kernels(extra_buffers=False)})
    monkeypatch.setattr("tui.engine.self_test.self_test", lambda store, _run: self_test(store, machine))
    path = make_scripted_model(tmp_path / "m.gguf", "Fine.", quantization="q8_0")
    log = LogRing()
    with loaded(path, log=log) as model:
        assert collect(model.submit([65], SamplingConfig())).text == "Fine."
    assert any(line.level == "warning" and "not repacked" in line.text for line in log.lines())


def test_a_machine_on_which_nothing_works_says_what_to_do(tmp_path: Path) -> None:
    machine = Machine(set())
    with pytest.raises(EngineFault, match="SIGSEGV") as refusal:
        self_test(VerdictStore(tmp_path / "verdicts.json"), machine)
    assert "doctor" in refusal.value.advice
    assert len(machine.tried) == 4


def test_nothing_of_llama_cpps_log_reaches_the_terminal(tmp_path: Path) -> None:
    make_scripted_model(tmp_path / "m.gguf", "Quiet.")
    program = """
import sys
from pathlib import Path
from tests.support.engines import collect, loaded
from tui.domain import SamplingConfig
from tui.engine import LogRing
log = LogRing()
with loaded(Path(sys.argv[1]), log=log) as model:
    assert collect(model.submit([65], SamplingConfig())).text == "Quiet."
assert any(line.source == "llama.cpp" for line in log.lines())
assert sys.getswitchinterval() < 0.001, "whoever draws or reads would hold the engine's thread up"
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "m.gguf")], capture_output=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == (b"", b"")


def test_importing_the_engine_loads_no_native_code() -> None:
    program = "import sys, tui.engine; sys.exit('llama_cpp' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_verdicts_survive_a_damaged_file_and_stay_few(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "verdicts.json"
    path.parent.mkdir()
    path.write_text("{not json")
    store = VerdictStore(path)
    assert store.get("x") is None
    for number in range(1005):
        store.put(f"key {number}", number)
    again = VerdictStore(path)
    assert again.get("key 1004") == 1004
    assert again.get("key 0") is None


def test_sizes_as_people_read_them() -> None:
    assert [readable_size(size) for size in (0, 900, 5 * 1024**2, 4.3 * GB)] == ["0 B", "900 B", "5 MB", "4.3 GB"]


def test_the_log_ring_keeps_the_newest_and_numbers_them() -> None:
    ring = LogRing(capacity=3)
    for number in range(5):
        ring.write("test", "info", f"line {number}")
    assert [line.text for line in ring.lines()] == ["line 2", "line 3", "line 4"]
    assert [line.number for line in ring.lines(after=4)] == [5]
    assert ring.lines(after=5) == []
    assert ring.written == 5
