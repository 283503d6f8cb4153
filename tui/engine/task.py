"""One piece of generation inside the engine: tokens go in, bytes come out through a mailbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tui.domain import GenerationStats, LmdeckError, SamplingConfig, StopReason, TokenLogprob
from tui.engine.images import MediaLayout
from tui.engine.sampling import Sampler
from tui.engine.stopping import StopMatcher


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came for a task since the last look. Fields that did not change are `None` or empty."""

    position: int | None
    """Place in the queue, 1 for the next; 0 once it is served."""
    prompt: tuple[int, int, int] | None
    """Prompt tokens done (cached ones included), cached, total."""
    data: bytes
    tokens: int
    """How many tokens `data` was made of."""
    logprobs: tuple[TokenLogprob, ...]
    stats: GenerationStats | None
    """Set when the task has ended."""
    error: LmdeckError | None


class Mailbox:
    """Hands a task's output from the engine thread to whoever reads it.

    The writer only appends and never waits; what a slow reader misses is joined, so memory stays small.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._position: int | None = None
        self._prompt: tuple[int, int, int] | None = None
        self._data = bytearray()
        self._tokens = 0
        self._logprobs: list[TokenLogprob] = []
        self._stats: GenerationStats | None = None
        self._error: LmdeckError | None = None

    def queued(self, position: int) -> None:
        with self._changed:
            self._position = position
            self._changed.notify()

    def prompt_read(self, done: int, cached: int, total: int) -> None:
        """Say how far the prompt is read. Who waits is not woken before `announce`."""
        with self._changed:
            self._prompt = (done, cached, total)

    def output(self, data: bytes, logprobs: Sequence[TokenLogprob] = ()) -> None:
        """Put in what one token said. Who waits is not woken before `announce`."""
        with self._changed:
            self._data += data
            self._tokens += 1
            if logprobs:
                self._logprobs.extend(logprobs)

    def announce(self) -> None:
        """Wake who waits for what was put in."""
        with self._changed:
            self._changed.notify()

    def held_back(self, data: bytes) -> None:
        """Bytes of tokens that were counted before."""
        with self._changed:
            self._data += data

    def ended(self, stats: GenerationStats, error: LmdeckError | None = None) -> None:
        with self._changed:
            if self._stats is None:
                self._stats, self._error = stats, error
            self._changed.notify()

    def take(self, timeout: float | None = None) -> Delivery | None:
        """What is new, waiting up to `timeout` seconds for something; `None` if nothing came."""
        with self._changed:
            if not self._changed.wait_for(self._has_news, timeout):
                return None
            delivery = Delivery(
                position=self._position,
                prompt=self._prompt,
                data=bytes(self._data),
                tokens=self._tokens,
                logprobs=tuple(self._logprobs),
                stats=self._stats,
                error=self._error,
            )
            self._position = self._prompt = None
            self._data.clear()
            self._logprobs.clear()
            self._tokens = 0
            return delivery

    def _has_news(self) -> bool:
        return bool(
            self._tokens
            or self._data
            or self._stats is not None
            or self._prompt is not None
            or self._position is not None
        )


class GenerationTask:
    """A prompt and what became of it. Made by `LoadedModel.submit`; the engine thread owns all but `cancel`."""

    def __init__(
        self,
        prompt: list[int],
        sampling: SamplingConfig,
        sampler: Sampler,
        wake: Callable[[GenerationTask], None],
        *,
        priority: int = 0,
        keep_state: bool = False,
        media: MediaLayout | None = None,
        hidden: frozenset[int] = frozenset(),
    ) -> None:
        self.mailbox = Mailbox()
        self.history = prompt
        """Prompt tokens, then generated ones."""
        self.prompt_tokens = len(prompt)
        self.media = media
        """Where the prompt has images; `None` for text alone."""
        self.sampler = sampler
        self.sampling = sampling
        self.hidden = hidden
        """Tokens that stand for nothing in the output."""
        self.stops = StopMatcher(sampling.stop)
        self.priority = priority
        """Lower is served first."""
        self.keep_state = keep_state
        """Whether what the cache holds of this conversation may go to disk."""
        self.cancelled = False
        self.position = 0
        """Place in the queue that its mailbox was told last."""
        self.cached = 0
        self.cache_miss = ""
        """Why tokens of the prompt had to be read that one would expect in the cache."""
        self.generated = 0
        self.drafts_offered = 0
        self.drafts_accepted = 0
        self.admitted_at: float | None = None
        self.first_token_at = 0.0
        self.last_token_at = 0.0
        self._submitted_at = time.perf_counter()
        self._wake = wake

    def cancel(self) -> None:
        """Stop as soon as possible. What was generated so far stays valid; safe from any thread, any time."""
        self.cancelled = True
        self._wake(self)

    def count_token(self, now: float) -> None:
        """Note that one more token was generated."""
        self.generated += 1
        self.last_token_at = now
        if self.generated == 1:
            self.first_token_at = now

    def stats(self, reason: StopReason, context_length: int) -> GenerationStats:
        """The figures so far."""
        admitted = self.admitted_at or self._submitted_at
        prompt_time = (self.first_token_at or time.perf_counter()) - admitted
        read = self.prompt_tokens - self.cached
        answer_time = self.last_token_at - self.first_token_at
        return GenerationStats(
            prompt_tokens=self.prompt_tokens,
            cached_prompt_tokens=self.cached,
            generated_tokens=self.generated,
            time_to_first_token=self.first_token_at - self._submitted_at if self.generated else 0.0,
            prompt_speed=read / prompt_time if prompt_time > 0 and self.generated else 0.0,
            generation_speed=(self.generated - 1) / answer_time if answer_time > 0 else 0.0,
            draft_tokens_offered=self.drafts_offered,
            draft_tokens_accepted=self.drafts_accepted,
            cache_miss=self.cache_miss,
            stop_reason=reason,
            context_used=len(self.history),
            context_length=context_length,
        )
