"""Where engine and screen meet: one timer drains every running answer.

The engine never calls into the screen. Drawing per token would cost the engine two fifths of its speed on two
cores, drawing twenty times a second costs six hundredths.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tui.app.running_answer import RunningAnswer

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.workbench import Answer

INTERVAL = 0.05
"""Seconds between two drains."""

Said = tuple[str, str]
"""Text and reasoning."""

NOTHING: Said = ("", "")


class Watcher(Protocol):
    """Whoever shows answers."""

    def answer_started(self, answer: RunningAnswer) -> None:
        """An answer has begun."""

    def answer_grew(self, answer: RunningAnswer, text: str, reasoning: str) -> None:
        """Time has passed, and this much came."""

    def answer_ended(self, answer: RunningAnswer) -> None:
        """An answer is complete, stopped or failed."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a model shall do in a thread as soon as there is one."""

    message_id: str
    """The message to be answered, or the answer to be continued."""
    continues: bool = False


class Bridge:
    """The answers of all threads: the running ones, and the last one of each thread for as long as we run."""

    def __init__(self, *watchers: Watcher, clock: Callable[[], float] = time.monotonic) -> None:
        self.watchers = list(watchers)
        self.waiting: dict[str, Waiting] = {}
        """Threads in which something waits for a model."""
        self._clock = clock
        self._timer: Timer | None = None
        self.answers: dict[str, RunningAnswer] = {}

    def use_timer(self, timer: Timer) -> None:
        """Take a paused timer that calls `drain`; it runs only while an answer does."""
        self._timer = timer

    async def start(
        self, thread_id: str, model: str, begin: Callable[[], Answer], *, parent_id: str = "", so_far: Said = NOTHING
    ) -> RunningAnswer:
        """Begin an answer off the event loop, to the message `parent_id`, going on from what was said so far.

        Raises what `begin` raises.
        """
        started = self._clock()
        answer = await asyncio.to_thread(begin)
        running = RunningAnswer(
            thread_id,
            answer.message_id,
            model,
            answer.generation,
            started,
            time.time(),
            text=so_far[0],
            reasoning=so_far[1],
            parent_id=parent_id,
        )
        self.answers[thread_id] = running
        for watcher in self.watchers:
            watcher.answer_started(running)
        if self._timer is not None:
            self._timer.resume()
        return running

    def running(self, thread_id: str) -> RunningAnswer | None:
        """The answer that is being made in a thread, if there is one."""
        answer = self.answers.get(thread_id)
        return answer if answer is not None and not answer.ended else None

    @property
    def running_threads(self) -> frozenset[str]:
        """The threads in which a model is answering."""
        return frozenset(thread_id for thread_id, answer in self.answers.items() if not answer.ended)

    def speed(self, answer: RunningAnswer) -> float:
        """Tokens per second of an answer, at this moment."""
        return answer.speed(self._clock())

    def stop(self, thread_id: str) -> bool:
        """Stop the answer of a thread; false if none runs there. What came is kept."""
        answer = self.running(thread_id)
        if answer is not None:
            answer.generation.cancel()
        return answer is not None

    def drain(self) -> None:
        """Take what every running answer has brought, and tell the watcher."""
        now = self._clock()
        for thread_id in self.running_threads:
            answer = self.answers[thread_id]
            text, reasoning = answer.absorb(answer.generation.take(), now)
            for watcher in self.watchers:
                watcher.answer_grew(answer, text, reasoning)
                if answer.ended:
                    watcher.answer_ended(answer)
        if self._timer is not None and not self.running_threads:
            self._timer.pause()
