"""lmdeck's own JSON: everything that a thread holds, with a version number. Nothing is left out."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, get_args

from tui.domain import STOP_REASON_TEXT, GenerationStats, Message, Part, Role, part_from_json, part_to_json
from tui.threads.interchange.portable import PortableFolder, PortableMessage, PortableThread
from tui.threads.interchange.values import Place, checked, member, moment, one_of, written
from tui.threads.records import MessageKind, MessageStatus
from tui.threads.thread_settings import ThreadSettings, settings_from_column, settings_to_column

FORMAT = "lmdeck.thread"
FOLDER_FORMAT = "lmdeck.folder"
FOLDER_FILE = "folder.lmdeck.json"
"""Lies in each exported folder and says what the folder says for its threads."""
VERSION = 1
"""Counts up when a reader of before would misunderstand a file; new members alone do not."""

_PARTS = ("text", "reasoning", "image", "file", "tool_call", "tool_result")


def write_thread(thread: PortableThread) -> str:
    """The JSON document that stands for a thread."""
    return written(thread_to_json(thread), indent=2) + "\n"


def thread_to_json(thread: PortableThread) -> dict[str, Any]:
    """The JSON object that stands for a thread."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": thread.title,
        "created": thread.created,
        "updated": thread.updated,
        "pinned": thread.pinned,
        "archived": thread.archived,
        "draft": thread.draft,
        "model": thread.model,
        "folder": list(thread.folder),
        "settings": json.loads(settings_to_column(thread.settings)),
        "leaf": thread.leaf,
        "messages": [_message_to_json(node) for node in thread.messages],
        "foreign": dict(thread.foreign),
    }


def thread_from_json(value: Any, place: Place) -> PortableThread:
    """The thread that a JSON object stands for. Raises BadFile."""
    document = _document(value, FORMAT, place)
    seen: set[str] = set()
    nodes = []
    for index, entry in enumerate(member(document, "messages", list, place)):
        nodes.append(_message_from_json(entry, place / "messages" / index, seen))
        seen.add(nodes[-1].id)
    leaf = document.get("leaf")
    if leaf is not None and not (isinstance(leaf, str) and leaf in seen):
        (place / "leaf").fail("names no message of this thread")
    folder = [checked(name, str, place / "folder") for name in member(document, "folder", list, place, [])]
    return PortableThread(
        title=member(document, "title", str, place, ""),
        created=moment(document.get("created")),
        updated=moment(document.get("updated")),
        pinned=member(document, "pinned", bool, place, False),
        archived=_time(document, "archived"),
        draft=member(document, "draft", str, place, ""),
        model=member(document, "model", str, place, ""),
        settings=_settings(document, place),
        messages=tuple(nodes),
        leaf=leaf,
        folder=tuple(folder),
        foreign=member(document, "foreign", dict, place, {}),
    )


def write_folder(folder: PortableFolder) -> str:
    """The JSON document that stands for what a folder says for its threads."""
    settings = json.loads(settings_to_column(folder.settings))
    document = {"format": FOLDER_FORMAT, "version": VERSION, "title": folder.title, "settings": settings}
    return written(document, indent=2) + "\n"


def folder_from_json(value: Any, place: Place, path: tuple[str, ...]) -> PortableFolder:
    """What a JSON object says for the threads in a folder. Raises BadFile."""
    document = _document(value, FOLDER_FORMAT, place)
    return PortableFolder(path, member(document, "title", str, place, ""), _settings(document, place))


def _document(value: Any, kind: str, place: Place) -> dict[str, Any]:
    document = checked(value, dict, place)
    if document.get("format") != kind:
        (place / "format").fail(f"must be {kind!r}")
    if member(document, "version", int, place) > VERSION:
        place.fail("was written by a newer lmdeck", "Nothing of it was imported. Update lmdeck to read it.")
    return document


def _message_to_json(node: PortableMessage) -> dict[str, Any]:
    value: dict[str, Any] = {
        "id": node.id,
        "parent": node.parent,
        "role": node.message.role,
        "parts": [part_to_json(part) for part in node.message.parts],
        "kind": node.kind,
        "model": node.model,
        "status": node.status,
        "error": node.error,
        "stats": asdict(node.stats) if node.stats else None,
        "created": node.created,
        "edited": node.edited,
        "settings": dict(node.settings),
        "foreign": dict(node.foreign),
    }
    return {name: held for name, held in value.items() if held not in (None, "", {}) or name == "parent"}


def _message_from_json(value: Any, place: Place, seen: set[str]) -> PortableMessage:
    entry = checked(value, dict, place)
    identifier = member(entry, "id", str, place)
    if identifier in seen:
        (place / "id").fail("is the name of another message, too")
    parent = entry.get("parent")
    if parent is not None and not (isinstance(parent, str) and parent in seen):
        (place / "parent").fail("names no message that stands before this one")
    role: Role = one_of(entry, "role", get_args(Role), place)
    status: MessageStatus = one_of(entry, "status", get_args(MessageStatus), place, "complete")
    kind: MessageKind = one_of(entry, "kind", get_args(MessageKind), place, "message")
    parts = member(entry, "parts", list, place)
    return PortableMessage(
        id=identifier,
        parent=parent,
        message=Message(role, tuple(_part(part, place / "parts" / index) for index, part in enumerate(parts))),
        kind=kind,
        model=member(entry, "model", str, place, ""),
        # Nobody goes on with an answer that was being written when it was exported.
        status="interrupted" if status == "streaming" else status,
        error=member(entry, "error", str, place, ""),
        stats=stats_from_json(entry.get("stats")),
        created=moment(entry.get("created")),
        edited=_time(entry, "edited"),
        settings=member(entry, "settings", dict, place, {}),
        foreign=member(entry, "foreign", dict, place, {}),
    )


def _part(value: Any, place: Place) -> Part:
    part = checked(value, dict, place)
    kind = one_of(part, "type", _PARTS, place)
    if kind != "image":
        for name in (name for name in part if name != "type"):
            member(part, name, str, place)
        return part_from_json(part)
    try:
        b64decode(member(part, "data", str, place), validate=True)
    except (binascii.Error, ValueError):
        (place / "data").fail("is not base64")
    return part_from_json(part)


def stats_from_json(value: Any) -> GenerationStats | None:
    """The figures that an object holds; one that is spoilt is as good as none."""
    if not isinstance(value, dict):
        return None
    empty = asdict(GenerationStats())
    stats: dict[str, Any] = {}
    for name, default in empty.items():
        held = value.get(name)
        right = isinstance(held, int | float if isinstance(default, float) else type(default))
        if right and not isinstance(held, bool) and (name != "stop_reason" or held in STOP_REASON_TEXT):
            stats[name] = held
    return GenerationStats(**stats)


def _settings(document: Mapping[str, Any], place: Place) -> ThreadSettings:
    return settings_from_column(json.dumps(member(document, "settings", dict, place, {})))


def _time(entry: Mapping[str, Any], key: str) -> float | None:
    return moment(entry.get(key)) or None
