"""The whole of an answer, put together from its events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tui.domain import (
    Event,
    Failed,
    Finished,
    GenerationStats,
    LmdeckError,
    Logprobs,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCallFinished,
    ToolCallPart,
)


@dataclass(slots=True)
class Collected:
    """One answer as far as it came."""

    texts: list[str] = field(default_factory=list)
    reasonings: list[str] = field(default_factory=list)
    tool_calls: list[ToolCallPart] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    stats: GenerationStats = field(default_factory=GenerationStats)
    error: LmdeckError | None = None

    @property
    def text(self) -> str:
        """The visible text."""
        return "".join(self.texts)

    @property
    def reasoning(self) -> str:
        """What was thought."""
        return "".join(self.reasonings)

    def add(self, events: Sequence[Event]) -> None:
        """Take in what came."""
        for event in events:
            match event:
                case TextDelta(text):
                    self.texts.append(text)
                case ReasoningDelta(text):
                    self.reasonings.append(text)
                case ToolCallFinished(_, call):
                    self.tool_calls.append(call)
                case Logprobs(tokens):
                    self.logprobs.extend(tokens)
                case Finished(stats):
                    self.stats = stats
                case Failed(error, stats):
                    self.error = error
                    self.stats = stats or self.stats
                case _:
                    continue
