"""Who may load what: the levels, what the refusal says, and what counts as free."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tui.domain import DeviceMemory, Guardrail, GuardrailLevel, LoadConfig, ModelInfo
from tui.engine.free_memory import held_memory, with_free_memory
from tui.engine.guardrail import judge, refusal
from tui.engine.host_memory import HostMemory, host_memory

GB = 1024**3
MODEL = ModelInfo(key="some-model", path=Path("some.gguf"), size=0)


def on_cpu(weights: float, *, free: float, total: float = 16, mapped: bool = True) -> DeviceMemory:
    """A model with a gigabyte of cache and half of one for computing. In GB."""
    size = int(weights * GB)
    return DeviceMemory(
        "CPU", size, GB, GB // 2, int(free * GB), int(total * GB), mapped=size if mapped else 0
    )  # fmt: skip


def on_gpu(weights: float, *, free: float, total: float) -> DeviceMemory:
    return DeviceMemory("CUDA0", int(weights * GB), GB, GB // 2, int(free * GB), int(total * GB))


@pytest.mark.parametrize(
    ("device", "allowing"),
    [
        (on_cpu(6, free=12), "off relaxed balanced strict"),
        # 7.5 of 8.5 GB: 0.8 GB must stay for balanced, 1.6 GB for strict
        (on_cpu(6, free=8.5), "off relaxed balanced"),
        (on_cpu(6, free=8), "off relaxed"),
        (on_cpu(6, free=2), "off relaxed"),
        (on_cpu(6, free=2, mapped=False), "off"),
        (on_cpu(6, free=1.4), "off"),
        (on_cpu(20, free=12), "off"),
        # Large devices need no larger reserve than 1 and 2 GB.
        (on_gpu(60, free=63, total=80), "off relaxed balanced"),
        (on_gpu(60, free=64, total=80), "off relaxed balanced strict"),
        (on_gpu(20, free=21, total=24), "off"),
        # Nobody knows what another machine has.
        (DeviceMemory("RPC0", 900 * GB, GB, GB), "off relaxed balanced strict"),
    ],
)
def test_levels_keep_more_and_more_free(device: DeviceMemory, allowing: str) -> None:
    levels: tuple[GuardrailLevel, ...] = ("off", "relaxed", "balanced", "strict")
    verdicts = {level: judge((device,), Guardrail(level)) for level in levels}
    assert " ".join(level for level in levels if verdicts[level].shortage is None) == allowing
    for estimate in verdicts.values():
        if estimate.shortage is not None:
            assert estimate.shortage.device == device.device
            assert estimate.shortage.needed == device.needed
            assert 0 <= estimate.shortage.allowed <= device.free


def test_strict_is_the_default() -> None:
    assert Guardrail().level == "strict"


def test_own_limit_is_for_all_models_and_devices_together() -> None:
    devices = (on_cpu(2, free=1), on_gpu(4, free=24, total=24))  # 9 GB
    assert judge(devices, Guardrail("custom", 9.0)).shortage is None
    assert judge(devices, Guardrail("custom", 20.0), held=11 * GB).shortage is None
    short = judge(devices, Guardrail("custom", 20.0), held=12 * GB).shortage
    assert short is not None
    assert (short.device, short.needed, short.allowed) == ("", 9 * GB, 8 * GB)
    assert judge(devices, Guardrail("custom")).shortage is None, "0 is no limit"
    words = str(refusal(MODEL, LoadConfig(), judge(devices, Guardrail("custom", 20.0), held=12 * GB)))
    for word in ("9.0 GB in all", "custom", "8.0 GB", "force"):
        assert word in words


def test_the_worst_device_is_named_with_its_figures_and_what_helps() -> None:
    devices = (on_cpu(6, free=7.4), on_gpu(20, free=15, total=24))
    error = refusal(MODEL, LoadConfig(key_cache_type="q8_0", value_cache_type="q8_0"), judge(devices, Guardrail()))
    assert (error.device, error.level) == ("CUDA0", "strict")
    assert error.needed_bytes == int(21.5 * GB)
    assert error.available_bytes == 13 * GB
    for word in ("21.5 GB on CUDA0", "weights 20.0 GB, KV cache 1.0 GB", "15.0 GB of 24.0 GB is free", "13.0 GB"):
        assert word in error.message
    for way in ("context length", "fewer layers", "force"):
        assert way in error.advice
    assert "q8_0" not in error.advice, "it has that already"


def test_idle_conversations_may_take_half_of_what_is_left_and_refuse_nobody() -> None:
    estimate = judge((on_cpu(6, free=12),), Guardrail())
    assert estimate.parked == 2 * GB, "an eighth of the machine, since that is less"
    estimate = judge((on_cpu(6, free=8, mapped=False),), Guardrail("relaxed"))
    assert estimate.parked == GB // 4
    assert judge((on_cpu(6, free=12),), Guardrail(), parks=False).parked == 0


def test_free_memory_is_asked_anew_and_counts_those_who_leave() -> None:
    stale = DeviceMemory("CPU", GB, 0, 0, free=1, total=2)
    elsewhere = DeviceMemory("RPC[10.0.0.7:50052]", GB, 0, 0, free=5 * GB, total=8 * GB)
    (now, remote) = with_free_memory((stale, elsewhere), ())
    host = host_memory()
    assert now.total == host.total
    assert abs(now.free - host.free) < 0.2 * GB
    assert (remote.free, remote.total) == (5 * GB, 8 * GB)
    leaving = DeviceMemory("CPU", GB, GB // 2, GB // 4, mapped=GB)
    assert held_memory((leaving, leaving)) == {"CPU": GB + GB // 2}
    (later, same) = with_free_memory((stale, elsewhere), (leaving,))
    assert later.total >= later.free >= min(host.total, now.free + GB // 2)
    assert same == remote


class Machine:
    """Files as Linux shows them to a process in a control group."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.proc = root / "proc"
        self.proc.mkdir()

    def enter(self, cgroup: str, *mounts: str) -> None:
        (self.proc / "cgroup").write_text(cgroup)
        lines = [f"30 1 0:{number} {mount}" for number, mount in enumerate(mounts)]
        (self.proc / "mountinfo").write_text("\n".join(lines))

    def group(self, path: str, **files: str) -> None:
        folder = self.root / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(text)

    def memory(self) -> HostMemory:
        return host_memory(self.proc)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    real = psutil.virtual_memory()
    monkeypatch.setattr("psutil.virtual_memory", lambda: real._replace(total=64 * GB, available=40 * GB))
    return Machine(tmp_path)


