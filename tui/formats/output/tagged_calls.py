"""Calls with tags around every argument. The values are plain text, so the tool's schema says what they are."""

from __future__ import annotations

import re

from tui.formats.output.context import CallContext
from tui.formats.output.format import TaggedShape
from tui.formats.output.json_text import JsonReader, Sink, escaped
from tui.formats.output.source import Malformed, Markers, Reading
from tui.formats.output.tool_types import argument_json

_LONGEST_TAG = 512
_PLAIN = frozenset({"string"})
_OTHER = frozenset({"integer", "number", "boolean", "object", "array", "null"})
_LITERAL, _LITERAL_END = "<![CDATA[", "]]>"


def read_tagged_call(context: CallContext, shape: TaggedShape) -> Reading[None]:
    """One call. Raises Malformed where it is something else, or ends without its end."""
    source = context.source
    yield from source.accept(shape.opening)
    name = yield from _function_name(context, shape)
    context.begin(name)
    context.arguments("{")
    first = True
    while True:
        yield from source.skip_space()
        if (yield from source.accept(shape.parameter_opening)):
            parameter, plain = yield from _parameter_name(context, shape)
            context.arguments(("" if first else ", ") + f'"{escaped(parameter)}": ')
            first = False
            types = context.tools.types(name, parameter)
            if plain is not None:
                types = _PLAIN if plain else (types - _PLAIN or _OTHER)
            yield from _value(context, shape, types)
            continue
        if (yield from source.accept(shape.closing)) or (yield from source.stands_any(context.ends())):
            context.arguments("}")
            return
        raise Malformed


def _function_name(context: CallContext, shape: TaggedShape) -> Reading[str]:
    source = context.source
    if shape.opening:
        text, _ = yield from source.word_until(Markers([_tag_end(shape.name_end)]), _LONGEST_TAG)
        return _attribute(text)[0]
    ends = (shape.name_end, shape.parameter_opening, *context.syntax.closings)
    text, marker = yield from source.word_until(Markers(ends), _LONGEST_TAG)
    if marker != shape.name_end:
        source.unread(marker)
    return text.strip()


def _parameter_name(context: CallContext, shape: TaggedShape) -> Reading[tuple[str, bool | None]]:
    """Its name, and whether its value is plain text, if its tag says so."""
    source = context.source
    text, _ = yield from source.word_until(Markers([_tag_end(shape.parameter_name_end)]), _LONGEST_TAG)
    if shape.value_opening:
        yield from source.skip_space()
        yield from source.accept(shape.value_opening)
    name, attributes = _attribute(text)
    said = re.search(rf'{shape.typed_by}="([^"]*)"', attributes) if shape.typed_by else None
    return name, said[1] in ("true", "string") if said else None


def _tag_end(text: str) -> str:
    """What closes a tag, without the quote of the name in it and what may stand between."""
    return text.rpartition('"')[2]


def _attribute(text: str) -> tuple[str, str]:
    """The name at the beginning of a tag's inside, whose opening quote has been read, and the rest."""
    name, _, rest = text.strip().strip("'").partition('"')
    return (name or rest).strip(' "'), rest


def _value(context: CallContext, shape: TaggedShape, types: frozenset[str]) -> Reading[None]:
    if types == _PLAIN:
        context.arguments('"')
        sink = _Padded(context, shape.padding)
        yield from _plain_value(context, shape, sink)
        context.arguments('"')
        return
    pieces: list[str] = []
    try:
        if types and "string" not in types:
            yield from _json_value(context, shape, pieces)
        yield from _plain_value(context, shape, pieces.append)
    except Malformed:
        context.arguments("".join(pieces).removeprefix(shape.padding))
        raise
    text = "".join(pieces)
    if shape.padding:
        text = text.removeprefix(shape.padding).removesuffix(shape.padding)
    context.arguments(argument_json(text, types))


def _json_value(context: CallContext, shape: TaggedShape, pieces: list[str]) -> Reading[None]:
    """An object or a list, whose texts may have the closing tag in them."""
    _, character = yield from context.source.look()
    if character and character in "{[":
        pieces.append((yield from context.source.skip_space()))
        yield from JsonReader(context.source, Markers([shape.value_closing])).value(pieces.append)


class _Padded:
    """Hands text on as the inside of a JSON string, without a line break at its beginning and its end."""

    def __init__(self, context: CallContext, padding: str) -> None:
        self._context = context
        self._padding = padding
        self._begun = False
        self._held = ""

    def __call__(self, text: str) -> None:
        if not self._begun:
            self._begun = True
            text = text.removeprefix(self._padding)
        text = self._held + text
        self._held = self._padding if self._padding and text.endswith(self._padding) else ""
        self._context.arguments(escaped(text.removesuffix(self._held)))


def _plain_value(context: CallContext, shape: TaggedShape, sink: Sink) -> Reading[None]:
    """A value up to its end. Raises Malformed at the end of the output."""
    source = context.source
    if (yield from source.accept(_LITERAL)):
        if not (yield from source.copy_until(Markers([_LITERAL_END]), sink)):
            raise Malformed
        yield from source.skip_space()
        yield from source.accept(shape.value_closing)
        return
    # A model may forget to close a value. Only at the beginning of a line can the next tag be told from a value that
    # is about such tags.
    line = "\n" if shape.padding else ""
    others = [line + tag for tag in (shape.parameter_opening, shape.closing) if tag]
    marker = yield from source.copy_until(Markers((shape.value_closing, *others)), sink)
    if not marker:
        raise Malformed
    if marker != shape.value_closing:
        source.unread(marker)
