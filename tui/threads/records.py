"""What the store hands out: one line of the thread list, and one message of a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tui.domain import GenerationStats, Message

MessageStatus = Literal["complete", "streaming", "stopped", "interrupted", "failed"]
"""How far a message got.

`stopped` was ended by the person, `interrupted` by the end of its process or the unloading of its model.
"""


@dataclass(frozen=True, slots=True)
class ThreadSummary:
    """One line of the thread list. Times are in seconds since the epoch."""

    id: str
    title: str
    """Empty until the first user message, unless the person gave one."""
    created: float
    updated: float
    """When a message last came or ended."""
    message_count: int
    """Messages on all branches together."""
    model: str
    """The key of the model that was used last; empty if none was."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message as it is on disk, a node in the tree of its thread."""

    id: str
    thread_id: str
    parent_id: str | None
    """The message before it; `None` for the first one."""
    message: Message
    model: str
    """The key of the model that wrote it; empty for what a person wrote."""
    status: MessageStatus
    error: str
    """Why it failed, as sentences; empty unless it did."""
    stats: GenerationStats | None
    created: float
    """Seconds since the epoch."""