def test_without_control_groups_the_machine_counts(machine: Machine) -> None:
    assert machine.memory() == HostMemory(40 * GB, 64 * GB), "no files at all, as on macOS"
    machine.enter("0::/user.slice\n", f"/ {machine.root}/v2 rw - cgroup2 cgroup rw")
    machine.group("v2/user.slice", memory__max="max\n", memory__current=f"{GB}\n")
    assert machine.memory() == HostMemory(40 * GB, 64 * GB)


def test_a_container_leaves_what_its_limit_leaves_and_the_page_cache(machine: Machine) -> None:
    machine.enter("0::/\n", f"/ {machine.root}/v2 rw,nosuid - cgroup2 cgroup2 rw")
    stat = f"anon {5 * GB}\ninactive_file {GB}\nactive_file {GB // 2}\nslab 7\n"
    machine.group("v2", memory__max=f"{8 * GB}\n", memory__current=f"{7 * GB}\n", memory__stat=stat)
    assert machine.memory() == HostMemory(2 * GB + GB // 2, 8 * GB)


def test_limits_of_the_groups_around_hold_too(machine: Machine) -> None:
    machine.enter("0::/system.slice/deck.service\n", f"/ {machine.root}/v2 rw - cgroup2 none rw")
    machine.group("v2/system.slice/deck.service", memory__max=f"{30 * GB}\n", memory__current=f"{GB}\n")
    machine.group("v2/system.slice", memory__max=f"{20 * GB}\n", memory__current=f"{15 * GB}\n")
    assert machine.memory() == HostMemory(5 * GB, 20 * GB)


def test_the_first_version_of_control_groups_is_read_too(machine: Machine) -> None:
    # A container without a name space of its own: its group is the root of the mount.
    machine.enter(
        "5:devices:/\n4:cpu,memory:/docker/abc\n0::/\n",
        f"/docker/abc {machine.root}/v1 ro - cgroup cgroup rw,cpu,memory",
        f"/ {machine.root}/v2 rw - cgroup2 cgroup rw",
    )
    machine.group(
        "v1",
        memory__limit_in_bytes=f"{4 * GB}\n",
        memory__usage_in_bytes=f"{5 * GB}\n",
        memory__stat=f"cache 5\ntotal_inactive_file {GB // 4}\ntotal_active_file 0\n",
    )
    assert machine.memory() == HostMemory(0, 4 * GB), "a little over its limit, while the kernel makes room"


def test_damaged_figures_are_passed_over(machine: Machine) -> None:
    machine.enter("nonsense\n0::/\n", "broken", f"/ {machine.root}/v2 rw - cgroup2 cgroup rw")
    machine.group("v2", memory__max="lots\n", memory__current="\n")
    assert machine.memory() == HostMemory(40 * GB, 64 * GB)
    machine.group("v2", memory__max=f"{8 * GB}\n", memory__current=f"{GB}\n", memory__stat="inactive_file many\n")
    assert machine.memory() == HostMemory(7 * GB, 8 * GB)
