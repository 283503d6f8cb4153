"""Turns stored messages and running answers into what the transcript draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.figures import problem_text
from tui.app.pictures import captions_of
from tui.app.transcript import TranscriptMessage
from tui.domain import STOP_REASON_TEXT, GenerationStats

if TYPE_CHECKING:
    from tui.app.running_answer import RunningAnswer
    from tui.threads import StoredMessage

INTERRUPTED = "lmdeck ended before this answer was finished. ctrl+r answers again."


def from_stored(stored: StoredMessage) -> TranscriptMessage:
    """A message as it lies on disk. An answer that nobody is making any more was interrupted."""
    problem = ""
    note = stats_note(stored.stats) if stored.stats else "stopped by you" if stored.status == "stopped" else ""
    if stored.kind == "note":
        note = "never sent"
    elif stored.edited:
        note = f"{note} · edited" if note else "edited"
    if stored.status == "failed":
        problem = stored.error or "The answer failed. ctrl+r answers again; ctrl+l shows the log."
    elif stored.status in ("interrupted", "streaming"):
        problem = INTERRUPTED
    return TranscriptMessage(
        id=stored.id,
        role=stored.message.role,
        text=stored.message.text,
        reasoning=stored.message.reasoning,
        author=author_of(stored),
        note=note,
        problem=problem,
        time=stored.created,
        reasoning_note=reasoning_note(stored.stats),
        version=stored.version,
        versions=stored.versions,
        attachments=captions_of(stored.message),
    )


def author_of(stored: StoredMessage) -> str:
    """Who a message is from."""
    if stored.kind == "note":
        return "note"
    if stored.message.role == "assistant":
        return stored.model or "assistant"
    return "you" if stored.message.role == "user" else stored.message.role


def from_answer(answer: RunningAnswer, speed: float, stored: StoredMessage | None = None) -> TranscriptMessage:
    """An answer that is being made, or has just ended; `stored` is how it lies on disk, if that is known."""
    return TranscriptMessage(
        id=answer.message_id,
        role="assistant",
        text=answer.text,
        reasoning=answer.reasoning,
        author=answer.model,
        note=live_note(answer, speed),
        problem=problem_text(answer.error) if answer.error else "",
        time=answer.created,
        reasoning_note=reasoning_note(answer.stats),
        version=stored.version if stored else 1,
        versions=stored.versions if stored else 1,
    )


def live_note(answer: RunningAnswer, speed: float) -> str:
    """What the head of an answer says about it now."""
    if answer.stats is not None:
        return stats_note(answer.stats)
    if not answer.tokens:
        return answer.state
    return _figures(answer.tokens, speed, answer.first_token)


def stats_note(stats: GenerationStats) -> str:
    """What the head of a finished answer says: its cost, what the cache spared, and why it ended if not by itself."""
    notes = [_figures(stats.generated_tokens, stats.generation_speed, stats.time_to_first_token)]
    if stats.prompt_tokens:
        read = stats.prompt_tokens - stats.cached_prompt_tokens
        notes.append(f"prompt {read:,} of {stats.prompt_tokens:,} read")
    if stats.cache_miss:
        notes.append(stats.cache_miss)
    if stats.draft_tokens_offered:
        notes.append(f"{stats.draft_tokens_accepted / stats.draft_tokens_offered:.0%} of drafts right")
    if stats.stop_reason not in ("eosFound", "failed"):
        notes.append(STOP_REASON_TEXT[stats.stop_reason])
    return " · ".join(notes)


def reasoning_note(stats: GenerationStats | None) -> str:
    """How much the model thought; nothing while that is not known."""
    return f"{stats.reasoning_tokens:,} tokens" if stats and stats.reasoning_tokens else ""


def _figures(tokens: int, speed: float, first_token: float) -> str:
    return f"{tokens:,} tok · {speed:.1f} tok/s · ttft {first_token:.2f} s"
