"""Which log-probabilities belong to which piece of the output."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from tui.domain import Event, Logprobs, ReasoningDelta, TextDelta, TokenLogprob, ToolCallArguments, ToolCallStarted

# JSON has no infinity; OpenAI itself gives this for what is out of the question.
_NEVER = -9999.0


class LogprobSharing:
    """Shares out log-probabilities, which come for all tokens at once, among the pieces that the tokens made."""

    def __init__(self) -> None:
        self._waiting: deque[TokenLogprob] = deque()

    def share(self, events: Sequence[Event]) -> list[tuple[Event, list[dict[str, Any]]]]:
        """The events, each with what belongs to it; both come in the order of the tokens."""
        for event in events:
            if isinstance(event, Logprobs):
                self._waiting.extend(event.tokens)
        return [(event, self._take(event)) for event in events if not isinstance(event, Logprobs)]

    def _take(self, event: Event) -> list[dict[str, Any]]:
        if not isinstance(event, TextDelta | ReasoningDelta | ToolCallStarted | ToolCallArguments):
            return []
        count = min(event.tokens, len(self._waiting))
        return [_wire(self._waiting.popleft()) for _ in range(count)]


def _wire(token: TokenLogprob) -> dict[str, Any]:
    return {
        **_candidate(token.data, token.logprob),
        "top_logprobs": [_candidate(data, logprob) for _, data, logprob in token.alternatives],
    }


def _candidate(data: bytes, logprob: float) -> dict[str, Any]:
    return {"token": data.decode("utf-8", "replace"), "bytes": list(data), "logprob": max(logprob, _NEVER)}
