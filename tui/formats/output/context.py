"""What the readers of the shapes share: the text, where calls go, and whether a call has begun."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tui.formats.output.format import BracedShape, CallSyntax, ElementShape, JsonShape, NamedShape, Shape, TaggedShape
from tui.formats.output.json_text import JsonReader
from tui.formats.output.source import Malformed, Markers, Reading, Source
from tui.formats.output.tool_types import ToolTypes
from tui.formats.output.writer import Writer

_NAME = re.compile(r"[^\s{}()\[\]<>\"',;=]{1,128}")


@dataclass(slots=True)
class CallContext:
    """One place in the output where calls may stand."""

    source: Source
    writer: Writer
    syntax: CallSyntax
    tools: ToolTypes
    in_reasoning: bool = False
    """It is inside a block of reasoning, which the first call then ends."""
    calls: int = field(default=0, init=False)
    """How many calls have begun here."""
    _open: bool = field(default=False, init=False)

    @property
    def open(self) -> bool:
        """Whether a call has begun that is not finished."""
        return self._open

    def begin(self, name: str, call_id: str = "") -> None:
        """A call it is. Raises Malformed if it cannot be one."""
        if not name and not self.syntax.nameless:
            raise Malformed
        if name and not _NAME.fullmatch(name):
            raise Malformed
        unknown = not self.tools.knows(name)
        if unknown and (self.syntax.known_only or (self.in_reasoning and self.tools.any)):
            raise Malformed
        if self.in_reasoning:
            self.writer.end_reasoning()
            self.in_reasoning = False
        self.source.forget()
        self.writer.start_call(name, call_id)
        self.calls += 1
        self._open = True

    def arguments(self, text: str) -> None:
        """More of the arguments, as JSON text."""
        self.writer.arguments(text)

    def finish(self) -> None:
        """The call is over, and what was read of it is no text."""
        if self._open:
            self.writer.end_call()
            self._open = False
            self.source.record()

    def settle(self) -> None:
        """What was read since the last call belongs to the calls, too."""
        self.source.record()

    def reader(self, *closings: str) -> JsonReader:
        """For JSON that must end before the given texts, and before those that end all calls."""
        texts = (*closings, *self.syntax.closings, *(text for text in self.syntax.openings if len(text) > 2))
        return JsonReader(self.source, Markers(text.strip() for text in texts))

    def ends(self) -> Markers:
        """What ends all calls."""
        return Markers(self.syntax.closings)


def read_arguments(context: CallContext, reader: JsonReader) -> Reading[bool]:
    """The arguments of a call that has begun, as JSON or as a string with JSON in it; whether they are whole."""
    source = context.source
    if (yield from source.accept("null")):
        context.arguments("{}")
        return True
    if not (yield from source.accept('"')):
        return (yield from reader.value(context.arguments))
    if (yield from source.accept('"')):
        context.arguments("{}")
        return True
    if (yield from source.stands("{")):
        return (yield from reader.decoded_string(context.arguments))
    context.arguments('"')
    return (yield from reader.rest_of_string(context.arguments))


def shape_begins(shape: Shape, source: Source) -> Reading[bool]:
    """Whether the text goes on with something of this shape, as far as its first characters tell."""
    match shape:
        case JsonShape():
            character = yield from source.peek()
            if character == "[":
                _, character = yield from source.look(1)
                return character in ("{", "]")
            return character == "{"
        case NamedShape():
            marker = shape.fields[0][0]
        case TaggedShape() | BracedShape():
            marker = shape.opening
        case ElementShape():
            return bool((yield from source.stands_any(Markers((shape.lead + shape.opening, shape.opening)))))
        case _:
            character = yield from source.peek()
            if character == "[":
                _, character = yield from source.look(1)
            return character.isidentifier()
    if marker:
        return (yield from source.stands(marker))
    character = yield from source.peek()
    if isinstance(shape, NamedShape) and (yield from source.stands_any(Markers(text for text, _ in shape.fields))):
        return True
    return character.isidentifier()
