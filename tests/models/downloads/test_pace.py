"""Slow connections: a trickle is left for another connection, and a slow line still brings the file."""

from __future__ import annotations

from pathlib import Path

from tests.models.downloads.conftest import bench_at
from tests.models.fake_hub import Fault, always
from tests.models.hub_models import noise
from tui.models.downloads import Persistence
from tui.models.downloads.pace import Pace

NAME = "maker/model-GGUF"
WANTED, WINDOW, MOST = 1000.0, 30.0, 3


class Line:
    """A line that brings as many bytes a second as the test says, and a clock that goes with it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pace = Pace(WANTED, WINDOW, MOST, lambda: self.now)

    def brings(self, rate: float, seconds: float = WINDOW) -> float | None:
        """Bytes come each second; what the pace says of them, once it says something."""
        for _ in range(round(seconds)):
            self.now += 1.0
            if (found := self.pace.add(round(rate))) is not None:
                self.pace.begin()
                return found
        return None


def test_a_trickle_is_told_after_a_window_and_not_before() -> None:
    line = Line()
    assert line.brings(12, WINDOW - 1) is None
    assert line.brings(12, 1) == 12


def test_a_fast_line_and_short_pauses_of_it_are_left_alone() -> None:
    line = Line()
    for _ in range(20):
        assert line.brings(5000, 20) is None
        assert line.brings(0, 10) is None


def test_a_line_that_becomes_slow_is_told() -> None:
    line = Line()
    assert line.brings(1_000_000, 10 * WINDOW) is None
    assert line.brings(12, 2 * WINDOW) is not None


def test_after_some_connections_that_are_no_faster_the_rate_is_accepted() -> None:
    line = Line()
    told = [line.brings(rate) for rate in (100, 90, 110)]
    assert told == [100, 90, 110]
    for rate in (100, 60, 140, 100):
        assert line.brings(rate) is None


def test_what_was_accepted_is_no_excuse_for_much_less() -> None:
    line = Line()
    while line.brings(400) is not None:
        pass
    assert line.brings(300) is None
    assert line.brings(10) == 10
    # And a line that has no more than that is not tried for ever.
    tries = 0
    while line.brings(10) is not None:
        tries += 1
        assert tries < 10
    assert tries


def test_the_best_of_the_tries_is_what_is_held_to() -> None:
    line = Line()
    assert [line.brings(rate) for rate in (400, 10, 10)] == [400, 10, 10]
    # Once, 400 were to be had: 10 is not what this line has.
    assert line.brings(10) == 10
    assert line.brings(390) is None


def test_each_connection_that_is_faster_gives_another_try() -> None:
    line = Line()
    for rate in (10, 20, 40, 80, 160, 320, 640):
        assert line.brings(rate) == rate
    assert line.brings(1200) is None


def test_a_line_that_has_recovered_is_watched_again() -> None:
    line = Line()
    while line.brings(100) is not None:
        pass
    assert line.brings(100) is None
    assert line.brings(5000, 2 * WINDOW) is None
    assert line.brings(100, 2 * WINDOW) is not None


def impatient(most_tries: int = 3) -> Persistence:
    """Measures over a tenth of a second, and wants ten times as much as a trickle has."""
    return Persistence(first_wait=0.01, longest_wait=0.05, slowest=30_000, window=0.1, most_tries=most_tries)


def test_a_trickling_server_is_left_for_a_fresh_connection_that_goes_on(tmp_path: Path) -> None:
    def plan(path: str, nth: int) -> Fault:
        return "trickle" if "Q8_0" in path and nth == 0 else ""

    data = noise("model", 400_000)  # two minutes of trickling
    with bench_at(tmp_path, plan) as bench:
        bench.fake.add(NAME, {"m-Q8_0.gguf": data})
        bench.close()
        bench.open(persistence=impatient())
        download = bench.add(NAME)
        waiting = bench.until(download, lambda now: bool(now.problem) or now.over)
        assert "a second came; another connection may be faster" in waiting.problem
        assert bench.ended(download).state == "completed"
        assert (bench.models / NAME / "m-Q8_0.gguf").read_bytes() == data
        first, second, *_ = bench.fake.file_requests()
        assert not first.range
        assert int(second.range.removeprefix("bytes=").removesuffix("-")) > 0, "what came was thrown away"


def test_a_line_that_is_slow_itself_brings_the_file_all_the_same(tmp_path: Path) -> None:
    data = noise("model", 4_000)
    with bench_at(tmp_path, always("trickle", "Q8_0")) as bench:
        bench.fake.add(NAME, {"m-Q8_0.gguf": data})
        bench.close()
        bench.open(persistence=impatient())
        assert bench.ended(bench.add(NAME)).state == "completed"
        assert (bench.models / NAME / "m-Q8_0.gguf").read_bytes() == data
        starts = [int(asked.range[6:-1] or 0) for asked in bench.fake.file_requests()]
        assert starts == sorted(set(starts)), "a connection did not go on where the one before it ended"
        assert len(starts) > 3, "it gave in without trying"
        assert bench.fake.sent < 2 * len(data)
