"""A response from its first event to its last: the same code tells it event by event and makes it whole."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tui.domain import (
    BadRequest,
    EngineFault,
    Event,
    Failed,
    Finished,
    GenerationStats,
    LmdeckError,
    Queued,
    ReasoningDelta,
    TextDelta,
    ToolCallArguments,
    ToolCallFinished,
    ToolCallPart,
    ToolCallStarted,
)
from tui.server.answering import Batch
from tui.server.openai.chat import data_line
from tui.server.responses.logprobs import LogprobSharing
from tui.server.responses.output import CallItem, CustomCallItem, FunctionCallItem, OutputItem, ReasoningItem, TextItem
from tui.server.responses.resource import Response, error_of, usage

WireEvent = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the output shall have besides itself."""

    summary: bool = False
    """Reasoning with a summary."""
    sealed_reasoning: bool = False
    """Reasoning also in the form that is handed back as it is."""
    custom_tools: frozenset[str] = frozenset()
    """Tools whose calls bring a text instead of arguments."""


class ResponseEvents:
    """Turns domain events into those of the Responses API. Pure: knows no connection."""

    def __init__(self, response: Response, wanted: Wanted) -> None:
        self._response = dict(response)
        self._wanted = wanted
        self._sharing = LogprobSharing()
        self._told: list[WireEvent] = []
        self._number = 0
        self._items: list[OutputItem] = []
        self._text: TextItem | None = None
        self._reasoning: ReasoningItem | None = None
        self._calls: dict[int, CallItem] = {}
        self._over = False
        self._cancelling = False
        self.error: LmdeckError | None = None
        """Why it failed, if it did."""

    @property
    def id(self) -> str:
        """The response's id."""
        return str(self._response["id"])

    @property
    def over(self) -> bool:
        """Whether the last event was told."""
        return self._over

    def response(self) -> Response:
        """The response as it is now."""
        return {**self._response, "output": [item.so_far() for item in self._items]}

    def cancel(self) -> None:
        """From now on, an answer that is stopped was stopped by whoever asked for it."""
        self._cancelling = True

    def begin(self) -> list[WireEvent]:
        """What is told before anything is there."""
        self._tell_response("created")
        self._tell_response(self._response["status"])
        return self._taken()

    def feed(self, events: Sequence[Event]) -> list[WireEvent]:
        """What to tell of what came. Nothing comes after the end."""
        for event, logprobs in self._sharing.share(events):
            if self._over:
                break
            if self._response["status"] == "queued" and not isinstance(event, Queued):
                self._response["status"] = "in_progress"
                self._tell_response("in_progress")
            self._take_in(event, logprobs)
        return self._taken()

    def _take_in(self, event: Event, logprobs: list[dict[str, Any]]) -> None:
        match event:
            case TextDelta(text) if text:
                self._open_text().add(text, logprobs)
            case ReasoningDelta(text) if text:
                self._open_reasoning().add(text)
            case ToolCallStarted(index, call_id, name):
                self._open_call(index, call_id, name)
            case ToolCallArguments(index, text) if text and index in self._calls:
                self._calls[index].add(text)
            case ToolCallFinished(index, ToolCallPart(call_id, name, arguments)):
                if index not in self._calls:
                    self._open_call(index, call_id, name)
                self._calls[index].finish(arguments)
            case Finished(stats):
                self._finish(stats)
            case Failed(error, stats):
                self._fail(error, stats)
            case _:
                return

    def _finish(self, stats: GenerationStats) -> None:
        match stats.stop_reason:
            case "maxPredictedTokensReached" | "contextLengthReached":
                # Both mean that there was no room for more; OpenAI has one word for that.
                self._response["incomplete_details"] = {"reason": "max_output_tokens"}
                self._end("incomplete", stats)
            case "userStopped" if self._cancelling:
                self._end("cancelled", stats)
            case "userStopped":
                self._fail(EngineFault("The server stopped before the response was complete.", "Ask again."), stats)
            case "modelUnloaded":
                self._fail(EngineFault("The model was unloaded while it answered.", "Ask again."), stats)
            case _:
                if all(isinstance(item, ReasoningItem) for item in self._items):
                    self._open_text()  # clients take a response without a message for one that goes on
                self._response["completed_at"] = int(time.time())
                self._end("completed", stats)

    def _fail(self, error: LmdeckError, stats: GenerationStats | None) -> None:
        self.error = error
        self._response["error"] = error_of(error)
        self._close_all("incomplete")
        field = error.field if isinstance(error, BadRequest) else None
        self._tell("error", **self._response["error"], param=field)
        self._end("failed", stats)

    def _end(self, status: str, stats: GenerationStats | None) -> None:
        self._close_all("completed" if status == "completed" else "incomplete")
        self._response["status"] = status
        self._response["usage"] = usage(stats) if stats is not None else None
        # There is no event for a response that was cancelled; clients wait for one of those that they know.
        self._tell_response("incomplete" if status == "cancelled" else status)
        self._over = True

    def _open_text(self) -> TextItem:
        if self._text is None:
            self._close_open()
            self._text = TextItem(len(self._items), self._tell_more)
            self._items.append(self._text)
        return self._text

    def _open_reasoning(self) -> ReasoningItem:
        if self._reasoning is None:
            self._close_open()
            summary, seal = self._wanted.summary, self._wanted.sealed_reasoning
            self._reasoning = ReasoningItem(len(self._items), self._tell_more, summary=summary, seal=seal)
            self._items.append(self._reasoning)
        return self._reasoning

    def _open_call(self, index: int, call_id: str, name: str) -> None:
        self._close_open()
        kind = CustomCallItem if name in self._wanted.custom_tools else FunctionCallItem
        self._calls[index] = kind(len(self._items), self._tell_more, call_id, name)
        self._items.append(self._calls[index])

    def _close_open(self) -> None:
        """Text and reasoning end where something else begins; calls end by themselves."""
        for item in (self._text, self._reasoning):
            if item is not None:
                item.close()
        self._text = self._reasoning = None

    def _close_all(self, status: str) -> None:
        for item in self._items:
            item.close(status)

    def _tell_response(self, kind: str) -> None:
        self._tell(f"response.{kind}", response=self.response())

    def _tell_more(self, kind: str, **fields: Any) -> None:
        self._tell(f"response.{kind}", **fields)

    def _tell(self, kind: str, **fields: Any) -> None:
        self._told.append({"type": kind, **fields, "sequence_number": self._number})
        self._number += 1

    def _taken(self) -> list[WireEvent]:
        told, self._told = self._told, []
        return told


async def telling(
    events: ResponseEvents, batches: AsyncIterator[Batch | None], keep: Callable[[Response], Awaitable[None]]
) -> AsyncIterator[list[WireEvent] | None]:
    """All that is told of a response; `None` now and then while nothing is.

    It is kept before its last event goes out, so that whoever continues it at once finds it.
    """
    yield events.begin()
    async for batch in batches:
        if batch is None:
            yield None
            continue
        told = events.feed(batch[1])
        if told:
            if events.over:
                await keep(events.response())
            yield told


def on_the_wire(told: Sequence[WireEvent] | None) -> bytes:
    """Server-sent events; a comment that keeps the connection where nothing is told."""
    if told is None:
        return b": still here\n\n"
    return b"".join(b"event: " + event["type"].encode() + b"\n" + data_line(event) for event in told)
