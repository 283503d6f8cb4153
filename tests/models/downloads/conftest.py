"""A queue of downloads from a fake Hub, in a hurry."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.models.fake_hub import FakeHub, Plan, fake_hub
from tui.models.downloads import Download, Downloads, Persistence
from tui.models.hub import Hub, HubConnection
from tui.models.hub.connection import Patience

HURRY = Persistence(first_wait=0.01, longest_wait=0.05)
LIMIT = 20.0
"""Seconds after which a test that waits for a download has failed."""


class Bench:
    """A fake Hub, and one process's queue that downloads from it."""

    def __init__(self, home: Path, hub: FakeHub) -> None:
        self.home = home
        self.fake = hub
        self.models = home / "models"
        self.arrived: list[Download] = []
        self.open()

    def open(self, at_once: int = 3, silence: float = 0.3, persistence: Persistence = HURRY) -> None:
        """Start as a fresh process would."""
        self.connection = HubConnection(self.fake.url, Patience(connect=2.0, silence=silence))
        self.hub = Hub(self.connection, self.home / "stand-ins")
        self.queue = Downloads(
            self.connection,
            self.models,
            self.home / "downloads",
            persistence=persistence,
            at_once=at_once,
            arrived=self.arrived.append,
        )

    def close(self) -> None:
        """End as a process does that is told to."""
        self.queue.close()
        self.connection.close()

    def add(self, repository: str, name: str = "") -> Download:
        """Download one variant, the smallest if none is named."""
        details = self.hub.details(repository)
        variant = next(one for one in details.variants if name in ("", one.name))
        return self.queue.add(repository, details.revision, variant)

    def until(self, download: Download, condition: Callable[[Download], bool]) -> Download:
        """Wait until a download is as wanted."""
        end = time.monotonic() + LIMIT
        while True:
            now = self.queue.get(download.id)
            if condition(now):
                return now
            assert time.monotonic() < end, f"it never came: {now}"
            self.queue.wait(0.02)

    def ended(self, download: Download) -> Download:
        """Wait for the end of a download."""
        return self.until(download, lambda now: now.over)

    def on_disk(self) -> set[str]:
        """Every file below the models folder."""
        return {path.relative_to(self.models).as_posix() for path in self.models.rglob("*") if path.is_file()}


@contextmanager
def bench_at(home: Path, plan: Plan | None = None, **settings: float) -> Iterator[Bench]:
    """A bench for the length of a block."""
    with fake_hub(plan, **settings) as hub:
        bench = Bench(home, hub)
        try:
            yield bench
        finally:
            bench.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """One on which nothing goes wrong."""
    with bench_at(tmp_path) as bench:
        yield bench
