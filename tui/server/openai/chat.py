"""Chat completions: the wire request, and the answer in one piece or in chunks."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from tui.domain import (
    BadRequest,
    Event,
    Failed,
    Finished,
    GenerationRequest,
    GenerationStats,
    LmdeckError,
    Logprobs,
    ReasoningDelta,
    StopReason,
    TextDelta,
    TokenLogprob,
    ToolCallArguments,
    ToolCallStarted,
)
from tui.server.answering import Batch
from tui.server.collecting import Collected
from tui.server.dialects import status_of
from tui.server.openai.errors import error_body
from tui.server.openai.fields import ConstraintFields, LoadFields, SamplingFields, reasoning_effort, template_options
from tui.server.openai.messages import WireMessage, WireTool, to_messages, to_tool_choice, to_tools

MOST_CHOICES = 128
_MOST_ALTERNATIVES = 100


class StreamOptions(BaseModel):
    """What a stream says besides the answer."""

    model_config = ConfigDict(extra="ignore")

    include_usage: bool = False


class ChatRequest(SamplingFields, LoadFields, ConstraintFields):
    """`POST /v1/chat/completions`."""

    model: str = ""
    messages: list[WireMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int = Field(1, ge=1, le=MOST_CHOICES)
    max_tokens: int | None = Field(
        None, validation_alias=AliasChoices("max_completion_tokens", "max_tokens", "n_predict", "num_predict")
    )
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=_MOST_ALTERNATIVES)
    tools: list[WireTool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    continue_final_message: bool | None = None
    """Whether a last message of the assistant is gone on from; that is usual where nothing is said."""

    def to_requests(self) -> list[GenerationRequest]:
        """One generation for each choice. Raises BadRequest."""
        tools = to_tools(self.tools)
        alternatives = self.top_logprobs or 0 if self.logprobs else None
        if self.top_logprobs and not self.logprobs:
            raise BadRequest("top_logprobs needs logprobs.", 'Send "logprobs": true too.', field="top_logprobs")
        messages = to_messages(self.messages)
        request = GenerationRequest(
            model=self.model,
            messages=messages,
            sampling=self.sampling(max_tokens=self.max_tokens, top_logprobs=alternatives),
            load=self.load(),
            overflow="stopAtLimit",
            constraint=self.constraint(),
            tools=tools,
            tool_choice=to_tool_choice(self.tool_choice, self.parallel_tool_calls, tools),
            reasoning_effort=reasoning_effort(self.reasoning_effort),
            template_options=template_options(self.chat_template_kwargs),
            continues_answer=self.continue_final_message is not False
            and messages[-1].role == "assistant"
            and not messages[-1].tool_calls,
            ttl=self.ttl,
        )
        return choices_of(self.over_defaults(request, limited=self.max_tokens is not None), self.n)


def choices_of(request: GenerationRequest, count: int) -> list[GenerationRequest]:
    """The request several times, with other seeds where it has one, or all choices would be the same."""
    seed = request.sampling.seed
    if seed is None:
        return [request] * count
    return [replace(request, sampling=replace(request.sampling, seed=(seed + i) % 2**32)) for i in range(count)]


def whole(answers: Sequence[Collected], model: str) -> dict[str, Any]:
    """The answer in one piece."""
    return {
        "id": new_id("chatcmpl"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": model,
        "choices": [
            {
                "index": index,
                "message": _message(answer),
                "logprobs": _logprobs(answer.logprobs),
                "finish_reason": finish_reason(answer.stats.stop_reason, called=bool(answer.tool_calls)),
            }
            for index, answer in enumerate(answers)
        ],
        "usage": usage([answer.stats for answer in answers]),
    }


class Chunks:
    """Events as `chat.completion.chunk` objects. Pure: knows no connection."""

    def __init__(self, model: str, choices: int, *, include_usage: bool) -> None:
        self._head = {
            "id": new_id("chatcmpl"),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": model,
        }
        self._include_usage = include_usage
        self._begun = [False] * choices
        self._called = [False] * choices
        self._stats: list[GenerationStats] = []

    def feed(self, index: int, events: Sequence[Event]) -> list[dict[str, Any]]:
        """What to say for what came for a choice."""
        chunks: list[dict[str, Any]] = []
        logprobs: list[TokenLogprob] = []
        for event in events:
            delta: dict[str, Any] | None = None
            match event:
                case TextDelta(text) if text:
                    delta = {"content": text}
                case ReasoningDelta(text) if text:
                    delta = {"reasoning_content": text, "reasoning": text}
                case ToolCallStarted(call, call_id, name):
                    self._called[index] = True
                    function = {"name": name, "arguments": ""}
                    delta = {"tool_calls": [{"index": call, "id": call_id, "type": "function", "function": function}]}
                case ToolCallArguments(call, text) if text:
                    delta = {"tool_calls": [{"index": call, "function": {"arguments": text}}]}
                case Logprobs(tokens):
                    logprobs.extend(tokens)
                case Finished(stats):
                    self._stats.append(stats)
                    chunks.append(self._chunk(index, {}, logprobs, self._reason(index, stats.stop_reason)))
                    logprobs = []
                case Failed(error):
                    chunks.append(error_body(error, status_of(error)))
                case _:
                    continue
            if delta is not None:
                chunks.append(self._chunk(index, delta, logprobs))
                logprobs = []
        if logprobs:
            chunks.append(self._chunk(index, {}, logprobs))
        return chunks

    def last(self) -> list[dict[str, Any]]:
        """What to say when every choice has ended."""
        if not self._include_usage:
            return []
        return [{**self._head, "choices": [], "usage": usage(self._stats)}]

    def _reason(self, index: int, reason: StopReason) -> str:
        return finish_reason(reason, called=self._called[index])

    def _chunk(
        self, index: int, delta: dict[str, Any], logprobs: Sequence[TokenLogprob], reason: str | None = None
    ) -> dict[str, Any]:
        if not self._begun[index]:
            self._begun[index] = True
            delta = {"role": "assistant", **({"content": ""} if "content" not in delta else {}), **delta}
        choice = {"index": index, "delta": delta, "logprobs": _logprobs(logprobs), "finish_reason": reason}
        extra = {"usage": None} if self._include_usage else {}
        return {**self._head, "choices": [choice], **extra}


class Chunker(Protocol):
    """Makes wire objects of events."""

    def feed(self, index: int, events: Sequence[Event]) -> list[dict[str, Any]]:
        """What to say for what came for a choice."""

    def last(self) -> list[dict[str, Any]]:
        """What to say when every choice has ended."""


async def encode(chunks: Chunker, batches: AsyncIterator[Batch | None]) -> AsyncIterator[bytes]:
    """The stream on the wire: `data:` lines, ended by `[DONE]`."""
    async for batch in batches:
        if batch is None:
            yield b": still here\n\n"
        elif found := chunks.feed(*batch):
            yield b"".join(map(data_line, found))
    yield b"".join(map(data_line, chunks.last())) + b"data: [DONE]\n\n"


def data_line(value: Any) -> bytes:
    """One server-sent event without a name."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n\n"


