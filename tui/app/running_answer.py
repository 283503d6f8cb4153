"""What has come of one answer so far: its text, and the figures that people watch meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.domain import (
    Event,
    Failed,
    Finished,
    GenerationStats,
    LmdeckError,
    ModelLoading,
    PromptProgress,
    Queued,
    ReasoningDelta,
    TextDelta,
)

if TYPE_CHECKING:
    from tui.inference import Generation

SPEED_WINDOW = 3.0
"""Seconds over which the live tokens per second are counted."""


@dataclass(slots=True)
class RunningAnswer:
    """One answer, from its start on. Times are those of the caller's monotonic clock, in seconds, but for `created`."""

    thread_id: str
    message_id: str
    model: str
    generation: Generation
    started: float
    created: float = 0.0
    """Seconds since the epoch."""
    text: str = ""
    reasoning: str = ""
    state: str = "waiting"
    """What it is doing before the first token, in a few words."""
    prompt_tokens: int = 0
    tokens: int = 0
    first_token_after: float = 0.0
    stats: GenerationStats | None = None
    error: LmdeckError | None = None
    ended: bool = False
    parent_id: str = ""
    """The message that it answers."""
    _arrivals: deque[tuple[float, int]] = field(default_factory=deque)

    def absorb(self, events: Sequence[Event], now: float) -> tuple[str, str]:
        """Take over events; returns the text and the reasoning that they bring."""
        texts: list[str] = []
        thoughts: list[str] = []
        for event in events:
            match event:
                case TextDelta(text, tokens):
                    texts.append(text)
                    self._count(tokens, now)
                case ReasoningDelta(text, tokens):
                    thoughts.append(text)
                    self._count(tokens, now)
                case Queued(position):
                    self.state = f"waiting for its turn, place {position}"
                case ModelLoading(progress):
                    self.state = f"loading the model, {progress:.0%}"
                case PromptProgress(done, _, total):
                    self.prompt_tokens = total
                    self.state = f"reading the prompt, {done / total if total else 1:.0%} of {total:,} tok"
                case Finished(stats):
                    self.stats, self.ended = stats, True
                case Failed(error, failed_stats):
                    self.error, self.stats, self.ended = error, failed_stats, True
        text, reasoning = "".join(texts), "".join(thoughts)
        self.text += text
        self.reasoning += reasoning
        return text, reasoning

    def _count(self, tokens: int, now: float) -> None:
        if not self.tokens:
            self.first_token_after = now - self.started
        self.tokens += tokens
        self._arrivals.append((now, tokens))

    def speed(self, now: float) -> float:
        """Tokens per second: of the whole answer when it has ended, lately while it runs, 0 where unknown."""
        if self.stats is not None:
            return self.stats.generation_speed
        while self._arrivals and self._arrivals[0][0] < now - SPEED_WINDOW:
            self._arrivals.popleft()
        if len(self._arrivals) < 2:
            return 0.0
        # The first arrival opens the window; its tokens were made before it.
        span = now - self._arrivals[0][0]
        return (sum(tokens for _, tokens in self._arrivals) - self._arrivals[0][1]) / span if span > 0 else 0.0

    @property
    def first_token(self) -> float:
        """Seconds to the first token, 0 while there is none."""
        return self.stats.time_to_first_token if self.stats else self.first_token_after

    @property
    def context_used(self) -> int:
        """Tokens in the context, counted here while the answer runs."""
        return self.stats.context_used if self.stats else self.prompt_tokens + self.tokens
