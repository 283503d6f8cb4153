"""A conversation between two places: everything a thread holds, without the store that holds it.

Every format is read into this and written from it. It keeps the whole tree of messages; a format that holds less
says what it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tui.domain import GenerationStats, Message, TextPart, text_message
from tui.threads.records import MessageKind, MessageStatus
from tui.threads.thread_settings import ThreadSettings


@dataclass(frozen=True, slots=True)
class PortableMessage:
    """One node of the tree. `id` and `parent` mean something only within their thread."""

    id: str
    parent: str | None
    """The message before it; `None` for a first one."""
    message: Message
    kind: MessageKind = "message"
    model: str = ""
    status: MessageStatus = "complete"
    error: str = ""
    stats: GenerationStats | None = None
    created: float = 0.0
    """Seconds since the epoch; 0 where nobody knows."""
    edited: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The settings that wrote it, by dotted key."""
    foreign: Mapping[str, Any] = field(default_factory=dict)
    """What another program's file said about it that has no place here, by the name of the format."""


@dataclass(frozen=True, slots=True)
class PortableThread:
    """A whole conversation. Times are in seconds since the epoch, 0 where nobody knows."""

    title: str = ""
    created: float = 0.0
    updated: float = 0.0
    pinned: bool = False
    archived: float | None = None
    draft: str = ""
    model: str = ""
    """The model that was used last; empty if none was, or nobody says."""
    settings: ThreadSettings = field(default_factory=ThreadSettings)
    messages: tuple[PortableMessage, ...] = ()
    """The tree: parents before their children, siblings in the order of their making."""
    leaf: str | None = None
    """The last message of the branch that is in view."""
    folder: tuple[str, ...] = ()
    """The folders that it lies in, the outermost first."""
    foreign: Mapping[str, Any] = field(default_factory=dict)
    """What another program's file said about it that has no place here, by the name of the format."""

    def branch(self) -> list[PortableMessage]:
        """The branch in view, from the first message to the last."""
        nodes = {node.id: node for node in self.messages}
        branch: list[PortableMessage] = []
        at = self.leaf
        while at is not None:
            branch.append(nodes[at])
            at = nodes[at].parent
        return branch[::-1]

    def said(self) -> list[Message]:
        """What people, models and tools said to each other on the branch in view, the system prompt first."""
        prompt = self.settings.system_prompt
        first = [text_message("system", prompt)] if prompt else []
        return [*first, *(node.message for node in self.branch() if node.kind == "message")]

    def children(self) -> dict[str | None, list[PortableMessage]]:
        """The messages behind each message, and behind none, in the order of their making."""
        children: dict[str | None, list[PortableMessage]] = {}
        for node in self.messages:
            children.setdefault(node.parent, []).append(node)
        return children


@dataclass(frozen=True, slots=True)
class PortableFolder:
    """A folder of threads and what it says for the threads in it."""

    path: tuple[str, ...]
    """Its name and those of the folders around it as the files have them, the outermost first."""
    title: str = ""
    """Its name as people have it; empty where that is the last one of the path."""
    settings: ThreadSettings = field(default_factory=ThreadSettings)


def straight_line(messages: Iterable[Message], **values: Any) -> PortableThread:
    """A thread without branches, as most other programs have it. The first system message becomes its system prompt."""
    said = list(messages)
    settings = ThreadSettings()
    first = said[0] if said else None
    if first and first.role == "system" and first.text and all(isinstance(part, TextPart) for part in first.parts):
        settings = ThreadSettings(system_prompt=said.pop(0).text)
    nodes = tuple(
        PortableMessage(str(number), str(number - 1) if number > 1 else None, message)
        for number, message in enumerate(said, 1)
    )
    return PortableThread(settings=settings, messages=nodes, leaf=nodes[-1].id if nodes else None, **values)
