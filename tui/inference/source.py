"""Where the events of an answer come from: a model in this process, or one that is asked elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from tui.domain import Event, GenerationRequest
from tui.engine import Delivery, GenerationTask


class EventSource(Protocol):
    """An answer that has been asked for. `Finished` or `Failed` is its last event, and comes in any case."""

    def take(self, timeout: float) -> Sequence[Event]:
        """What came since the last take, waiting up to `timeout` seconds for something; may be nothing."""

    def cancel(self) -> None:
        """Stop as soon as possible; safe from any thread, any time."""


class AnsweringModel(Protocol):
    """A model that makes events of a request by itself, as one on another machine does."""

    def answer(self, request: GenerationRequest) -> EventSource:
        """Begin to answer. Raises LmdeckError where the request cannot be asked at all."""


class TaskSource:
    """The events of a task that runs in this process's engine."""

    def __init__(self, task: GenerationTask, translate: Callable[[Delivery], Sequence[Event]]) -> None:
        self._task = task
        self._translate = translate

    def take(self, timeout: float) -> Sequence[Event]:
        """What the engine delivered, made into events."""
        delivery = self._task.mailbox.take(timeout)
        return self._translate(delivery) if delivery is not None else ()

    def cancel(self) -> None:
        """Stop the task."""
        self._task.cancel()
