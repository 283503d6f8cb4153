"""A conversation file of LM Studio's, read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tui.domain import text_message
from tui.threads.interchange.lmstudio.figures import status_of
from tui.threads.interchange.lmstudio.files import FileShelf, FindFile
from tui.threads.interchange.lmstudio.frames import Frame, exactly, without
from tui.threads.interchange.lmstudio.header import created_of, last_model_of, notes_of, updated_of, write_header
from tui.threads.interchange.lmstudio.reading_versions import Turn, read_version
from tui.threads.interchange.lmstudio.settings import read_settings
from tui.threads.interchange.lmstudio.writing_versions import NAME, VersionWriter, frame_of
from tui.threads.interchange.portable import PortableMessage, PortableThread
from tui.threads.interchange.values import MOST_LEVELS, Place, checked, is_deeper, member


def read_conversation(value: Any, place: Place, find_file: FindFile) -> PortableThread:
    """The thread that a parsed conversation file holds, with what has no place here kept beside it. Raises BadFile."""
    document = checked(value, dict, place)
    # Frames are kept in objects of ours, which have to be readable again.
    if is_deeper(document, MOST_LEVELS // 2):
        place.fail(f"is nested more than {MOST_LEVELS // 2} levels deep")
    created = created_of(document)
    tree = _Tree(created)
    for note in notes_of(document):
        tree.add_note(note)
    for index, value in enumerate(member(document, "messages", list, place)):
        where = place / "messages" / index
        tree.add_entry(checked(value, dict, where), where, find_file)
    thread = PortableThread(
        title=member(document, "name", str, place, ""),
        created=created,
        updated=updated_of(document) or created,
        pinned=document.get("pinned") is True,
        draft=member(document, "clientInput", str, place, ""),
        model=last_model_of(document),
        settings=read_settings(document),
        messages=tuple(tree.nodes),
        leaf=tree.leaf,
    )
    header = without(document, "messages")
    frame = exactly({"raw": header}, header, write_header({"raw": header}, thread, thread.branch()))
    return replace(thread, foreign={NAME: frame})


def selected(value: Any, count: int) -> int:
    """Which of `count` versions is shown; what points at none, as happens, means the last."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < count else count - 1


class _Tree:
    """The tree that grows from a line of messages with versions."""

    def __init__(self, created: float) -> None:
        self.nodes: list[PortableMessage] = []
        self.leaf: str | None = None
        self._time = created

    def add_note(self, text: str) -> None:
        """Add a note. Files do not say where in the conversation it was made, so that it stands first."""
        self.leaf = self._add(PortableMessage("", self.leaf, text_message("user", text), "note", created=self._time))

    def add_entry(self, entry: Frame, place: Place, find_file: FindFile) -> None:
        """Add a message: its versions side by side. What follows stands behind the one that is selected."""
        versions = member(entry, "versions", list, place)
        if not versions:
            return
        ends = [
            self._add_version(value, place / "versions" / index, find_file, without(entry, "versions"), index)
            for index, value in enumerate(versions)
        ]
        self.leaf = ends[selected(entry.get("currentlySelected"), len(ends))]

    def _add_version(self, version: Any, place: Place, find_file: FindFile, entry: Frame, index: int) -> str:
        turns = read_version(version, place, find_file)
        if index == 0:
            turns[0].frame["entry"] = entry
        end, chain = self.leaf, []
        for turn in turns:
            end = self._add(self._node(turn, end))
            chain.append(self.nodes[-1])
        frame: Mapping[str, Any] = frame_of(chain[0])
        frame = exactly(dict(frame), version, VersionWriter(FileShelf(0)).write(chain))
        first = len(self.nodes) - len(chain)
        self.nodes[first] = replace(chain[0], foreign={NAME: frame})
        assert end is not None
        return end

    def _node(self, turn: Turn, parent: str | None) -> PortableMessage:
        # Only answers know when they were made; what a person said was there a moment before.
        self._time = max(self._time, turn.created)
        return PortableMessage(
            "",
            parent,
            turn.message,
            model=turn.model,
            status=status_of(turn.stats),
            stats=turn.stats,
            created=turn.created or self._time,
            settings=turn.settings,
            foreign={NAME: turn.frame},
        )

    def _add(self, node: PortableMessage) -> str:
        self.nodes.append(replace(node, id=str(len(self.nodes) + 1)))
        return self.nodes[-1].id
