"""What the store hands out: threads, folders, and the messages of a thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tui.domain import GenerationStats, Message
from tui.threads.thread_settings import ThreadSettings

MessageStatus = Literal["complete", "streaming", "stopped", "interrupted", "failed"]
"""How far a message got.

`stopped` was ended by the person, `interrupted` by the end of its process or the unloading of its model.
"""

MessageKind = Literal["message", "note"]
"""A note stands in the thread like a message, but no model ever sees it."""

TitleOrigin = Literal["", "first message", "generated", "person"]
"""Who gave a thread its title; empty while it has none."""

ThreadSet = Literal["active", "archived", "trashed"]
ThreadSort = Literal["updated", "created", "title", "manual"]


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
    folder_id: str | None = None
    """The folder it lies in; `None` at the top."""
    position: int = 0
    """Its place among the threads of its folder, in the order that the person made."""
    pinned: bool = False
    archived: float | None = None
    """When it was put away; `None` if it was not."""
    trashed: float | None = None
    """When it was thrown away; `None` if it was not."""
    title_origin: TitleOrigin = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder for threads and other folders."""

    id: str
    parent_id: str | None
    """The folder it lies in; `None` at the top."""
    title: str
    position: int
    """Its place among the folders beside it."""
    collapsed: bool
    settings: ThreadSettings
    """What its threads take where they say nothing themselves."""
    created: float
    """Seconds since the epoch."""


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
    kind: MessageKind = "message"
    version: int = 1
    """Its number, from 1, among the `versions` that answer or ask in the same place."""
    versions: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The settings that a model wrote it with; empty for what a person wrote."""
    edited: float | None = None
    """When a person last changed its words, in seconds since the epoch; `None` if nobody did."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be stored as a part of a whole thread."""

    message: Message
    parent: int | None
    """The place in the same row of messages of the one before it; `None` for a first one."""
    model: str = ""
    status: MessageStatus = "complete"
    error: str = ""
    stats: GenerationStats | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    kind: MessageKind = "message"
    created: float | None = None
    """Seconds since the epoch; `None` is now."""
    edited: float | None = None


@dataclass(frozen=True, slots=True)
class NewThread:
    """A whole thread to be stored, such as one that is imported."""

    title: str
    messages: tuple[NewMessage, ...] = ()
    """Each behind its parent."""
    leaf: int | None = None
    """The place of the last message of the active branch; `None` is the last of all."""
    folder_id: str | None = None
    settings: ThreadSettings = field(default_factory=ThreadSettings)
    pinned: bool = False
    created: float | None = None
    """Seconds since the epoch; `None` is now."""
    updated: float | None = None
    draft: str = ""
    title_origin: TitleOrigin = "person"


@dataclass(frozen=True, slots=True)
class SettingsLayer:
    """The settings of a thread, or of a folder that it lies in."""

    origin: Literal["thread", "folder"]
    id: str
    title: str
    settings: ThreadSettings


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A place where the searched words stand."""

    thread: ThreadSummary
    message_id: str | None
    """The message that has them; `None` when it is the thread's title."""
    role: str
    """Who wrote that message; empty for a title."""
    snippet: str
    """One line of text around the words."""
    spans: tuple[tuple[int, int], ...]
    """Where in the snippet the words are: first character, and the one behind the last."""


@dataclass(frozen=True, slots=True)
class JumpHit:
    """A thread whose title answers to what was typed."""

    thread: ThreadSummary
    score: float
    positions: tuple[int, ...]
    """The characters of the title that were typed."""


@dataclass(frozen=True, slots=True)
class FoundInThread:
    """A message of a thread that has the searched text."""

    message_id: str
    count: int
    """How often."""