def finish_reason(reason: StopReason, *, called: bool) -> str:
    """OpenAI's word for why an answer ended."""
    if reason in ("maxPredictedTokensReached", "contextLengthReached"):
        return "length"
    return "tool_calls" if called else "stop"


def usage(stats: Sequence[GenerationStats]) -> dict[str, Any]:
    """Tokens over all choices; they share one prompt."""
    return usage_of_prompts(stats, len(stats))


def usage_of_prompts(stats: Sequence[GenerationStats], choices: int) -> dict[str, Any]:
    """Tokens over all answers, of which each `choices` share one prompt."""
    prompt = sum(one.prompt_tokens for one in stats) // max(1, choices)
    completion = sum(one.generated_tokens for one in stats)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": max((one.cached_prompt_tokens for one in stats), default=0)},
        "completion_tokens_details": {
            "reasoning_tokens": sum(one.reasoning_tokens for one in stats),
            "accepted_prediction_tokens": sum(one.draft_tokens_accepted for one in stats),
            "rejected_prediction_tokens": sum(one.draft_tokens_offered - one.draft_tokens_accepted for one in stats),
        },
    }


def new_id(kind: str) -> str:
    """An identifier that no other answer has."""
    return f"{kind}-{secrets.token_hex(12)}"


def problem_of(events: Sequence[Event]) -> LmdeckError | None:
    """The error among the events, if there is one."""
    return next((event.error for event in events if isinstance(event, Failed)), None)


def _message(answer: Collected) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.reasoning:
        message |= {"reasoning_content": answer.reasoning, "reasoning": answer.reasoning}
    if answer.tool_calls:
        message["content"] = answer.text or None
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in answer.tool_calls
        ]
    return message


def _logprobs(tokens: Sequence[TokenLogprob]) -> dict[str, Any] | None:
    if not tokens:
        return None
    content = [
        {
            **_token(token.data, token.logprob),
            "top_logprobs": [_token(data, logprob) for _, data, logprob in token.alternatives],
        }
        for token in tokens
    ]
    return {"content": content, "refusal": None}


def _token(data: bytes, logprob: float) -> dict[str, Any]:
    # JSON has no infinity; OpenAI itself gives -9999 for what is out of the question.
    return {"token": data.decode("utf-8", "replace"), "bytes": list(data), "logprob": max(logprob, -9999.0)}
