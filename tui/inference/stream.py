"""Events on their way from the thread that makes them to whoever reads them: polled, iterated or awaited."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from tui.domain import Event, Failed, Finished, ReasoningDelta, TextDelta


class EventStream:
    """Holds events until they are read. One writer, one reader; the writer never waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self._ended = False
        self._wake_reader: Callable[[], object] | None = None

    @property
    def done(self) -> bool:
        """Whether the last event was published. It may still wait to be taken."""
        return self._ended

    def publish(self, events: Sequence[Event]) -> None:
        """Add events. A `Finished` or `Failed` ends the stream; what is published after it is dropped."""
        if not events:
            return
        with self._changed:
            if self._ended:
                return
            self._events.extend(events)
            self._ended = isinstance(events[-1], Finished | Failed)
            self._changed.notify_all()
            wake = self._wake_reader
        if wake is not None:
            wake()

    def take(self, timeout: float = 0.0) -> list[Event]:
        """What came since the last take, neighbouring deltas joined; waits up to `timeout` seconds for something."""
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._ended, timeout)
            events, self._events = self._events, []
        return _joined(events)

    def __iter__(self) -> Iterator[Event]:
        """Every event to the last, waiting for each."""
        while not (self._ended and not self._events):
            yield from self.take(timeout=1.0)

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The same without blocking the event loop."""
        async for events in self.batches():
            for event in events:
                yield event

    async def batches(self) -> AsyncIterator[list[Event]]:
        """The same with what comes together in one list."""
        loop = asyncio.get_running_loop()
        news = asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(news.set)

        self._wake_reader = wake
        try:
            while True:
                news.clear()
                if events := self.take():
                    yield events
                if self._ended and not self._events:
                    return
                await news.wait()
        finally:
            self._wake_reader = None


def _joined(events: list[Event]) -> list[Event]:
    """The same events with runs of deltas made into one each, so that a slow reader draws once."""
    result: list[Event] = []
    texts: list[str] = []
    tokens = 0
    for index, event in enumerate(events):
        if not isinstance(event, TextDelta | ReasoningDelta):
            result.append(event)
            continue
        texts.append(event.text)
        tokens += event.tokens
        if index + 1 == len(events) or type(events[index + 1]) is not type(event):
            result.append(type(event)("".join(texts), tokens))
            texts, tokens = [], 0
    return result
