"""How much of the machine's memory this process may still take, control groups included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HostMemory:
    """Bytes of ordinary memory: what is free for a new model, and all that there is."""

    free: int
    total: int


@dataclass(frozen=True, slots=True)
class _Files:
    """Where one version of control groups says what it limits."""

    limit: str
    usage: str
    cached: tuple[str, ...]
    """Lines of `memory.stat` with bytes of the page cache, which the kernel takes back before it refuses memory."""


# Linux: Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst
_VERSION_1 = _Files(
    "memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")
)  # fmt: skip
_VERSION_2 = _Files("memory.max", "memory.current", ("inactive_file", "active_file"))


def host_memory(proc: Path = Path("/proc/self")) -> HostMemory:
    """The lesser of what the machine has available and what each control group around this process leaves.

    In a container the machine's own figures say nothing: the kernel kills who exceeds the group's limit. The page
    cache of a group counts as free, as it does for the machine (MemAvailable); weights that are mapped lie there.
    """
    import psutil

    machine = psutil.virtual_memory()
    free, total = int(machine.available), int(machine.total)
    for folder, files in _groups(proc):
        limit = _number(folder / files.limit)
        usage = _number(folder / files.usage)
        if limit is None or usage is None or limit >= machine.total:
            continue
        total = min(total, limit)
        free = min(free, max(0, limit - usage + _cached(folder, files)))
    return HostMemory(free, total)


def _groups(proc: Path) -> Iterator[tuple[Path, _Files]]:
    """The folders of this process's memory groups, each with its parents, whose limits hold too."""
    try:
        lines = (proc / "cgroup").read_text().splitlines()
        mounts = (proc / "mountinfo").read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        files = _VERSION_1 if controllers else _VERSION_2
        for root, point in _mounts(mounts, files):
            inside = Path(path).relative_to(root) if Path(path).is_relative_to(root) else Path()
            folder = point / inside
            yield folder, files
            for _ in inside.parts:
                folder = folder.parent
                yield folder, files


def _mounts(lines: list[str], files: _Files) -> Iterator[tuple[Path, Path]]:
    """Which group lies at which place in the file system: the lines of proc(5) `mountinfo` that are of this kind."""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        version_1 = kind[0] == "cgroup" and "memory" in kind[2].split(",")
        if version_1 if files is _VERSION_1 else kind[0] == "cgroup2":
            yield Path(fields[3]), Path(fields[4])


def _cached(folder: Path, files: _Files) -> int:
    try:
        lines = (folder / "memory.stat").read_text().splitlines()
        stat = dict(line.split(maxsplit=1) for line in lines if " " in line)
        return sum(int(stat.get(name, 0)) for name in files.cached)
    except (OSError, ValueError):
        return 0


def _number(file: Path) -> int | None:
    """The bytes in a file; `None` where there is no such file or it says `max`."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
