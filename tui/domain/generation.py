"""A request to generate, and the events that answer it.

Every surface speaks in these: the screen, the CLI and each HTTP dialect build a `GenerationRequest` and read
the same stream of events, so a setting that works anywhere works everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tui.domain.configuration import LoadConfig, SamplingConfig
from tui.domain.errors import LmdeckError
from tui.domain.messages import Message, ToolCallPart

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

OverflowPolicy = Literal["stopAtLimit", "truncateMiddle", "rollingWindow", "error"]
"""What happens to a conversation that is longer than the context, in LM Studio's words.

`stopAtLimit` sends it as it is, and refuses it when it does not fit; `truncateMiddle` keeps its beginning and its
end, `rollingWindow` its end; both keep the system prompt and the last message of the user. `error` refuses it like
`stopAtLimit`, also when the token limit that was asked for leaves no room for the answer.
"""

ReasoningEffort = Literal["off", "minimal", "low", "medium", "high"]

ConstraintKind = Literal["json_object", "json_schema", "regex", "lark", "gbnf"]


@dataclass(frozen=True, slots=True)
class Constraint:
    """A form that the answer must have."""

    kind: ConstraintKind
    source: str = ""
    """The schema as JSON text, the regular expression or the grammar; empty for any JSON object."""
    after: tuple[str, ...] = ()
    """The form begins behind the first of these texts in the model's output; empty begins with its first token."""
    opening: str = ""
    """Only an output that begins with this text may go on freely until then; any other has the form from the start."""
    optional: bool = False
    """Whether the output may end before the form has begun."""


@dataclass(frozen=True, slots=True)
class LazyConstraint:
    """A form for passages of an answer that is free otherwise: for the calls of tools in it.

    Nobody has asked for it, so that an answer is free where it cannot be kept.
    """

    source: str
    """The grammar of one passage with its opening, in llguidance's Lark."""
    openings: tuple[str, ...]
    """The texts with which a passage begins. One between two quotation marks is only spoken of."""
    asides: tuple[tuple[str, str], ...] = ()
    """What blocks of reasoning begin and end with: no passage begins in them. A block stands at the beginning of the
    output, behind another or behind a passage."""
    aside_open: bool = False
    """Whether the output begins inside such a block."""
    lead: str = ""
    """What stands before the output and may be part of the first opening."""
    once: bool = False
    """Whether the answer ends with its first passage."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call."""

    name: str
    description: str = ""
    parameters: str = "{}"
    """JSON Schema of its arguments, as JSON text."""


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Whether tools may, must or must not be called."""

    mode: Literal["auto", "none", "required"] = "auto"
    name: str = ""
    """With `required`: the one function that must be called; empty for any."""
    parallel: bool = True
    """Whether one answer may have several calls."""


@dataclass(frozen=True, slots=True)
class RawPrompt:
    """A prompt without a conversation around it: a text, or tokens."""

    text: str = ""
    tokens: tuple[int, ...] = ()
    """In place of the text where there are any."""
    suffix: str | None = None
    """What comes behind the gap that the model shall fill; `None` where there is no gap."""


@dataclass(frozen=True, slots=True)
class AnswerConfig:
    """What shapes an answer besides loading and sampling."""

    system_prompt: str = ""
    """What is said before a conversation that has no system message of its own."""
    overflow: OverflowPolicy = "truncateMiddle"
    constraint: Constraint | None = None
    reasoning_effort: ReasoningEffort | None = None
    """`None` leaves it to the template."""


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
    """Who asks. People who sit and wait are served before programs."""
    overflow: OverflowPolicy = "truncateMiddle"
    constraint: Constraint | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = field(default_factory=ToolChoice)
    reasoning_effort: ReasoningEffort | None = None
    """`None` leaves it to the template."""
    template_options: tuple[tuple[str, str], ...] = ()
    """Further variables for the chat template: names, and values as JSON text."""
    template_defaults: tuple[tuple[str, str], ...] = ()
    """The same, for variables that neither `template_options` nor the reasoning effort sets."""
    continues_answer: bool = False
    """Whether the last message is the beginning of the answer, to be gone on from."""
    raw_prompt: RawPrompt | None = None
    """What the model is given as it is, in place of the messages."""
    ttl: float | None = None
    """Seconds that a model which this request loads stays loaded without work; `None` is for ever."""
    decided: frozenset[str] | None = None
    """The values that this request itself asks for, by their dotted keys (`sampling.temperature`, `load.parallel`,
    `answer.overflow`); the preset and the model's defaults decide the others. `None`: it asks for all that it has."""
    preset: str = ""
    """Name or identifier of the preset to use; empty uses the one that the model's defaults name."""


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
    cache_miss: str = ""
    """Why prompt tokens had to be read that one would expect in the cache; empty where nothing was missed."""


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
class ToolCallStarted:
    """The model begins to call a tool. `index` counts the calls of this answer from 0."""

    index: int
    id: str
    name: str
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class ToolCallArguments:
    """More of a call's arguments, a piece of JSON text."""

    index: int
    text: str
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class ToolCallFinished:
    """A call is complete."""

    index: int
    call: ToolCallPart


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """How likely the model held a token: its natural logarithm, before temperature and the other samplers."""

    token: int
    data: bytes
    """What it stands for; may be part of a character."""
    logprob: float
    alternatives: tuple[tuple[int, bytes, float], ...] = ()
    """The likeliest tokens in their place, the best first: number, bytes, log-probability."""


@dataclass(frozen=True, slots=True)
class Logprobs:
    """Log-probabilities of the tokens that made the output since the last such event, control tokens included."""

    tokens: tuple[TokenLogprob, ...]


@dataclass(frozen=True, slots=True)
class ContextTrimmed:
    """The conversation was longer than the context, so that this much of it was not sent."""

    dropped_messages: int
    clipped_messages: int
    """Messages of which only a part was sent."""
    prompt_tokens: int
    """Tokens of what is sent."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer ended as it should, or because the person stopped it. Always the last event."""

    stats: GenerationStats


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer could not be made or finished. Always the last event; what came before it is kept."""

    error: LmdeckError
    stats: GenerationStats | None = None


Event = (
    Queued
    | ModelLoading
    | ContextTrimmed
    | PromptProgress
    | ReasoningDelta
    | TextDelta
    | ToolCallStarted
    | ToolCallArguments
    | ToolCallFinished
    | Logprobs
    | Finished
    | Failed
)
