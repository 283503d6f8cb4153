"""Conversation files of LM Studio: there and back loses nothing that both can hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings

from tests.threads.interchange.conversations import PNG, threads
from tests.threads.interchange.documents import DOCUMENTS
from tui.domain import FilePart, ImagePart
from tui.threads.interchange.lmstudio import read_conversation, write_conversation
from tui.threads.interchange.lmstudio.line import line_of
from tui.threads.interchange.portable import PortableThread
from tui.threads.interchange.values import Place

PLACE = Place("1.conversation.json")
STORED = {"picture.png": ImagePart(PNG, "image/png"), "notes.txt": FilePart("notes.txt", "hello")}


def read(document: Any, files: Callable[[str], Any] = STORED.get) -> PortableThread:
    return read_conversation(json.loads(json.dumps(document)), PLACE, files)


@given(DOCUMENTS)
@settings(max_examples=100, deadline=None)
def test_every_field_of_a_file_comes_back(document: dict[str, Any]) -> None:
    assert json.loads(write_conversation(read(document)).text) == document


Turns = list[tuple[tuple[Any, ...], ...]]


def line(thread: PortableThread) -> list[tuple[Turns, int]]:
    """What LM Studio can hold of a thread: versions of what is in view, with who said what, how and when."""
    return [
        (
            [
                tuple(
                    # Only answers have a time of their own in these files.
                    (node.message, node.model, node.status, node.stats,
                     node.created if node.message.role == "assistant" else None)
                    for node in chain
                )
                for chain in entry.versions
            ],
            entry.selected,
        )
        for entry in line_of(thread)
    ]  # fmt: skip


@given(threads())
@settings(max_examples=100, deadline=None)
def test_what_the_format_can_hold_of_a_thread_comes_back(thread: PortableThread) -> None:
    made = write_conversation(thread)
    back = read_conversation(json.loads(made.text), PLACE, made.files.get)
    assert line(back) == line(thread)
    assert (back.title, back.draft, back.pinned) == (thread.title, thread.draft, thread.pinned)
    assert (back.created, back.updated, back.settings) == (thread.created, thread.updated, thread.settings)
    shown = {node.id for entry in line_of(thread) for chain in entry.versions for node in chain}
    assert made.left_out == len(thread.messages) - len(shown)
    # And once it is such a file, it stays one.
    again = write_conversation(back)
    assert json.loads(again.text) == json.loads(made.text)
    assert again.files == made.files
