"""Conversation files of LM Studio: there and back loses nothing that both can hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
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
                    (node.message, node.model, node.status, node.stats, dict(node.settings),
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


def test_parameters_of_a_chat_are_its_own_and_the_rest_of_the_fields_stays() -> None:
    off = {"key": "llm.prediction.topPSampling", "value": {"checked": False, "value": 0.9}}
    unknown = {"key": "llm.prediction.somethingNew", "value": [1]}
    loading = {"key": "llm.prediction.llama.cpuThreads", "value": 4}
    fields = [off, {"key": "llm.prediction.temperature", "value": 0.3}, unknown, loading]
    document = {"messages": [], "createdAt": 1, "perChatPredictionConfig": {"fields": fields, "x": 1}}
    thread = read(document)
    assert thread.settings.overrides == {"sampling.top_p": 1.0, "sampling.temperature": 0.3}
    changed = replace(thread, settings=replace(thread.settings, overrides={"sampling.top_p": 1.0, "sampling.top_k": 7}))
    assert json.loads(write_conversation(changed).text)["perChatPredictionConfig"] == {
        "fields": [off, unknown, loading, {"key": "llm.prediction.topKSampling", "value": 7}], "x": 1
    }  # fmt: skip
    switched_off = {**document, "usePerChatPredictionConfig": False}
    assert read(switched_off).settings.overrides == {}
    assert json.loads(write_conversation(read(switched_off)).text) == switched_off
