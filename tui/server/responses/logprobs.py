"""Which log-probabilities belong to which piece of the output."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from tui.domain import Event, Logprobs, ReasoningDelta, TextDelta, TokenLogprob

# JSON has no infinity; OpenAI itself gives this for what is out of the question.
_NEVER = -9999.0


class LogprobSharing:
    """Shares out log-probabilities, which come for all tokens at once, among the texts that the tokens spell.

    Tokens and texts come in the same order; tokens between the texts made markers, calls, or whitespace that was
    dropped.
    """

    def __init__(self) -> None:
        self._waiting: list[TokenLogprob] = []
        self._used = 0
        """Bytes of the first waiting token that an earlier text had, together with its log-probability."""

    def share(self, events: Sequence[Event]) -> list[tuple[Event, list[dict[str, Any]]]]:
        """The events, each with what belongs to it."""
        for event in events:
            if isinstance(event, Logprobs):
                self._waiting.extend(event.tokens)
        return [(event, self._take(event)) for event in events if not isinstance(event, Logprobs)]

    def _take(self, event: Event) -> list[dict[str, Any]]:
        if not self._waiting or not isinstance(event, TextDelta | ReasoningDelta) or not event.text:
            return []
        text = event.text.encode("utf-8", "replace")
        ends = list(accumulate(len(token.data) for token in self._waiting))
        start = self._find(text, ends)
        if start < 0:  # a character that was not UTF-8
            return []
        end = start + len(text)
        found = [
            token
            for token, token_end in zip(self._waiting, ends, strict=True)
            if token_end > start and token_end - len(token.data) < end and token_end - len(token.data) >= self._used
        ]
        done = sum(token_end <= end for token_end in ends)
        self._used = end - (ends[done - 1] if done else 0)
        del self._waiting[:done]
        return [_wire(token) for token in found]

    def _find(self, text: bytes, ends: Sequence[int]) -> int:
        """Where the text begins: right behind the last one, with a token, or inside one that begins as a marker."""
        spelled = b"".join(token.data for token in self._waiting)
        for start in (self._used, *ends):
            if start >= self._used and spelled.startswith(text, start):
                return start
        return spelled.find(text, self._used)


def _wire(token: TokenLogprob) -> dict[str, Any]:
    return {
        **_candidate(token.data, token.logprob),
        "top_logprobs": [_candidate(data, logprob) for _, data, logprob in token.alternatives],
    }


def _candidate(data: bytes, logprob: float) -> dict[str, Any]:
    return {"token": data.decode("utf-8", "replace"), "bytes": list(data), "logprob": max(logprob, _NEVER)}
