"""Output items while they come: each tells its own events, and what it is so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from tui.server.responses.free_text import FreeTextReader, text_of
from tui.server.responses.identifiers import new_id
from tui.server.responses.items import Item, sealed


class Say(Protocol):
    """Takes an event of the kind `response.KIND` with its fields."""

    def __call__(self, kind: str, **fields: Any) -> None: ...


class OutputItem(Protocol):
    """An item that has begun."""

    def close(self, status: str = "completed") -> None:
        """Nothing more comes for it. Does nothing the second time."""

    def so_far(self) -> Item:
        """The item as it is now."""


class _Telling:
    """What all items have: an id, a place in the output, a status, and a way to tell."""

    def __init__(self, kind: str, place: int, say: Say) -> None:
        self.id = new_id(kind)
        self.status = "in_progress"
        self._place = place
        self._say = say

    def tell(self, kind: str, **fields: Any) -> None:
        self._say(kind, item_id=self.id, output_index=self._place, **fields)

    def tell_item(self, kind: str, item: Item) -> None:
        self._say(f"output_item.{kind}", output_index=self._place, item=item)


class TextItem:
    """A message of the model: one part of text."""

    def __init__(self, place: int, say: Say) -> None:
        self._telling = _Telling("msg", place, say)
        self._pieces: list[str] = []
        self._logprobs: list[dict[str, Any]] = []
        self._telling.tell_item("added", self._item([]))
        self._telling.tell("content_part.added", content_index=0, part=self._part())

    def add(self, text: str, logprobs: Sequence[dict[str, Any]]) -> None:
        """More of the text."""
        self._pieces.append(text)
        self._logprobs += logprobs
        self._telling.tell("output_text.delta", content_index=0, delta=text, logprobs=list(logprobs))

    def close(self, status: str = "completed") -> None:
        if self._telling.status != "in_progress":
            return
        self._telling.status = status
        part = self._part()
        self._telling.tell("output_text.done", content_index=0, text=part["text"], logprobs=part["logprobs"])
        self._telling.tell("content_part.done", content_index=0, part=part)
        self._telling.tell_item("done", self.so_far())

    def so_far(self) -> Item:
        return self._item([self._part()])

    def _part(self) -> dict[str, Any]:
        text = "".join(self._pieces)
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": list(self._logprobs)}

    def _item(self, content: list[dict[str, Any]]) -> Item:
        telling = self._telling
        return {
            "id": telling.id,
            "type": "message",
            "status": telling.status,
            "role": "assistant",
            "content": content,
        }


class ReasoningItem:
    """What the model thought, and if wanted the same as its summary: nobody sums it up here."""

    def __init__(self, place: int, say: Say, *, summary: bool, seal: bool) -> None:
        self._telling = _Telling("rs", place, say)
        self._with_summary, self._with_seal = summary, seal
        self._pieces: list[str] = []
        self._telling.tell_item("added", self._item([], []))
        if summary:
            self._telling.tell("reasoning_summary_part.added", summary_index=0, part=_summary(""))
        self._telling.tell("content_part.added", content_index=0, part=_thought(""))

    def add(self, text: str) -> None:
        """More of the thought."""
        self._pieces.append(text)
        self._telling.tell("reasoning_text.delta", content_index=0, delta=text)
        if self._with_summary:
            self._telling.tell("reasoning_summary_text.delta", summary_index=0, delta=text)

    def close(self, status: str = "completed") -> None:
        if self._telling.status != "in_progress":
            return
        self._telling.status = status
        text = "".join(self._pieces)
        self._telling.tell("reasoning_text.done", content_index=0, text=text)
        self._telling.tell("content_part.done", content_index=0, part=_thought(text))
        if self._with_summary:
            self._telling.tell("reasoning_summary_text.done", summary_index=0, text=text)
            self._telling.tell("reasoning_summary_part.done", summary_index=0, part=_summary(text))
        self._telling.tell_item("done", self.so_far())

    def so_far(self) -> Item:
        text = "".join(self._pieces)
        item = self._item([_summary(text)] if self._with_summary else [], [_thought(text)])
        return {**item, "encrypted_content": sealed(text)} if self._with_seal else item

    def _item(self, summary: list[dict[str, str]], content: list[dict[str, str]]) -> Item:
        telling = self._telling
        return {
            "id": telling.id,
            "type": "reasoning",
            "status": telling.status,
            "summary": summary,
            "content": content,
        }


class FunctionCallItem:
    """A call of a function, with arguments in JSON."""

    def __init__(self, place: int, say: Say, call_id: str, name: str) -> None:
        self._telling = _Telling("fc", place, say)
        self._call_id, self._name = call_id, name
        self._arguments = ""
        self._telling.tell_item("added", self.so_far())

    def add(self, text: str) -> None:
        """More of the arguments."""
        self._arguments += text
        self._telling.tell("function_call_arguments.delta", delta=text)

    def finish(self, arguments: str) -> None:
        """These are all arguments."""
        if not self._arguments and arguments:
            self.add(arguments)
        self._arguments = arguments
        self.close()

    def close(self, status: str = "completed") -> None:
        if self._telling.status != "in_progress":
            return
        self._telling.status = status
        self._telling.tell("function_call_arguments.done", name=self._name, arguments=self._arguments)
        self._telling.tell_item("done", self.so_far())

    def so_far(self) -> Item:
        telling = self._telling
        return {
            "id": telling.id,
            "type": "function_call",
            "status": telling.status,
            "call_id": self._call_id,
            "name": self._name,
            "arguments": self._arguments,
        }


class CustomCallItem:
    """A call of a custom tool, with a text."""

    def __init__(self, place: int, say: Say, call_id: str, name: str) -> None:
        self._telling = _Telling("ctc", place, say)
        self._call_id, self._name = call_id, name
        self._reader = FreeTextReader()
        self._text = ""
        self._telling.tell_item("added", self.so_far())

    def add(self, text: str) -> None:
        """More of the JSON that has the text in it."""
        if piece := self._reader.feed(text):
            self._add_text(piece)

    def finish(self, arguments: str) -> None:
        """The JSON is complete."""
        whole = text_of(arguments)
        if whole.startswith(self._text) and whole != self._text:
            self._add_text(whole[len(self._text) :])
        self._text = whole
        self.close()

    def close(self, status: str = "completed") -> None:
        if self._telling.status != "in_progress":
            return
        self._telling.status = status
        self._telling.tell("custom_tool_call_input.done", input=self._text)
        self._telling.tell_item("done", self.so_far())

    def so_far(self) -> Item:
        telling = self._telling
        return {
            "id": telling.id,
            "type": "custom_tool_call",
            "status": telling.status,
            "call_id": self._call_id,
            "name": self._name,
            "input": self._text,
        }

    def _add_text(self, text: str) -> None:
        self._text += text
        self._telling.tell("custom_tool_call_input.delta", delta=text)


CallItem = FunctionCallItem | CustomCallItem


def _thought(text: str) -> dict[str, str]:
    return {"type": "reasoning_text", "text": text}


def _summary(text: str) -> dict[str, str]:
    return {"type": "summary_text", "text": text}
