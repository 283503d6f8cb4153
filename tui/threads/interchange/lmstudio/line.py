"""The line of messages with versions that LM Studio has, seen in a tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.threads.interchange.lmstudio.writing_versions import begins_version, frame_of
from tui.threads.interchange.portable import PortableMessage, PortableThread

Chain = tuple[PortableMessage, ...]
"""What LM Studio shows as one version of one message."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A message with its versions."""

    versions: tuple[Chain, ...]
    selected: int


def line_of(thread: PortableThread) -> list[Entry]:
    """The messages on the branch in view, each with what stands beside it in the tree. Notes are left out."""
    children = _children_without_notes(thread)
    branch = [node for node in thread.branch() if node.kind == "message"]
    entries: list[Entry] = []
    parent: str | None = None
    at = 0
    while at < len(branch):
        siblings = children.get(parent, [])
        length = 1
        while at + length < len(branch) and _joins(branch[at + length], branch[at + length - 1], children):
            length += 1
        shown = tuple(branch[at : at + length])
        versions = _versions(siblings, children)
        identifiers = [[node.id for node in chain] for chain in versions]
        path = [node.id for node in shown]
        if path not in identifiers:
            # What is in view may end in the middle of a longer version.
            place = next(i for i, longer in enumerate(identifiers) if longer[: len(path)] == path)
            versions.insert(place, shown)
        else:
            place = identifiers.index(path)
        entries.append(Entry(tuple(versions), place))
        parent = shown[-1].id
        at += length
    return entries


def _versions(siblings: Sequence[PortableMessage], children: dict[str | None, list[PortableMessage]]) -> list[Chain]:
    """All versions that begin with one of these messages, in the order of the tree."""
    versions: list[Chain] = []
    open_chains: list[Chain] = [(node,) for node in reversed(siblings)]
    while open_chains:
        chain = open_chains.pop()
        behind = children.get(chain[-1].id, [])
        longer = [(*chain, node) for node in behind if _joins(node, chain[-1], children)]
        open_chains.extend(reversed(longer))
        if not longer:
            versions.append(chain)
    return versions


def _joins(node: PortableMessage, before: PortableMessage, children: dict[str | None, list[PortableMessage]]) -> bool:
    """Whether LM Studio shows a message as one with that before it: what tools said, and what a model makes of it."""
    if any(begins_version(sibling) for sibling in children.get(before.id, [])):
        return False
    if frame_of(node).get("steps") is not None and frame_of(before).get("steps") is not None:
        return True
    if before.message.role == "tool":
        return node.message.role in ("assistant", "tool")
    return node.message.role == "tool" and before.message.role == "assistant"


def _children_without_notes(thread: PortableThread) -> dict[str | None, list[PortableMessage]]:
    """The messages behind each message, where those behind a note count as behind the message before it."""
    before: dict[str | None, str | None] = {None: None}
    children: dict[str | None, list[PortableMessage]] = {}
    for node in thread.messages:
        parent = before[node.parent]
        before[node.id] = parent if node.kind == "note" else node.id
        if node.kind == "message":
            children.setdefault(parent, []).append(node)
    return children
