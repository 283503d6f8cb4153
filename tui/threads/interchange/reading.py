"""The threads in a file, whatever its format."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any, BinaryIO

from tui.domain import BadFile, FilePart, ImagePart
from tui.threads.interchange.json_lists import list_items
from tui.threads.interchange.lmstudio import USER_FILES, read_conversation
from tui.threads.interchange.openai_messages import read_messages
from tui.threads.interchange.own_json import FOLDER_FORMAT, FORMAT, folder_from_json, thread_from_json
from tui.threads.interchange.portable import PortableFolder, PortableThread
from tui.threads.interchange.reading_markdown import is_ours, read_markdown
from tui.threads.interchange.sharegpt import read_sharegpt
from tui.threads.interchange.sources import SourceFile, read_whole, reading_problems
from tui.threads.interchange.values import MOST_BYTES, Place, embedded, moment, parsed

WHAT_IS_READ = (
    "Nothing of it was imported. lmdeck reads conversation files of LM Studio, its own JSON and Markdown, and OpenAI "
    "messages or ShareGPT as JSON or JSONL."
)

_PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")


class NoConversation(BadFile):
    """A file has a name like those that hold threads, but is something else."""


def may_hold_threads(file: SourceFile) -> bool:
    """Whether a file's name is one that files with threads have."""
    name = file.path[-1].lower()
    if USER_FILES in file.path[:-1] or name.endswith((".preset.json", ".metadata.json")):
        return False
    return name.endswith((".json", ".jsonl", ".md", ".markdown"))


def read_file(file: SourceFile) -> Iterator[PortableThread | PortableFolder]:
    """What a file holds, one after the other. Raises BadFile, and `NoConversation` for a file of another kind.

    The kind of a file is told by its ending, and that of a JSON document by what stands in it.
    """
    name = file.path[-1].lower()
    if name.endswith(".json"):
        return _in_folder(_read_json(file), file)
    if name.endswith(".jsonl"):
        return _in_folder(_read_lines(file), file)
    return _in_folder(_read_markdown(file), file)


def _in_folder(
    threads: Iterator[PortableThread | PortableFolder], file: SourceFile
) -> Iterator[PortableThread | PortableFolder]:
    """Put threads into the folders that their file lies in, unless they bring those of their own."""
    folders = file.path[:-1]
    # LM Studio keeps its chats, and nothing else, in a folder of this name.
    folders = folders[1:] if folders[:1] == ("conversations",) else folders
    for thread in threads:
        if isinstance(thread, PortableThread):
            yield replace(thread, folder=folders if len(file.path) > 1 else thread.folder)
        else:
            yield replace(thread, path=folders)


def _read_json(file: SourceFile) -> Iterator[PortableThread | PortableFolder]:
    place = Place(file.shown)
    with reading_problems(file.shown), file.open() as stream:
        head = stream.read(4096)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        yield from _read_list(file, place)
        return
    value = parsed(read_whole(file), place)
    kind = value.get("format") if isinstance(value, dict) else None
    if kind == FOLDER_FORMAT:
        yield folder_from_json(value, place, file.path[:-1])
    elif _is_conversation_file(value):
        thread = read_conversation(value, place, lambda identifier: _attachment(file, identifier))
        made = thread.created or _time_in_name(file.path[-1])
        yield replace(thread, created=made, updated=thread.updated or made)
    elif not isinstance(value, dict) or not {"messages", "conversations", "format"} & set(value):
        raise NoConversation(f"{file.shown} is JSON, but no conversation.", WHAT_IS_READ, file=file.shown)
    else:
        yield thread_from_value(value, place)


def _read_markdown(file: SourceFile) -> Iterator[PortableThread]:
    place = Place(file.shown)
    try:
        text = read_whole(file).decode("utf-8-sig")
    except UnicodeDecodeError as damage:
        place.fail(f"is not UTF-8 text (at byte {damage.start:,})")
    if not is_ours(text):
        raise NoConversation(f"{file.shown} is no Markdown that lmdeck has exported.", WHAT_IS_READ, file=file.shown)
    yield read_markdown(text, place, file.beside)


def _read_list(file: SourceFile, place: Place) -> Iterator[PortableThread]:
    with reading_problems(file.shown), file.open() as stream:
        items = list_items(stream, place)
        first = next(items, None)
        if first is None:
            return
        if isinstance(first[1], dict) and "role" in first[1]:
            # One conversation as the bare list of its messages.
            yield read_messages([first[1], *(value for _, value in items)], place)
            return
        for number, value in chain([first], items):
            yield thread_from_value(value, place / number)


def thread_from_value(value: Any, place: Place) -> PortableThread:
    """The thread that a JSON value stands for, in one of the forms that are no files of their own. Raises BadFile."""
    if isinstance(value, dict) and "conversations" in value:
        return read_sharegpt(value, place)
    if isinstance(value, dict) and value.get("format") == FORMAT:
        return thread_from_json(value, place)
    if isinstance(value, list) or (isinstance(value, dict) and "messages" in value):
        return read_messages(value, place)
    return place.fail("is no conversation: it has neither `messages` nor `conversations`", WHAT_IS_READ)


def _read_lines(file: SourceFile) -> Iterator[PortableThread]:
    with reading_problems(file.shown), file.open() as stream:
        for number, line in enumerate(_lines(stream, file.shown), 1):
            if line.strip():
                place = Place(file.shown, number)
                yield thread_from_value(parsed(line, place), place)


def _lines(stream: BinaryIO, shown: str) -> Iterator[bytes]:
    number = 0
    while line := stream.readline(MOST_BYTES + 1):
        number += 1
        if len(line) > MOST_BYTES:
            Place(shown, number).fail(f"is longer than {MOST_BYTES // 2**20} MB")
        yield line


def _is_conversation_file(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("messages"), list):
        return False
    messages = value["messages"]
    if not messages:
        return "createdAt" in value
    return isinstance(messages[0], dict) and "versions" in messages[0]


def _time_in_name(name: str) -> float:
    """LM Studio calls its files by the time of their making in milliseconds; 0 for other names."""
    stem = name.partition(".")[0]
    return moment(int(stem) / 1000) if len(stem) == 13 and stem.isdecimal() else 0.0


def _attachment(file: SourceFile, identifier: str) -> ImagePart | FilePart | None:
    """A picture or text of LM Studio's, which lies in a folder beside that of the conversations."""
    data = file.above(USER_FILES, identifier)
    if data is None:
        return None
    about = embedded((file.above(USER_FILES, f"{identifier}.metadata.json") or b"").decode("utf-8", "replace"))
    original = about.get("originalName") if isinstance(about, dict) else None
    name = original if isinstance(original, str) else identifier
    media_type = mimetypes.guess_type(identifier)[0] or mimetypes.guess_type(name)[0] or ""
    if media_type in _PICTURES:
        return ImagePart(data, media_type, name)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    # Zero bytes are in no text, but in many files that happen to be UTF-8.
    return None if "\0" in text else FilePart(name, text)
