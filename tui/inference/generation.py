"""One conversation turn on its way from request to events."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Protocol

from tui.domain import (
    Cancelled,
    EngineFault,
    Event,
    Failed,
    Finished,
    GenerationRequest,
    GenerationStats,
    LmdeckError,
    ModelLoading,
    PromptProgress,
    Queued,
)
from tui.engine import LoadedModel, LoadProgress
from tui.formats import ChatFormat
from tui.inference.local import read_prompt, submit
from tui.inference.source import AnsweringModel, EventSource
from tui.inference.stream import EventStream

# Tokens that come within this time are handed on together. Seconds; well below what an eye or a client notices,
# and it keeps this thread from waking for every token of a fast model.
_GATHER = 0.02
# How often `record` is called when nothing comes, so that it can write what it holds. Seconds.
_HEARTBEAT = 0.25

Record = Callable[[Sequence[Event]], None]
"""Sees every event before anybody else does, and an empty sequence now and then. Called from one thread."""


class ModelProvider(Protocol):
    """Where a generation gets its model: loaded already, loaded for it, or one that answers by itself."""

    def __call__(self, request: GenerationRequest, on_progress: LoadProgress) -> LoadedModel | AnsweringModel: ...


class FormatProvider(Protocol):
    """Where a generation gets the chat format of its model."""

    def __call__(self, model: LoadedModel) -> ChatFormat: ...


class Generation:
    """An answer in the making. Its thread loads, renders, submits and parses; nothing of that blocks a reader.

    Read it with `take` (polling), `for` (blocking) or `async for`; one reader at a time.
    """

    def __init__(
        self,
        request: GenerationRequest,
        provide_model: ModelProvider,
        provide_format: FormatProvider,
        record: Record | None = None,
        settle: Callable[[GenerationRequest], GenerationRequest] | None = None,
    ) -> None:
        """`settle` decides what the request leaves open. It may read the disk, and raise LmdeckError."""
        self.request = request
        self._provide_model = provide_model
        self._provide_format = provide_format
        self._record = record
        self._settle = settle
        self._stream = EventStream()
        self._cancelled = False
        self._source: EventSource | None = None
        self._load_time = 0.0
        self.prompt = ""
        """What the model was given, once that is known; empty for a model elsewhere."""
        self._thread = threading.Thread(target=self._run, name="lmdeck-generation", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has ended; its last events may still wait to be taken."""
        return self._stream.done

    def take(self) -> list[Event]:
        """What came since the last take. Never blocks."""
        return self._stream.take()

    def __iter__(self) -> Iterator[Event]:
        return iter(self._stream)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._stream.__aiter__()

    def batches(self) -> AsyncIterator[list[Event]]:
        """Events without blocking the event loop, what comes together in one list."""
        return self._stream.batches()

    def cancel(self) -> None:
        """Stop as soon as possible. The last event is then `Finished`, stopped by the person."""
        self._cancelled = True
        if self._source is not None:
            self._source.cancel()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything is published and recorded; False if that took longer than `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._generate()
        except Cancelled:
            self._publish([Finished(GenerationStats(stop_reason="userStopped"))])
        except LmdeckError as problem:
            self._publish([Failed(problem)])
        except Exception as problem:
            # A defect of ours must end this answer, not the program, and must be seen.
            self._publish(
                [Failed(EngineFault(f"Something went wrong inside lmdeck: {problem!r}", "Please report it."))]
            )

    def _generate(self) -> None:
        if self._settle is not None:
            self.request = self._settle(self.request)
        started = time.perf_counter()
        loaded = retried = False

        def progress(fraction: float) -> bool:
            nonlocal loaded
            loaded = True
            self._publish([ModelLoading(fraction)])
            return not self._cancelled

        while True:
            model = self._provide_model(self.request, progress)
            self._load_time = time.perf_counter() - started if loaded else 0.0
            try:
                source = self._submit(model) if isinstance(model, LoadedModel) else model.answer(self.request)
                break
            except EngineFault:
                # Somebody unloaded it between the two steps; it is loaded again for this request, but not for ever.
                if retried or not (isinstance(model, LoadedModel) and model.closed):
                    raise
                retried = True
        self._source = source
        if self._cancelled:
            source.cancel()
        self._pump(source)

    def _submit(self, model: LoadedModel) -> EventSource:
        """Hand the conversation to a model in this process."""
        try:
            prompt = read_prompt(model, self._provide_format(model), self.request, lambda: self._cancelled)
            self.prompt = prompt.text
            if prompt.trimmed is not None:
                self._publish([prompt.trimmed])
            return submit(model, prompt, self.request, self._load_time)
        finally:
            model.release()

    def _pump(self, source: EventSource) -> None:
        while True:
            events = source.take(_HEARTBEAT)
            if not events:
                if self._record is not None:
                    self._record(())
                continue
            self._publish(events)
            if isinstance(events[-1], Finished | Failed):
                return
            if not isinstance(events[-1], Queued | PromptProgress):  # or the first word would come late
                time.sleep(_GATHER)

    def _publish(self, events: Sequence[Event]) -> None:
        if self._record is not None and events:
            self._record(events)
        self._stream.publish(events)
