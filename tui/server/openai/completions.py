"""Completions of a bare prompt, which older clients and editors use."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pydantic import AliasChoices, Field

from tui.domain import (
    BadRequest,
    Event,
    Failed,
    Finished,
    GenerationRequest,
    GenerationStats,
    Logprobs,
    RawPrompt,
    TextDelta,
    TokenLogprob,
)
from tui.server.collecting import Collected
from tui.server.dialects import status_of
from tui.server.openai.chat import (
    MOST_CHOICES,
    StreamOptions,
    choices_of,
    finish_reason,
    new_id,
    usage_of_prompts,
)
from tui.server.openai.errors import error_body
from tui.server.openai.fields import ConstraintFields, LoadFields, SamplingFields

# What OpenAI takes where a request says nothing.
_USUAL_LENGTH = 16
_MOST_PROMPTS = 256


class CompletionRequest(SamplingFields, LoadFields, ConstraintFields):
    """`POST /v1/completions`."""

    model: str = ""
    prompt: str | list[str] | list[int] | list[list[int]] = ""
    suffix: str | None = None
    echo: bool = False
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int = Field(1, ge=1, le=MOST_CHOICES)
    best_of: int | None = Field(None, ge=1, le=MOST_CHOICES)
    max_tokens: int | None = Field(None, validation_alias=AliasChoices("max_tokens", "n_predict", "num_predict"))
    logprobs: int | None = Field(None, ge=0, le=100)

    def prompts(self) -> list[RawPrompt]:
        """What is to be completed. Raises BadRequest."""
        given = self.prompt
        alone = isinstance(given, str) or (given and isinstance(given[0], int))
        inputs: list[Any] = [given] if alone else list(given)
        if not inputs or len(inputs) > _MOST_PROMPTS:
            raise BadRequest(f"There are {len(inputs):,} prompts.", f"Send 1 to {_MOST_PROMPTS}.", field="prompt")
        if self.suffix is not None and any(not isinstance(prompt, str) for prompt in inputs):
            raise BadRequest("A suffix needs a prompt of text.", "Send texts, not tokens.", field="suffix")
        return [
            RawPrompt(text=prompt, suffix=self.suffix) if isinstance(prompt, str) else RawPrompt(tokens=tuple(prompt))
            for prompt in inputs
        ]

    def to_requests(self) -> list[GenerationRequest]:
        """One generation for each choice of each prompt. Raises BadRequest."""
        if self.best_of is not None and self.best_of != self.n:
            raise BadRequest("best_of other than n is not known here.", "Leave it out.", field="best_of")
        if self.echo and self.logprobs is not None:
            raise BadRequest("Log-probabilities of the prompt are not known here.", "Ask without echo.", field="echo")
        limit = _USUAL_LENGTH if self.max_tokens is None else self.max_tokens
        sampling = self.sampling(max_tokens=limit, top_logprobs=self.logprobs)
        return [
            choice
            for prompt in self.prompts()
            for choice in choices_of(
                self.over_defaults(
                    GenerationRequest(
                        model=self.model,
                        messages=(),
                        sampling=sampling,
                        load=self.load(),
                        overflow="stopAtLimit",
                        constraint=self.constraint(),
                        raw_prompt=prompt,
                        ttl=self.ttl,
                    ),
                    limited=self.max_tokens is not None,
                ),
                self.n,
            )
        ]

    def echoes(self) -> list[str]:
        """What stands before each choice."""
        if not self.echo:
            return [""] * (len(self.prompts()) * self.n)
        texts = [prompt.text for prompt in self.prompts()]
        if not all(texts):
            raise BadRequest("Only prompts of text can be echoed.", "Send texts, not tokens.", field="echo")
        return [text for text in texts for _ in range(self.n)]


def whole(wire: CompletionRequest, answers: Sequence[Collected], model: str) -> dict[str, Any]:
    """The completions in one piece."""
    return {
        **_head(model),
        "choices": [
            {
                "index": index,
                "text": echo + answer.text,
                "logprobs": _logprobs(answer.logprobs, len(echo)) if wire.logprobs is not None else None,
                "finish_reason": finish_reason(answer.stats.stop_reason, called=False),
            }
            for index, (answer, echo) in enumerate(zip(answers, wire.echoes(), strict=True))
        ],
        "usage": usage_of_prompts([answer.stats for answer in answers], wire.n),
    }


class Chunks:
    """Events as `text_completion` objects. Pure: knows no connection."""

    def __init__(self, wire: CompletionRequest, model: str) -> None:
        self._head = _head(model)
        self._wire = wire
        self._echoes: dict[int, str] = dict(enumerate(wire.echoes()))
        self._lengths: dict[int, int] = {}
        self._stats: list[GenerationStats] = []

    def feed(self, index: int, events: Sequence[Event]) -> list[dict[str, Any]]:
        """What to say for what came for a choice."""
        chunks: list[dict[str, Any]] = []
        text, logprobs = self._echoes.pop(index, ""), list[TokenLogprob]()
        for event in events:
            match event:
                case TextDelta(more):
                    text += more
                case Logprobs(tokens):
                    logprobs.extend(tokens)
                case Finished(stats):
                    self._stats.append(stats)
                    chunks.append(self._chunk(index, text, logprobs, finish_reason(stats.stop_reason, called=False)))
                    text, logprobs = "", []
                case Failed(error):
                    chunks.append(error_body(error, status_of(error)))
                case _:
                    continue
        if text or logprobs:
            chunks.insert(0, self._chunk(index, text, logprobs))
        return chunks

    def last(self) -> list[dict[str, Any]]:
        """What to say when every choice has ended."""
        options = self._wire.stream_options
        if options is None or not options.include_usage:
            return []
        return [{**self._head, "choices": [], "usage": usage_of_prompts(self._stats, self._wire.n)}]

    def _chunk(
        self, index: int, text: str, logprobs: Sequence[TokenLogprob], reason: str | None = None
    ) -> dict[str, Any]:
        start = self._lengths.get(index, 0)
        self._lengths[index] = start + len(text)
        found = _logprobs(logprobs, start) if self._wire.logprobs is not None else None
        choice = {"index": index, "text": text, "logprobs": found, "finish_reason": reason}
        return {**self._head, "choices": [choice]}


def _head(model: str) -> dict[str, Any]:
    return {
        "id": new_id("cmpl"),
        "object": "text_completion",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": model,
    }


def _logprobs(tokens: Sequence[TokenLogprob], offset: int) -> dict[str, Any]:
    """The older form: parallel lists."""
    texts = [token.data.decode("utf-8", "replace") for token in tokens]
    offsets = []
    for text in texts:
        offsets.append(offset)
        offset += len(text)
    return {
        "tokens": texts,
        "token_logprobs": [max(token.logprob, -9999.0) for token in tokens],
        "top_logprobs": [
            {data.decode("utf-8", "replace"): max(logprob, -9999.0) for _, data, logprob in token.alternatives}
            for token in tokens
        ],
        "text_offset": offsets,
    }
