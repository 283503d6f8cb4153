"""A conversation file of LM Studio's, written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tui.domain import FilePart, ImagePart
from tui.threads.interchange.lmstudio.figures import milliseconds
from tui.threads.interchange.lmstudio.files import FileShelf
from tui.threads.interchange.lmstudio.frames import Frame
from tui.threads.interchange.lmstudio.header import write_header
from tui.threads.interchange.lmstudio.line import Entry, line_of
from tui.threads.interchange.lmstudio.reading import selected
from tui.threads.interchange.lmstudio.writing_versions import NAME, VersionWriter, frame_of
from tui.threads.interchange.portable import PortableThread
from tui.threads.interchange.values import written


@dataclass(frozen=True, slots=True)
class WrittenConversation:
    """A conversation as LM Studio has it."""

    text: str
    """What stands in the `.conversation.json`."""
    files: Mapping[str, ImagePart | FilePart]
    """Its attachments, by the name that they must have in `user-files`."""
    left_out: int
    """Messages of the thread for which the format has no room: what follows on versions that are not selected."""


def write_conversation(thread: PortableThread, made_at: int | None = None) -> WrittenConversation:
    """The conversation file for a thread, with what it came with if it came from such a file.

    `made_at` is the time in milliseconds that names new attachments; by default that of the thread's making.
    """
    frame = thread.foreign.get(NAME)
    writer = VersionWriter(FileShelf(milliseconds(thread.created) if made_at is None else made_at))
    entries = line_of(thread)
    messages = [_entry(entry, writer) for entry in entries]
    header = write_header(frame if isinstance(frame, dict) else {}, thread, thread.branch())
    shown = {node.id for entry in entries for chain in entry.versions for node in chain}
    left_out = sum(node.id not in shown and node.kind == "message" for node in thread.messages)
    return WrittenConversation(written({**header, "messages": messages}, indent=2), writer.shelf.files, left_out)


def _entry(entry: Entry, writer: VersionWriter) -> Frame:
    versions = [writer.write(chain) for chain in entry.versions]
    kept: Any = frame_of(entry.versions[0][0]).get("entry")
    entry_object: Frame = {**(kept if isinstance(kept, dict) else {}), "versions": versions}
    if not isinstance(kept, dict) or selected(kept.get("currentlySelected"), len(versions)) != entry.selected:
        entry_object["currentlySelected"] = entry.selected
    return entry_object
