"""Answers that a test dictates, event by event, in place of a model's."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import openai
import pytest

from tests.server.conftest import Running
from tui.domain import Event, Finished, GenerationRequest, GenerationStats, TextDelta
from tui.inference.stream import EventStream

STATS = GenerationStats(prompt_tokens=20, cached_prompt_tokens=5, generated_tokens=7, reasoning_tokens=3)


class Dictated:
    """A generation whose events a test publishes."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.stream = EventStream()
        self.prompt = "what the model was given"
        self.stream.publish(events)

    @property
    def done(self) -> bool:
        return self.stream.done

    def batches(self) -> AsyncIterator[list[Event]]:
        return self.stream.batches()

    def cancel(self) -> None:
        self.stream.publish([Finished(GenerationStats(stop_reason="userStopped"))])


class Dictation:
    """What the model is going to say, and what it was asked."""

    def __init__(self) -> None:
        self.requests: list[GenerationRequest] = []
        self.generations: list[Dictated] = []
        self._waiting: list[Sequence[Event]] = []

    def next(self, *events: Event, ends: bool = True) -> None:
        """The next request is answered with these; one that does not end goes on until the test or a client ends it."""
        self._waiting.append([*events, Finished(STATS)] if ends else events)

    def generate(self, request: GenerationRequest, _record: object = None) -> Dictated:
        self.requests.append(request)
        generation = Dictated(self._waiting.pop(0) if self._waiting else [TextDelta("Yes."), Finished(STATS)])
        self.generations.append(generation)
        return generation


@pytest.fixture
def dictation(running: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dictation]:
    dictation = Dictation()
    monkeypatch.setattr(running.workbench, "generate", dictation.generate)
    yield dictation
    for generation in dictation.generations:
        generation.cancel()


@pytest.fixture
def client(running: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=running.openai, api_key="none", max_retries=0)


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
