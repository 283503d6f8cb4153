"""Conversation files of LM Studio: there and back loses nothing that both can hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from tests.threads.interchange.conversations import PNG, threads
from tests.threads.interchange.documents import DOCUMENTS
from tui.domain import BadFile, FilePart, ImagePart, Message, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from tui.threads.interchange.lmstudio import read_conversation, write_conversation
from tui.threads.interchange.lmstudio.line import line_of
from tui.threads.interchange.portable import PortableMessage, PortableThread
from tui.threads.interchange.values import Place

PLACE = Place("1.conversation.json")
STORED = {"picture.png": ImagePart(PNG, "image/png"), "notes.txt": FilePart("notes.txt", "hello")}


def read(document: Any, files: Callable[[str], Any] = STORED.get) -> PortableThread:
    return read_conversation(json.loads(json.dumps(document)), PLACE, files)


@given(DOCUMENTS)
@settings(max_examples=50, deadline=None)
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
@settings(max_examples=50, deadline=None)
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


def assistant(*steps: dict[str, Any]) -> dict[str, Any]:
    version = {"type": "multiStep", "role": "assistant", "steps": list(steps)}
    return {"messages": [{"currentlySelected": 0, "versions": [version]}]}


def block(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "contentBlock", "content": [{"type": "text", "text": text}], **fields}


@pytest.mark.parametrize(
    "step",
    [
        block("Hm.", style={"type": "thinking", "ended": True}),
        block("Hm.", prefix="<think>", suffix="</think>"),
        block("Hm.", prefix="<|SYNTHETIC_REASONING_START|>"),
        block("<think>\nHm.\n</think>\n\n"),
        block("<think>Hm."),
    ],
)
def test_thoughts_are_known_in_every_style(step: dict[str, Any]) -> None:
    document = assistant(step, block("Yes."))
    thread = read(document)
    assert thread.branch()[0].message == Message("assistant", (ReasoningPart("Hm."), TextPart("Yes.")))
    edited = replace(thread.messages[0], message=Message("assistant", (ReasoningPart("Ha."), TextPart("No."))))
    written = json.loads(write_conversation(replace(thread, messages=(edited,))).text)
    assert written == json.loads(json.dumps(document).replace("Hm.", "Ha.").replace("Yes.", "No."))


def test_an_answer_that_calls_tools_becomes_turns_and_one_answer_again() -> None:
    call = {"type": "toolCallRequest", "callId": 1, "toolCallRequestId": "c1", "name": "f", "parameters": {"a": [1]}}
    result = {"type": "toolCallResult", "callId": 1, "toolCallRequestId": "c1", "name": "f", "content": "2"}
    document = assistant(
        block("Let me see.", stepIdentifier="1784921393999-0.1"),
        {"type": "contentBlock", "content": [call]},
        {"type": "toolStatus", "callId": 1},
        {"type": "contentBlock", "roleOverride": "tool", "content": [result]},
        block("Two."),
        {"type": "debugInfoBlock", "debugInfo": "x"},
    )
    thread = read(document)
    assert [node.message for node in thread.branch()] == [
        Message("assistant", (TextPart("Let me see."), ToolCallPart("c1", "f", '{"a": [1]}'))),
        Message("tool", (ToolResultPart("c1", "f", "2"),)),
        Message("assistant", (TextPart("Two."),)),
    ]
    assert thread.branch()[0].created == 1784921393.999
    # What is asked next, and another end of the same answer, find their places.
    last = thread.messages[-1]
    other = replace(last, id="9", message=Message("assistant", (TextPart("2!"),)), foreign={})
    more = PortableMessage("10", "9", Message("user", (TextPart("Thanks"),)))
    grown = json.loads(write_conversation(replace(thread, messages=(*thread.messages, other, more), leaf="10")).text)
    first, second = grown["messages"]
    assert first["versions"][0] == document["messages"][0]["versions"][0]
    assert [len(version["steps"]) for version in first["versions"]] == [6, 5]
    assert first["currentlySelected"] == 1
    assert second["versions"][0]["role"] == "user"


def test_versions_stand_side_by_side_and_the_selected_one_goes_on() -> None:
    def said(role: str, *texts: str, selected: Any = 0) -> dict[str, Any]:
        versions = [{"type": "singleStep", "role": role, "content": [{"type": "text", "text": text}]} for text in texts]
        return {"currentlySelected": selected, "versions": versions}

    document = {"messages": [said("user", "a"), said("assistant", "b1", "b2", "b3", selected=1), said("user", "c")]}
    thread = read(document)
    assert [node.message.text for node in thread.branch()] == ["a", "b2", "c"]
    assert [node.message.text for node in thread.children()["1"]] == ["b1", "b2", "b3"]
    document["messages"][1]["currentlySelected"] = 7
    assert [node.message.text for node in read(document).branch()] == ["a", "b3", "c"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], ""),
        ({}, "messages"),
        ({"messages": [5]}, "messages[0]"),
        ({"messages": [{}]}, "messages[0].versions"),
        ({"messages": [{"versions": [{"role": "king", "content": []}]}]}, "messages[0].versions[0].role"),
        ({"messages": [{"versions": [{"role": "user"}]}]}, "messages[0].versions[0].content"),
        ({"name": 5, "messages": []}, "name"),
        (assistant({"type": "contentBlock", "content": [{"type": "text"}]}),
         "messages[0].versions[0].steps[0].content[0].text"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(document: Any, field: str) -> None:
    with pytest.raises(BadFile) as problem:
        read(document)
    assert (problem.value.file, problem.value.field) == ("1.conversation.json", field)
