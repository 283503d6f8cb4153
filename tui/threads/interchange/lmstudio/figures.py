"""What LM Studio's files say about how an answer was made, and the figures that lmdeck has of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tui.domain import STOP_REASON_TEXT, GenerationStats
from tui.threads.interchange.lmstudio.frames import Frame
from tui.threads.interchange.values import moment, number
from tui.threads.records import MessageStatus

_COUNTS = {
    "promptTokensCount": "prompt_tokens",
    "predictedTokensCount": "generated_tokens",
    "totalDraftTokensCount": "draft_tokens_offered",
    "acceptedDraftTokensCount": "draft_tokens_accepted",
}
_MEASURES = {"tokensPerSecond": "generation_speed", "timeToFirstTokenSec": "time_to_first_token"}

# `1784921393999-0.123`: the time in milliseconds and a random number.
_STEP_IDENTIFIER = re.compile(r"(\d{10,15})-")


def read_stats(value: Any) -> GenerationStats | None:
    """The figures in `genInfo.stats`; what is no number there counts as not measured."""
    if not isinstance(value, dict):
        return None
    figures: dict[str, Any] = {ours: int(number(value.get(theirs))) for theirs, ours in _COUNTS.items()}
    figures |= {ours: number(value.get(theirs)) for theirs, ours in _MEASURES.items()}
    stats = GenerationStats(**figures)
    reason = value.get("stopReason")
    for known in STOP_REASON_TEXT:
        if known == reason:
            stats = replace(stats, stop_reason=known)
    return stats


def write_stats(stats: GenerationStats, raw: Mapping[str, Any]) -> Frame:
    """`genInfo.stats` with our figures in place of those that differ."""
    before = read_stats(dict(raw)) or GenerationStats()
    written: Frame = dict(raw)
    for theirs, ours in {**_COUNTS, **_MEASURES}.items():
        if getattr(before, ours) != getattr(stats, ours) or (not raw and getattr(stats, ours)):
            written[theirs] = getattr(stats, ours)
    if before.stop_reason != stats.stop_reason or not raw:
        written["stopReason"] = stats.stop_reason
    total = stats.prompt_tokens + stats.generated_tokens
    if total and total != before.prompt_tokens + before.generated_tokens:
        written["totalTokensCount"] = total
    return written


def status_of(stats: GenerationStats | None) -> MessageStatus:
    """How far an answer with these figures got."""
    if stats is not None and stats.stop_reason in ("userStopped", "modelUnloaded", "failed"):
        return "stopped" if stats.stop_reason == "userStopped" else "interrupted"
    return "complete"


def model_of(information: Mapping[str, Any]) -> str:
    """The model that `genInfo` or `lastUsedModel` names; empty where it names none."""
    for key in ("identifier", "indexedModelIdentifier"):
        if isinstance(information.get(key), str) and information[key]:
            return str(information[key])
    return ""


def sender_of(version: Mapping[str, Any]) -> str:
    """The model that a version of a message names as its sender; empty where it names none."""
    sender = version.get("senderInfo")
    name = sender.get("senderName") if isinstance(sender, dict) else None
    return name if isinstance(name, str) else ""


def time_of_step(step: Mapping[str, Any]) -> float:
    """When a step was made, in seconds since the epoch; 0 where its identifier does not say."""
    found = _STEP_IDENTIFIER.match(str(step.get("stepIdentifier", "")))
    return moment(int(found[1]) / 1000) if found else 0.0


def milliseconds(seconds: float) -> int:
    """Seconds since the epoch as LM Studio counts them."""
    return round(seconds * 1000)
