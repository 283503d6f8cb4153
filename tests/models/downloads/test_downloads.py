"""Downloads: what a person may do to them, and what must never happen to a file."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.models.downloads.conftest import Bench, bench_at
from tests.models.fake_hub import TOKEN, Fault, always, well
from tests.models.hub_models import noise
from tui.domain import Busy, HubFailed, ModelNotFound, StorageFailed
from tui.models.downloads import room
from tui.models.downloads.claim import Claim
from tui.models.downloads.rate import Rate
from tui.models.hub import HubFile, Variant

NAME = "maker/model-GGUF"
DATA = noise("model", 400_000)
CHUNK = 20_000


def publish(bench: Bench, *names: str) -> None:
    bench.fake.add(NAME, {name: noise(name, len(DATA)) for name in names or ("m-Q8_0.gguf",)})


def slow(bench: Bench) -> None:
    """From now on a file takes seconds."""
    bench.fake.chunk, bench.fake.delay = CHUNK, 0.1


def fast(bench: Bench) -> None:
    bench.fake.chunk, bench.fake.delay = 64 * 1024, 0.0


def content(bench: Bench, name: str) -> bytes:
    return (bench.models / NAME / name).read_bytes()


def test_a_file_gets_its_name_when_it_is_whole_and_right(bench: Bench) -> None:
    publish(bench)
    slow(bench)
    download = bench.add(NAME)
    bench.until(download, lambda now: now.done > 2 * CHUNK)
    assert bench.on_disk() == {f"{NAME}/m-Q8_0.gguf.part"}
    fast(bench)
    done = bench.ended(download)
    assert done.state == "completed"
    assert (done.part, done.ended > done.started) == (1.0, True)
    assert bench.on_disk() == {f"{NAME}/m-Q8_0.gguf"}
    assert content(bench, "m-Q8_0.gguf") == noise("m-Q8_0.gguf", len(DATA))


def test_it_says_how_fast_it_is_and_how_long_it_takes(bench: Bench) -> None:
    publish(bench)
    slow(bench)
    download = bench.add(NAME)
    now = bench.until(download, lambda now: now.done > 10 * CHUNK)
    assert now.state == "downloading"
    assert 0.3 < now.rate / (CHUNK / 0.1) < 1.7
    assert now.remaining == pytest.approx((now.size - now.done) / now.rate)


def test_pause_and_go_on(bench: Bench) -> None:
    publish(bench)
    slow(bench)
    download = bench.add(NAME)
    bench.until(download, lambda now: now.done > 4 * CHUNK)
    paused = bench.queue.pause(download.id)
    assert paused.state == "paused"
    time.sleep(0.3)
    still = bench.queue.get(download.id)
    assert still.state == "paused"
    before = len(bench.fake.file_requests())
    fast(bench)
    assert bench.queue.resume(download.id).active
    assert bench.ended(download).state == "completed"
    (again,) = bench.fake.file_requests()[before:]
    assert int(again.range.removeprefix("bytes=").removesuffix("-")) >= 4 * CHUNK, "it began from the beginning"


def test_cancel_leaves_nothing(bench: Bench) -> None:
    publish(bench)
    slow(bench)
    download = bench.add(NAME)
    bench.until(download, lambda now: now.done > 0)
    assert bench.queue.cancel(download.id).state == "cancelled"
    deadline = time.monotonic() + 5
    while bench.on_disk():
        assert time.monotonic() < deadline
    fast(bench)
    again = bench.add(NAME)
    assert again.id != download.id
    assert bench.ended(again).state == "completed"


def test_the_same_again_is_the_same_download(bench: Bench) -> None:
    publish(bench)
    slow(bench)
    download = bench.add(NAME)
    assert bench.add(NAME).id == download.id
    bench.queue.pause(download.id)
    fast(bench)
    assert bench.add(NAME).id == download.id
    assert bench.ended(download).state == "completed"
    details = bench.hub.details(NAME)
    assert bench.queue.has(NAME, details.variants[0])
    (bench.models / NAME / "m-Q8_0.gguf").unlink()
    assert not bench.queue.has(NAME, details.variants[0])
    assert bench.ended(bench.add(NAME)).state == "completed"


def test_only_so_many_at_once_and_the_others_wait(tmp_path: Path) -> None:
    with bench_at(tmp_path, chunk=CHUNK, delay=0.1) as bench:
        publish(bench, *(f"m{number}-Q8_0.gguf" for number in range(5)))
        details = bench.hub.details(NAME)
        jobs = [bench.queue.add(NAME, details.revision, one) for one in details.variants]
        bench.until(jobs[2], lambda now: now.done > 0)
        states = sorted(one.state for one in bench.queue.all())
        assert states == ["downloading"] * 3 + ["queued"] * 2
        assert [one.id for one in bench.queue.all()] == [one.id for one in reversed(jobs)]
        fast(bench)
        assert all(bench.ended(job).state == "completed" for job in jobs)


def test_only_the_bad_file_of_a_set_is_fetched_again(tmp_path: Path) -> None:
    def plan(path: str, nth: int) -> Fault:
        return "corrupt" if "00002-of" in path and nth == 0 else ""

    with bench_at(tmp_path, plan) as bench:
        publish(bench, *(f"m-Q8_0-{part:05}-of-00003.gguf" for part in (1, 2, 3)))
        assert bench.ended(bench.add(NAME)).state == "completed"
        counts = [len(bench.fake.file_requests(f"{part:05}-of")) for part in (1, 2, 3)]
        assert counts == [1, 2, 1]


def test_a_set_appears_as_a_whole(bench: Bench) -> None:
    publish(bench, *(f"m-Q8_0-{part:05}-of-00003.gguf" for part in (1, 2, 3)))
    slow(bench)
    download = bench.add(NAME)
    bench.until(download, lambda now: now.files[1].done > 0)
    assert not any(name.endswith(".gguf") for name in bench.on_disk())
    fast(bench)
    bench.ended(download)
    assert len(bench.on_disk()) == 3


def test_a_projector_that_two_choices_share_comes_once(bench: Bench) -> None:
    publish(bench, "m-Q4_0.gguf", "m-Q8_0.gguf", "mmproj-F16.gguf")
    first, second = bench.add(NAME, "Q4_0"), bench.add(NAME, "Q8_0")
    assert bench.ended(first).state == bench.ended(second).state == "completed"
    assert bench.on_disk() == {f"{NAME}/{name}" for name in ("m-Q4_0.gguf", "m-Q8_0.gguf", "mmproj-F16.gguf")}
    assert len(bench.fake.file_requests("mmproj")) == 1


@pytest.mark.parametrize("fault", ["500", "503", "429", "reset", "cut", "stall", "short", "portal", "expired"])
def test_it_tries_again_for_as_long_as_it_takes(tmp_path: Path, fault: Fault) -> None:
    def plan(path: str, nth: int) -> Fault:
        return fault if "Q8_0" in path and nth < 4 else ""

    with bench_at(tmp_path, plan) as bench:
        publish(bench)
        bench.close()
        bench.open(silence=0.1)
        download = bench.add(NAME)
        waiting = bench.until(download, lambda now: now.state == "waiting" or now.over)
        assert waiting.problem
        assert waiting.next_attempt > 0
        assert bench.ended(download).state == "completed"
        assert bench.fake.faults[fault] == 4
        if fault in ("cut", "stall"):
            assert [bool(asked.range) for asked in bench.fake.file_requests()] == [False] + [True] * 4


def test_a_wait_that_the_hub_asks_for_is_kept_and_can_be_cut_short(tmp_path: Path) -> None:
    with bench_at(tmp_path) as bench:
        publish(bench)
        asked = HubFailed("Too many.", status=429, retry_after=30.0)
        assert bench.queue._persistence.wait(1, asked.retry_after) == 30.0
        assert bench.queue._persistence.wait(50, 0.0) <= 0.05

        bench.fake.plan = always("503", "Q8_0")
        object.__setattr__(bench.queue._persistence, "longest_wait", 60.0)
        object.__setattr__(bench.queue._persistence, "first_wait", 60.0)
        try:
            download = bench.add(NAME)
            waiting = bench.until(download, lambda now: now.state == "waiting")
            assert waiting.next_attempt - time.time() > 20
            bench.fake.plan = well
            bench.queue.resume(download.id)
            assert bench.ended(download).state == "completed"
        finally:
            object.__setattr__(bench.queue._persistence, "longest_wait", 0.05)
            object.__setattr__(bench.queue._persistence, "first_wait", 0.01)


def test_the_hub_is_away_for_a_while(tmp_path: Path) -> None:
    with bench_at(tmp_path, chunk=CHUNK, delay=0.05) as bench:
        publish(bench)
        download = bench.add(NAME)
        bench.until(download, lambda now: now.done > 2 * CHUNK)
        bench.fake.plan = always("reset")
        bench.fake.delay = 5.0  # and the connection that there is goes silent
        waiting = bench.until(download, lambda now: now.attempts > 3)
        assert waiting.state in ("waiting", "downloading")
        assert waiting.rate == 0.0 or waiting.state == "downloading"
        fast(bench)
        bench.fake.plan = well
        assert bench.ended(download).state == "completed"


def test_bytes_that_are_always_wrong_end_it(tmp_path: Path) -> None:
    with bench_at(tmp_path, always("corrupt", "Q8_0")) as bench:
        publish(bench)
        failed = bench.ended(bench.add(NAME))
        assert failed.state == "failed"
        assert "3 times with a wrong checksum" in failed.problem
        assert "another network" in failed.advice
        assert not bench.on_disk()
        bench.fake.plan = well
        bench.queue.resume(failed.id)
        assert bench.ended(failed).state == "completed"


def test_what_lies_there_is_checked_before_it_is_trusted(bench: Bench) -> None:
    publish(bench)
    folder = bench.models / NAME
    folder.mkdir(parents=True)
    (folder / "m-Q8_0.gguf.part").write_bytes(bytes(200_000))
    assert bench.ended(bench.add(NAME)).state == "completed"
    assert content(bench, "m-Q8_0.gguf") == noise("m-Q8_0.gguf", len(DATA))
    assert [bool(asked.range) for asked in bench.fake.file_requests()] == [True, False]


@pytest.mark.parametrize("size", [400_000, 900_000])
def test_too_much_lies_there(bench: Bench, size: int) -> None:
    publish(bench)
    folder = bench.models / NAME
    folder.mkdir(parents=True)
    (folder / "m-Q8_0.gguf.part").write_bytes(bytes(size))
    assert bench.ended(bench.add(NAME)).state == "completed"
    assert content(bench, "m-Q8_0.gguf") == noise("m-Q8_0.gguf", len(DATA))


def test_small_files_are_checked_by_the_name_that_git_gives_them(bench: Bench) -> None:
    bench.fake.add(NAME, {"m-Q8_0.gguf": b"GGUF tiny"})
    details = bench.hub.details(NAME)
    (variant,) = details.variants
    assert variant.files[0].checksum.startswith("git:")
    assert bench.ended(bench.add(NAME)).state == "completed"
    wrong = replace(variant, files=(replace(variant.files[0], path="m-Q8_0.gguf", checksum=f"git:{'0' * 40}"),))
    (bench.models / NAME / "m-Q8_0.gguf").unlink()
    failed = bench.ended(bench.queue.add(NAME, details.revision, wrong))
    assert "checksum" in failed.problem


def test_a_gated_model_says_what_to_do_and_works_after_that(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    bench.fake.add(NAME, {"m-Q8_0.gguf": DATA}, gated="auto")
    failed = bench.ended(bench.add(NAME))
    assert failed.state == "failed"
    assert "gated" in failed.problem
    assert f"{bench.fake.url}/{NAME}" in failed.advice
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    bench.queue.resume(failed.id)
    assert bench.ended(failed).state == "completed"
    assert not any(asked.authorized for asked in bench.fake.asked if asked.on_cdn)


def test_no_room(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(bench, "m-Q4_0.gguf", "m-Q8_0.gguf")
    monkeypatch.setattr(room, "free_bytes", lambda _: 500_000)
    slow(bench)
    first = bench.add(NAME, "Q4_0")
    bench.until(first, lambda now: now.done > 0)
    with pytest.raises(StorageFailed, match="for other downloads") as caught:
        bench.add(NAME, "Q8_0")
    assert "LMDECK_MODELS" in caught.value.advice
    fast(bench)
    assert bench.ended(first).state == "completed"
    monkeypatch.setattr(room, "free_bytes", lambda _: 100_000)
    with pytest.raises(StorageFailed, match="391 KB more are needed"):
        bench.add(NAME, "Q8_0")
    assert len(bench.queue.all()) == 1


def test_a_disk_that_refuses_ends_it_with_the_reason(bench: Bench) -> None:
    publish(bench)
    bench.models.mkdir()
    (bench.models / "maker").write_text("a file where a folder should be")
    failed = bench.ended(bench.add(NAME))
    assert failed.state == "failed"
    assert "Not a directory" in failed.problem or "File exists" in failed.problem
    assert failed.advice


def test_names_from_the_hub_cannot_leave_the_models_folder(bench: Bench) -> None:
    for path in ("../../evil.gguf", "/tmp/evil.gguf", "a/../../../evil.gguf"):
        with pytest.raises(HubFailed, match="cannot be the name"):
            bench.queue.add(NAME, "main", Variant("x", "", (HubFile(path, 10),)))
    with pytest.raises(HubFailed):
        bench.queue.add("../..", "main", Variant("x", "", (HubFile("x.gguf", 10),)))
    assert not bench.queue.all()


def test_a_journal_that_somebody_changed_writes_nowhere_else(bench: Bench) -> None:
    publish(bench)
    slow(bench)
    download = bench.add(NAME)
    bench.queue.pause(download.id)
    file = bench.home / "downloads" / f"{download.id}.json"
    file.write_text(file.read_text().replace(f"{NAME}/m-Q8_0.gguf", "../../../evil.gguf"))
    assert not bench.queue.all()
    with pytest.raises(ModelNotFound):
        bench.queue.resume(download.id)
    file.write_text("{")
    (bench.home / "downloads" / "job_0000000000.json").write_bytes(b"\xff\xfe")
    assert not bench.queue.all()


def test_it_goes_on_in_the_next_process(bench: Bench) -> None:
    publish(bench)
    slow(bench)
    download = bench.add(NAME)
    bench.until(download, lambda now: now.done > 4 * CHUNK)
    bench.close()
    fast(bench)
    bench.open()
    assert bench.queue.get(download.id).state == "paused"
    bench.queue.go_on()
    assert bench.ended(download).state == "completed"
    assert content(bench, "m-Q8_0.gguf") == noise("m-Q8_0.gguf", len(DATA))
    assert len(bench.fake.file_requests()) == 2


KILLED = """
import sys, time
from pathlib import Path
from tests.models.downloads.conftest import HURRY
from tui.models.downloads import Downloads
from tui.models.hub import Hub, HubConnection
url, home, name = sys.argv[1:]
connection = HubConnection(url)
queue = Downloads(connection, Path(home) / "models", Path(home) / "downloads", persistence=HURRY)
details = Hub(connection, Path(home) / "stand-ins").details(name)
print(queue.add(name, details.revision, details.variants[0]).id, flush=True)
time.sleep(60)
"""


def test_a_killed_process_loses_nothing_and_nobody_else_meddles_before(bench: Bench) -> None:
    publish(bench)
    slow(bench)
    arguments = [sys.executable, "-c", KILLED, bench.fake.url, str(bench.home), NAME]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        identifier = process.stdout.readline().strip()
        started = bench.queue.get(identifier)
        # What is written is not always on disk at once.
        part = bench.models / NAME / "m-Q8_0.gguf.part"
        deadline = time.monotonic() + 20
        while not part.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert bench.queue.get(identifier).elsewhere
        for command in (bench.queue.pause, bench.queue.resume, bench.queue.cancel, bench.queue.remove):
            with pytest.raises(Busy, match="Another lmdeck"):
                command(identifier)
        assert bench.add(NAME).elsewhere
        os.kill(process.pid, signal.SIGKILL)
    fast(bench)
    assert bench.queue.get(identifier).state == "paused"
    bench.queue.go_on()
    assert bench.ended(started).state == "completed"
    assert content(bench, "m-Q8_0.gguf") == noise("m-Q8_0.gguf", len(DATA))


def test_the_list_is_cleared_of_what_has_ended(bench: Bench) -> None:
    publish(bench)
    slow(bench)
    download = bench.add(NAME)
    with pytest.raises(Busy, match="not ended"):
        bench.queue.remove(download.id)
    fast(bench)
    bench.ended(download)
    bench.queue.remove(download.id)
    assert not bench.queue.all()
    assert bench.on_disk() == {f"{NAME}/m-Q8_0.gguf"}
    with pytest.raises(ModelNotFound):
        bench.queue.get(download.id)


def test_a_claim_is_for_one(tmp_path: Path) -> None:
    one, other = Claim(tmp_path / "x.lock"), Claim(tmp_path / "x.lock")
    assert one.take()
    assert one.take()
    assert not other.take()
    one.give_up()
    assert other.take()


def test_the_rate_is_that_of_the_last_seconds() -> None:
    rate = Rate()
    rate.begin(0.0)
    for tenth in range(200):
        rate.add(1000, tenth / 10)
    assert rate.per_second(20.0) == pytest.approx(10_000, rel=0.05)
    assert rate.per_second(25.0) == pytest.approx(5_000, rel=0.1)
    assert rate.per_second(31.0) == 0.0
    rate.begin(40.0)
    assert rate.per_second(41.0) == 0.0
    rate.add(500, 41.0)
    assert rate.per_second(41.0) == 500.0


def test_checksums_are_those_of_the_hub() -> None:
    assert (
        hashlib.sha1(b"blob 5\0hello", usedforsecurity=False).hexdigest() == "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0"
    )
