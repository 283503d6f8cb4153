"""Tool calls where the output may have them: openings, one call or several in whatever shape, closings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tui.formats.output.context import CallContext, shape_begins
from tui.formats.output.element_calls import read_element_call
from tui.formats.output.format import (
    BracedShape,
    ElementShape,
    JsonShape,
    NamedShape,
    PythonicShape,
    Shape,
    TaggedShape,
)
from tui.formats.output.json_calls import read_json_calls, read_named_call
from tui.formats.output.literal_calls import read_braced_call, read_pythonic_calls
from tui.formats.output.source import Malformed, Markers, Reading
from tui.formats.output.tagged_calls import read_tagged_call


def read_calls(context: CallContext, opening: str) -> Reading[str]:
    """All calls up to their closing, the opening having been read.

    What turns out not to belong to a call is returned as text; the opening too, if there is no call at all. A call
    that has begun stays one: if it is broken or cut off it is finished with the arguments as far as they came, which
    are then no valid JSON, so that nobody runs half of a command.
    """
    source = context.source
    source.record()
    try:
        yield from _calls(context)
    except Malformed:
        context.finish()
        if context.calls:
            yield from _close(context)
    context.finish()
    text = source.recorded()
    return text if context.calls else opening + text


def _calls(context: CallContext) -> Reading[None]:
    source, syntax = context.source, context.syntax
    openings = Markers(syntax.openings)
    while True:
        yield from source.skip_space()
        # Some say the opening twice.
        if (opening := (yield from source.stands_any(openings))) and not syntax.overlap:
            source.take(len(opening))
            continue
        shape = yield from _shape(context)
        if shape is None:
            raise Malformed
        yield from _READERS[type(shape)](context, shape)
        context.finish()
        if not syntax.repeated:
            yield from _close(context)
            return
        if (yield from _close(context)):
            return
        yield from _separator(context)


def _shape(context: CallContext) -> Reading[Shape | None]:
    for shape in context.syntax.shapes:
        if (yield from shape_begins(shape, context.source)):
            return shape
    return None


def _close(context: CallContext) -> Reading[bool]:
    """Read the closing, with white space and surplus brackets before it; whether it is there."""
    source = context.source
    if not context.syntax.closings:
        return False
    closings = Markers(context.syntax.closings)
    offset, character = yield from source.look()
    while True:
        while not source.ended and closings.open_at(source.text, source.at + offset):
            yield
        if marker := closings.at(source.text, source.at + offset):
            break
        if not character or character not in "}]":
            return False
        offset, character = yield from source.look(offset + 1)
    source.take(offset + len(marker))
    context.settle()
    return True


def _separator(context: CallContext) -> Reading[None]:
    source = context.source
    _, character = yield from source.look()
    if character in (",", ";"):
        yield from source.skip_space()
        source.take(1)


_READERS: dict[type, Callable[[CallContext, Any], Reading[None]]] = {
    JsonShape: read_json_calls,
    NamedShape: read_named_call,
    TaggedShape: read_tagged_call,
    ElementShape: read_element_call,
    PythonicShape: read_pythonic_calls,
    BracedShape: read_braced_call,
}
