"""One conversation turn on its way from request to events."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from tui.domain import (
    Cancelled,
    Constraint,
    ContextTrimmed,
    EngineFault,
    Event,
    Failed,
    Finished,
    GenerationRequest,
    GenerationStats,
    LmdeckError,
    Logprobs,
    Message,
    ModelLoading,
    Origin,
    PromptProgress,
    Queued,
    ReasoningDelta,
)
from tui.engine import Delivery, GenerationTask, LoadedModel, LoadProgress
from tui.formats import ChatFormat, Delta, OutputFormat, OutputParser, RenderedPrompt
from tui.inference.overflow import fit_conversation
from tui.inference.stream import EventStream

# Tokens that come within this time are handed on together. Seconds; well below what an eye or a client notices,
# and it keeps this thread from waking for every token of a fast model.
_GATHER = 0.02
# How often `record` is called when nothing comes, so that it can write what it holds. Seconds.
_HEARTBEAT = 0.25

Record = Callable[[Sequence[Event]], None]
"""Sees every event before anybody else does, and an empty sequence now and then. Called from one thread."""


_PRIORITIES: dict[Origin, int] = {"screen": 0, "cli": 0, "server": 10}
"""Lower is served first: somebody who sits and waits before a program."""


class ModelProvider(Protocol):
    """Where a generation gets its model: loaded already, or loaded for it."""

    def __call__(self, request: GenerationRequest, on_progress: LoadProgress) -> LoadedModel: ...


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
    ) -> None:
        self.request = request
        self._provide_model = provide_model
        self._provide_format = provide_format
        self._record = record
        self._stream = EventStream()
        self._cancelled = False
        self._task: GenerationTask | None = None
        self._reasoning_tokens = 0
        self._load_time = 0.0
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

    def cancel(self) -> None:
        """Stop as soon as possible. The last event is then `Finished`, stopped by the person."""
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()

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
        started = time.perf_counter()
        loaded = False

        def progress(fraction: float) -> bool:
            nonlocal loaded
            loaded = True
            self._publish([ModelLoading(fraction)])
            return not self._cancelled

        model = self._provide_model(self.request, progress)
        self._load_time = time.perf_counter() - started if loaded else 0.0
        chat_format = self._provide_format(model)
        prompt, tokens = self._prompt(model, chat_format)
        task = model.submit(
            tokens,
            self.request.sampling,
            constraint=_after_reasoning(self.request.constraint, prompt, chat_format),
            priority=_PRIORITIES[self.request.origin],
            keep_state=self.request.origin == "screen",
        )
        self._task = task
        if self._cancelled:
            task.cancel()
        parser = OutputParser(chat_format.output_format, tools=self.request.tools, reasoning_open=prompt.reasoning_open)
        self._pump(task, parser)

    def _parser(self, output_format: OutputFormat, prompt: RenderedPrompt) -> OutputParser:
        """For the answer. Where nothing can be called, an answer about calls is not mistaken for one."""
        request = self.request
        if not request.tools or request.tool_choice.mode == "none":
            output_format = output_format.without_calls()
        return OutputParser(output_format, tools=request.tools, reasoning_open=prompt.reasoning_open)

    def _prompt(self, model: LoadedModel, chat_format: ChatFormat) -> tuple[RenderedPrompt, list[int]]:
        """What the model is given of the conversation, as text and as tokens."""
        rendered = RenderedPrompt("", reasoning_open=False)

        def tokenize(messages: Sequence[Message]) -> list[int]:
            nonlocal rendered
            if self._cancelled:
                raise Cancelled("The request was cancelled.")
            rendered = chat_format.render(messages)
            return model.vocabulary.tokenize_prompt(rendered.text)

        request = self.request
        fitted = fit_conversation(
            request.messages, request.overflow, tokenize, model.context_length, request.sampling.max_tokens
        )
        if fitted.trimmed:
            self._publish([ContextTrimmed(fitted.dropped, fitted.clipped, len(fitted.tokens))])
        return rendered, fitted.tokens

    def _pump(self, task: GenerationTask, parser: OutputParser) -> None:
        while True:
            delivery = task.mailbox.take(_HEARTBEAT)
            if delivery is None:
                if self._record is not None:
                    self._record(())
                continue
            self._publish(self._translate(delivery, parser))
            if delivery.stats is not None:
                return
            time.sleep(_GATHER)

    def _translate(self, delivery: Delivery, parser: OutputParser) -> list[Event]:
        events: list[Event] = []
        if delivery.position:
            events.append(Queued(delivery.position))
        if delivery.prompt is not None:
            events.append(PromptProgress(*delivery.prompt))
        deltas: list[Delta] = parser.feed(delivery.data, delivery.tokens) if delivery.data or delivery.tokens else []
        if delivery.stats is not None:
            deltas += parser.finish()
        self._reasoning_tokens += sum(delta.tokens for delta in deltas if isinstance(delta, ReasoningDelta))
        events += deltas
        if delivery.logprobs:
            events.append(Logprobs(delivery.logprobs))
        if delivery.stats is not None:
            stats = replace(delivery.stats, reasoning_tokens=self._reasoning_tokens, load_time=self._load_time)
            events.append(Finished(stats) if delivery.error is None else Failed(delivery.error, stats))
        return events

    def _publish(self, events: Sequence[Event]) -> None:
        if self._record is not None and events:
            self._record(events)
        self._stream.publish(events)


def _after_reasoning(
    constraint: Constraint | None, prompt: RenderedPrompt, chat_format: ChatFormat
) -> Constraint | None:
    """The constraint for the answer alone, which begins when the model has done thinking."""
    start = chat_format.output_format.answer_start(prompt.reasoning_open)
    if constraint is None or constraint.after or start is None:
        return constraint
    after, opening = start
    return replace(constraint, after=after, opening=opening)
