"""A request to generate, and the events that answer it.

Every surface speaks in these: the screen, the CLI and each HTTP dialect build a `GenerationRequest` and read
the same stream of events, so a setting that works anywhere works everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tui.domain.configuration import LoadConfig, SamplingConfig
from tui.domain.errors import LmdeckError
from tui.domain.messages import Message

Origin = Literal["screen", "cli", "server"]

StopReason = Literal[
    "userStopped",
    "modelUnloaded",
    "failed",
    "eosFound",
    "stopStringFound",
    "toolCalls",
    "maxPredictedTokensReached",
    "contextLengthReached",
]
"""Why an answer ended, in LM Studio's words."""

STOP_REASON_TEXT: dict[StopReason, str] = {
    "userStopped": "stopped by you",
    "modelUnloaded": "model unloaded",
    "failed": "failed",
    "eosFound": "finished",
    "stopStringFound": "stop text found",
    "toolCalls": "calls a tool",
    "maxPredictedTokensReached": "token limit reached",
    "contextLengthReached": "context full",
}


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One conversation turn that someone wants from a model."""

    model: str
    """A model key, an identifier of a loaded model, or a path."""
    messages: tuple[Message, ...]
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    load: LoadConfig | None = None
    """Load parameters to use if the model is not loaded yet; `None` takes its defaults."""
    origin: Origin = "screen"


@dataclass(frozen=True, slots=True)
class GenerationStats:
    """What an answer cost. Times are in seconds, speeds in tokens per second, 0 where nothing was measured."""

    prompt_tokens: int = 0
    cached_prompt_tokens: int = 0
    generated_tokens: int = 0
    reasoning_tokens: int = 0
    time_to_first_token: float = 0.0
    prompt_speed: float = 0.0
    generation_speed: float = 0.0
    draft_tokens_offered: int = 0
    draft_tokens_accepted: int = 0
    stop_reason: StopReason = "eosFound"
    load_time: float = 0.0
    """Seconds that loading took when this request loaded the model."""
    context_used: int = 0
    """Tokens of this conversation in the context after the answer."""
    context_length: int = 0


@dataclass(frozen=True, slots=True)
class Queued:
    """The request waits; `position` counts from 1 for the next to be served."""

    position: int


@dataclass(frozen=True, slots=True)
class ModelLoading:
    """The model is being loaded for this request; `progress` goes from 0 to 1."""

    progress: float


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """The prompt is being read. All three count tokens; `done` includes `cached`."""

    done: int
    cached: int
    total: int


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of the model's reasoning. `tokens` is how many tokens made it."""

    text: str
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer. `tokens` is how many tokens made it."""

    text: str
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer ended as it should, or because the person stopped it. Always the last event."""

    stats: GenerationStats


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer could not be made or finished. Always the last event; what came before it is kept."""

    error: LmdeckError
    stats: GenerationStats | None = None


Event = Queued | ModelLoading | PromptProgress | ReasoningDelta | TextDelta | Finished | Failed
