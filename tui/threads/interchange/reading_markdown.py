"""A Markdown document that lmdeck made, read back. What people have written between its comments since is taken in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, get_args

from tui.domain import (
    FilePart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from tui.threads.interchange.markdown import SYSTEM_PROMPT, VERSION, around
from tui.threads.interchange.own_json import stats_from_json
from tui.threads.interchange.portable import PortableMessage, PortableThread
from tui.threads.interchange.values import Place, member, moment, one_of, parsed
from tui.threads.records import MessageKind, MessageStatus
from tui.threads.thread_settings import settings_from_column

ReadPicture = Callable[[str], bytes | None]
"""Gives the file at a path beside the document, or `None` where there is none."""

_FRONT_MATTER = re.compile(r"---\n(lmdeck: .*?)\n---\n", re.DOTALL)
_MARK = re.compile(r"[0-9a-f]{6,64}")


def is_ours(text: str) -> bool:
    """Whether a Markdown document is one that lmdeck made."""
    return _FRONT_MATTER.match(text.removeprefix("\ufeff").replace("\r\n", "\n", 8)) is not None


def read_markdown(text: str, place: Place, read_picture: ReadPicture) -> PortableThread:
    """The thread that a document stands for. Raises BadFile."""
    text = text.removeprefix("\ufeff")
    if text.startswith("---\r\n"):
        # An editor has changed all line ends, those in the messages too.
        text = text.replace("\r\n", "\n")
    head = _FRONT_MATTER.match(text)
    if head is None:
        place.fail("is no Markdown that lmdeck has exported: it does not begin with ---, lmdeck: and a version")
    facts = _front_matter(head[1], place)
    if member(facts, "lmdeck", int, place) > VERSION:
        place.fail("was written by a newer lmdeck", "Nothing of it was imported. Update lmdeck to read it.")
    mark = member(facts, "mark", str, place)
    if not _MARK.fullmatch(mark):
        (place / "mark").fail("must be some hexadecimal digits")
    settings = settings_from_column(json.dumps(facts.get("settings") or {}))
    nodes: list[PortableMessage] = []
    for section in _sections(text, head.end(), mark, place):
        if section.facts.get("part") == SYSTEM_PROMPT:
            settings = replace(settings, system_prompt=section.content)
        elif "role" in section.facts:
            nodes.append(_message(section, len(nodes) + 1))
        elif nodes:
            _add_part(nodes, _part(section, read_picture))
        else:
            section.place.fail("stands before the first message")
    return PortableThread(
        title=member(facts, "title", str, place, ""),
        created=_seconds(facts.get("created")),
        updated=_seconds(facts.get("updated")),
        pinned=facts.get("pinned") is True,
        draft=member(facts, "draft", str, place, ""),
        settings=settings,
        messages=tuple(nodes),
        leaf=nodes[-1].id if nodes else None,
    )


@dataclass(frozen=True, slots=True)
class _Section:
    """What stands behind one comment."""

    facts: dict[str, Any]
    body: str
    place: Place

    @property
    def content(self) -> str:
        """What the body holds between the marks that are put around it."""
        before, behind = around(self.facts)
        body = self.body.removeprefix(before)
        # An editor may have taken the empty lines at the end of the document away.
        endings = (behind, behind[:-1], behind.rstrip("\n"))
        return body.removesuffix(next((ending for ending in endings if body.endswith(ending)), ""))


def _front_matter(text: str, place: Place) -> dict[str, Any]:
    facts = {}
    for number_of_line, line in enumerate(text.split("\n"), 2):
        key, colon, value = line.partition(": ")
        if not colon:
            Place(place.file, number_of_line).fail("is not of the form `name: value`")
        facts[key] = parsed(value, Place(place.file, number_of_line, key))
    return facts


def _sections(text: str, start: int, mark: str, place: Place) -> list[_Section]:
    comments = list(re.compile(rf"^<!-- lmdeck:{mark} (\{{.*\}}) -->\n", re.MULTILINE).finditer(text, start))
    ends = [comment.start() for comment in comments[1:]] + [len(text)] * bool(comments)
    sections = []
    line, counted = 1, 0
    for comment, end in zip(comments, ends, strict=True):
        line += text.count("\n", counted, comment.start())
        counted = comment.start()
        where = Place(place.file, line)
        facts = parsed(comment[1], where)
        if not isinstance(facts, dict):
            where.fail("must hold an object")
        sections.append(_Section(facts, text[comment.end() : end], where))
    return sections


def _message(section: _Section, position: int) -> PortableMessage:
    facts, place = section.facts, section.place
    role: Role = one_of(facts, "role", get_args(Role), place)
    status: MessageStatus = one_of(facts, "status", get_args(MessageStatus), place, "complete")
    kind: MessageKind = one_of(facts, "kind", get_args(MessageKind), place, "message")
    return PortableMessage(
        id=str(position),
        parent=str(position - 1) if position > 1 else None,
        message=Message(role, ()),
        kind=kind,
        model=member(facts, "model", str, place, ""),
        status="interrupted" if status == "streaming" else status,
        error=member(facts, "error", str, place, ""),
        stats=stats_from_json(facts.get("stats")),
        created=moment(facts.get("created")),
    )


def _add_part(nodes: list[PortableMessage], part: Part) -> None:
    last = nodes[-1]
    nodes[-1] = replace(last, message=Message(last.message.role, (*last.message.parts, part)))


def _part(section: _Section, read_picture: ReadPicture) -> Part:
    facts, place, content = section.facts, section.place, section.content
    match facts.get("part"):
        case "text":
            return TextPart(content)
        case "reasoning":
            return ReasoningPart(content)
        case "file":
            return FilePart(member(facts, "name", str, place), content)
        case "tool_call":
            return ToolCallPart(member(facts, "id", str, place), member(facts, "name", str, place), content)
        case "tool_result":
            return ToolResultPart(member(facts, "id", str, place), member(facts, "name", str, place), content)
        case "image":
            path = member(facts, "path", str, place)
            data = read_picture(path)
            if data is None:
                place.fail(f"names the picture {path!r}, which is not there")
            return ImagePart(data, member(facts, "media_type", str, place, ""), member(facts, "name", str, place, ""))
    return (place / "part").fail("is of a kind that is unknown")


def _seconds(value: Any) -> float:
    try:
        return moment(datetime.fromisoformat(value).timestamp()) if isinstance(value, str) and value else 0.0
    except (ValueError, OverflowError, OSError):
        return 0.0
