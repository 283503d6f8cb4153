"""A hundred downloads from a Hub on which everything goes wrong that can."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from random import Random

from tests.models.downloads.conftest import Bench, bench_at
from tests.models.fake_hub import Fault, seeded_plan
from tests.models.hub_models import noise
from tui.models.downloads import Download

SEED = 8
COUNT = 100


def publish(bench: Bench) -> dict[str, dict[str, bytes]]:
    """A hundred repositories: single files, split sets, projectors; some that can never be had."""
    random = Random(SEED)
    published: dict[str, dict[str, bytes]] = {}
    for number in range(COUNT):
        name = f"maker/model-{number:03}"
        stem = f"model-{number:03}-Q4_K_M"
        names = [f"{stem}-{part:05}-of-00003.gguf" for part in (1, 2, 3)] if number % 7 == 0 else [f"{stem}.gguf"]
        if number % 11 == 0:
            names.append("mmproj-F16.gguf")
        files = {file: noise(f"{name}/{file}", random.randint(100, 300_000)) for file in names}
        bench.fake.add(name, dict(files), gated="manual" if number % 25 == 3 else False)
        published[name] = files
    return published


def test_a_hundred_downloads_end_verified_or_with_a_reason(tmp_path: Path) -> None:
    faults = seeded_plan(SEED, rate=0.5)

    def plan(path: str, nth: int) -> Fault:
        # The bytes of these are always wrong: no retry helps.
        return (
            "corrupt" if "model-042" in path and "api" not in path else faults(path, nth) if "api" not in path else ""
        )

    with bench_at(tmp_path, plan, chunk=16 * 1024) as bench:
        published = publish(bench)
        # Nothing begins before all are in the queue.
        bench.close()
        bench.open(at_once=0)
        jobs = {name: bench.add(name) for name in published}
        bench.fake.repositories["maker/model-050"].files.clear()  # taken away between the list and the download
        go_on_in_another_process(bench)
        end_in_the_middle(bench, jobs)
        go_on_in_another_process(bench)
        ended = {name: bench.ended(job) for name, job in jobs.items()}

        completed = {name for name, job in ended.items() if job.state == "completed"}
        failed = {name: job for name, job in ended.items() if job.state == "failed"}
        assert completed | failed.keys() == published.keys()
        assert len(completed) >= COUNT - 6
        for name in completed:
            for file, data in published[name].items():
                assert (
                    hashlib.sha256((bench.models / name / file).read_bytes()).digest() == hashlib.sha256(data).digest()
                )
        for name, job in failed.items():
            assert not list((bench.models / name).glob("*.gguf")), "a failed download has left a file under its name"
            number = int(name[-3:])
            expected = "checksum" if number == 42 else "no file" if number == 50 else "gated"
            assert expected in job.problem, job
            assert job.advice or number == 50
        assert {name for name in failed if "gated" in failed[name].problem} == {
            f"maker/model-{number:03}" for number in (3, 28, 53, 78)
        }
        assert "maker/model-042" in failed
        # All kinds of misfortune were there, or this proves little.
        assert len(bench.fake.faults) == 11
        assert sum(bench.fake.faults.values()) > 80


def end_in_the_middle(bench: Bench, jobs: dict[str, Download]) -> None:
    """Wait until some are done and some are not."""
    end = time.monotonic() + 10
    while len(bench.arrived) < COUNT // 4:
        assert time.monotonic() < end
        bench.queue.wait(0.02)
    bench.close()
    states = [bench.queue.get(job.id).state for job in jobs.values()]
    assert 0 < states.count("completed") < COUNT
    assert states.count("paused") > 10


def go_on_in_another_process(bench: Bench) -> None:
    bench.close()
    bench.open(at_once=12)
    bench.queue.go_on()
