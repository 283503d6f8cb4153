"""Short ways to an engine and its answers, for tests of everything that generates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tui.domain import GenerationStats, LmdeckError, LoadConfig, ModelInfo
from tui.engine import Engine, GenerationTask, LoadedModel, LogRing

PATIENCE = 60.0
"""Seconds after which a test gives up waiting for an answer."""


def info_of(path: Path) -> ModelInfo:
    """What the catalogue would say of a made model, as far as the engine cares."""
    return ModelInfo(key=path.stem, path=path, size=path.stat().st_size, files=(path,))


@contextmanager
def loaded(path: Path, config: LoadConfig | None = None, log: LogRing | None = None) -> Iterator[LoadedModel]:
    """The model in an engine of its own, with one thread unless the configuration says otherwise."""
    engine = Engine(path.parent / "verdicts.json", log or LogRing())
    try:
        yield engine.load(info_of(path), config or LoadConfig(threads=1))
    finally:
        engine.close()


@dataclass(frozen=True, slots=True)
class Collected:
    """Everything that came for a task."""

    data: bytes
    tokens: int
    stats: GenerationStats
    error: LmdeckError | None

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


def collect(task: GenerationTask) -> Collected:
    """Read a task to its end."""
    data, tokens = b"", 0
    while True:
        delivery = task.mailbox.take(PATIENCE)
        assert delivery is not None, "the engine stopped answering"
        data += delivery.data
        tokens += delivery.tokens
        if delivery.stats is not None:
            return Collected(data, tokens, delivery.stats, delivery.error)


def first_output(task: GenerationTask) -> bytes:
    """Wait until the task says something."""
    while True:
        delivery = task.mailbox.take(PATIENCE)
        assert delivery is not None, "the engine stopped answering"
        if delivery.data:
            return delivery.data
        assert delivery.stats is None, "the task ended without saying anything"
