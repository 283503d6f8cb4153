"""What a server streams, piece by piece made into events. Servers differ: what makes sense is taken, the rest left."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tui.domain import (
    Event,
    Finished,
    GenerationStats,
    LmdeckError,
    Logprobs,
    ReasoningDelta,
    RemoteEndpoint,
    RemoteFailed,
    StopReason,
    TextDelta,
    TokenLogprob,
    ToolCallArguments,
    ToolCallFinished,
    ToolCallPart,
    ToolCallStarted,
)
from tui.engine.remote.failures import complaint_from, stream_refusal

UNKNOWN_TOKEN = -1
"""The number of a token whose server tells only its text."""

_STOP_REASONS: dict[str, StopReason] = {
    "stop": "eosFound",
    "length": "maxPredictedTokensReached",
    "tool_calls": "toolCalls",
    "function_call": "toolCalls",
}


@dataclass(slots=True)
class _Call:
    """A tool call as far as it has come."""

    index: int
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    told: bool = False


class AnswerReader:
    """Takes the decoded chunks of one chat completion and keeps its figures.

    Servers send a chunk for each token, as a rule. So each counts as one token, for the figures that people watch,
    until the server's own usage says how many there were.
    """

    def __init__(
        self,
        endpoint: RemoteEndpoint,
        *,
        max_tokens: int | None = None,
        context_length: int = 0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.reason: StopReason | None = None
        """Why the answer ended; `None` until the server says so."""
        self._endpoint = endpoint
        self._max_tokens = max_tokens
        self._context_length = context_length
        self._clock = clock
        self._started = clock()
        self._first = self._last = 0.0
        self._counted = self._counted_reasoning = 0
        self._usage: dict[str, Any] = {}
        self._timings: dict[str, Any] = {}
        self._calls: list[_Call] = []
        self._by_number: dict[int, _Call] = {}

    @property
    def begun(self) -> bool:
        """Whether any of the answer has come."""
        return self._counted > 0

    def read(self, value: Any) -> list[Event]:
        """The events of one chunk, or of a whole answer that was not streamed. Raises what the server complains of."""
        if not isinstance(value, dict):
            raise RemoteFailed(
                f"{self._endpoint.name} sent something that is not an answer.", "Is its address right?", status=200
            )
        self._usage = _object(value, "usage") or self._usage
        self._timings = _object(value, "timings") or self._timings
        if value.get("error"):
            raise stream_refusal(self._endpoint, complaint_from(value))
        choices = value.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict) or choice.get("index", 0) not in (0, None):
            return []
        delta = _object(choice, "delta") or _object(choice, "message")
        events: list[Event] = []
        # Some servers send the reasoning by both names.
        if reasoning := _text(delta, "reasoning_content") or _text(delta, "reasoning"):
            self._count()
            self._counted_reasoning += 1
            events.append(ReasoningDelta(reasoning, 1))
        for name in ("content", "refusal"):
            if text := _text(delta, name):
                self._count()
                events.append(TextDelta(text, 1))
        pieces = delta.get("tool_calls")
        for piece in pieces if isinstance(pieces, list) else ():
            if isinstance(piece, dict):
                events += self._read_call(piece)
        if logprobs := _logprobs(choice):
            events.append(Logprobs(logprobs))
        if isinstance(finish := choice.get("finish_reason"), str) and finish:
            self.reason = self._stop_reason(finish, choice)
        return events

    def end(self) -> list[Event]:
        """The last events of an answer that is complete."""
        events: list[Event] = []
        for call in self._calls:
            arguments = "".join(call.arguments)
            if call.told:
                events.append(ToolCallFinished(call.index, ToolCallPart(call.id, call.name, arguments or "{}")))
            elif arguments:  # without a name it is no call, and what a model says is not lost
                events.append(TextDelta(arguments))
        return [*events, Finished(self.stats(self.reason or "eosFound"))]

    def stats(self, reason: StopReason) -> GenerationStats:
        """The figures so far. Speeds are measured here, and so have the network in them."""
        prompt = _count(self._usage, "prompt_tokens")
        generated = _count(self._usage, "completion_tokens") or self._counted
        cached = _count(_object(self._usage, "prompt_tokens_details"), "cached_tokens")
        cached = cached or _count(self._timings, "cache_n")
        reasoning = _count(_object(self._usage, "completion_tokens_details"), "reasoning_tokens")
        wait = self._first - self._started if self.begun else 0.0
        span = self._last - self._first
        return GenerationStats(
            prompt_tokens=prompt,
            cached_prompt_tokens=min(cached, prompt),
            generated_tokens=generated,
            reasoning_tokens=reasoning or self._counted_reasoning,
            time_to_first_token=wait,
            prompt_speed=max(0, prompt - cached) / wait if wait > 0 else 0.0,
            generation_speed=(generated - 1) / span if span > 0 else 0.0,
            draft_tokens_offered=_count(self._timings, "draft_n"),
            draft_tokens_accepted=_count(self._timings, "draft_n_accepted"),
            stop_reason=reason,
            context_used=prompt + generated,
            context_length=self._context_length,
        )

    def _count(self) -> None:
        self._last = self._clock()
        if not self._counted:
            self._first = self._last
        self._counted += 1

    def _stop_reason(self, finish: str, choice: dict[str, Any]) -> StopReason:
        if finish in ("content_filter", "error"):
            raise self._withheld(finish)
        if self._calls and finish == "stop":  # what Ollama says, and others
            return "toolCalls"
        if finish == "length" and self._max_tokens is None:
            return "contextLengthReached"
        # vLLM and SGLang name the text that was found.
        if finish == "stop" and any(isinstance(choice.get(name), str) for name in ("stop_reason", "matched_stop")):
            return "stopStringFound"
        return _STOP_REASONS.get(finish, "eosFound")

    def _withheld(self, finish: str) -> LmdeckError:
        why = "a filter of its content took offence" if finish == "content_filter" else "something failed there"
        return RemoteFailed(f"{self._endpoint.name} ended its answer: {why}.", "What came is kept.", status=200)

    def _read_call(self, piece: dict[str, Any]) -> list[Event]:
        function = _object(piece, "function")
        call = self._call_of(piece, function)
        call.id = call.id or _text(piece, "id")
        call.name = call.name or _text(function, "name")
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments, ensure_ascii=False)
        self._count()
        if isinstance(arguments, str) and arguments:
            call.arguments.append(arguments)
        if call.told:
            return [ToolCallArguments(call.index, arguments, 1)] if isinstance(arguments, str) and arguments else []
        if not call.name:
            return []
        call.told = True
        call.id = call.id or f"call_{uuid.uuid4().hex[:24]}"
        started = ToolCallStarted(call.index, call.id, call.name, 1)
        return [started, ToolCallArguments(call.index, "".join(call.arguments))] if call.arguments else [started]

    def _call_of(self, piece: dict[str, Any], function: dict[str, Any]) -> _Call:
        """The call that a piece belongs to. Some servers give no numbers, some give every call the same one."""
        number, call_id = piece.get("index"), _text(piece, "id")
        if isinstance(number, int):
            known = self._by_number.get(number)
        else:
            known = self._calls[-1] if self._calls and not _text(function, "name") else None
        if known is None or (call_id and known.id and call_id != known.id):
            known = _Call(len(self._calls))
            self._calls.append(known)
        if isinstance(number, int):
            self._by_number[number] = known
        return known


def _logprobs(choice: dict[str, Any]) -> tuple[TokenLogprob, ...]:
    entries = _object(choice, "logprobs").get("content")
    found = []
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            token, data, logprob = _token(entry)
            others = entry.get("top_logprobs")
            known = [_token(other) for other in others if isinstance(other, dict)] if isinstance(others, list) else []
            found.append(TokenLogprob(token, data, logprob, tuple(known)))
    return tuple(found)


def _token(entry: dict[str, Any]) -> tuple[int, bytes, float]:
    raw, number, logprob = entry.get("bytes"), entry.get("id"), entry.get("logprob")
    try:
        data = bytes(raw) if isinstance(raw, list) else _text(entry, "token").encode("utf-8", "replace")
    except (TypeError, ValueError):  # numbers that are no bytes
        data = _text(entry, "token").encode("utf-8", "replace")
    return (
        number if isinstance(number, int) else UNKNOWN_TOKEN,
        data,
        float(logprob) if isinstance(logprob, int | float) else float("-inf"),
    )


def _object(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _count(value: dict[str, Any], name: str) -> int:
    found = value.get(name)
    return found if isinstance(found, int) and 0 < found < 2**53 else 0
