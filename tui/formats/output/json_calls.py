"""Calls as JSON: `{"name": …, "arguments": …}`, alone or in an array, and NAME with JSON behind it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.formats.output.context import CallContext, read_arguments
from tui.formats.output.format import JsonShape, NamedShape
from tui.formats.output.json_text import JsonReader
from tui.formats.output.source import Malformed, Markers, Reading

# The keys of all families: Hermes, Llama (`parameters`), Cohere (`tool_name`), OpenAI (`function`).
_NAME_KEYS = frozenset({"name", "tool_name", "function"})
_ARGUMENTS_KEYS = frozenset({"arguments", "parameters", "args"})
_OTHER_KEYS = frozenset({"type", "id", "tool_call_id", "call_id", "index"})
_LONGEST_HEADER = 256


@dataclass(slots=True)
class _Parts:
    """What is known of an object that may be a call."""

    name: str | None = None
    early_arguments: list[str] = field(default_factory=list)
    """Arguments that came before the name."""


def read_json_calls(context: CallContext, shape: JsonShape) -> Reading[None]:
    """One object or an array of them. Raises Malformed where it is something else."""
    source, reader = context.source, context.reader()
    if not (yield from source.accept("[")):
        yield from _object(context, shape, reader)
        return
    while True:
        yield from source.skip_space()
        if (yield from source.accept("]")):
            if not context.calls:
                raise Malformed
            break
        yield from _object(context, shape, reader)
        context.finish()
        yield from source.skip_space()
        if not (yield from source.accept(",")):
            if not (yield from source.accept("]")):
                raise Malformed
            break
    context.settle()


def _object(context: CallContext, shape: JsonShape, reader: JsonReader) -> Reading[None]:
    source = context.source
    mark = source.recorded_pieces()
    if not (yield from source.accept("{")):
        raise Malformed
    parts = _Parts()
    yield from _members(context, shape, reader, parts)
    if context.open:
        return
    if parts.name is None and not context.syntax.nameless:
        raise Malformed
    if context.syntax.known_only and not parts.early_arguments:
        raise Malformed  # an answer that happens to have a name in it
    whole = source.recorded_since(mark) if parts.name is None else "{}"
    context.begin(parts.name or "")
    context.arguments("".join(parts.early_arguments) or whole)


def _members(context: CallContext, shape: JsonShape, reader: JsonReader, parts: _Parts) -> Reading[None]:
    source = context.source
    while True:
        yield from source.skip_space()
        if (yield from source.accept("}")):
            return
        key = yield from reader.string()
        yield from source.skip_space()
        if not (yield from source.accept(":")):
            raise Malformed
        yield from source.skip_space()
        value = yield from source.peek()
        if shape.name_is_key and value == "{" and parts.name is None:
            parts.name = key
            yield from _arguments(context, reader, parts)
        elif key == "function" and value == "{" and parts.name is None:
            source.take(1)
            yield from _members(context, shape, reader, parts)
        elif key in _NAME_KEYS and parts.name is None:
            parts.name = yield from reader.string()
        elif key in _ARGUMENTS_KEYS and not context.open and not parts.early_arguments:
            yield from _arguments(context, reader, parts)
        elif context.syntax.known_only and key not in _OTHER_KEYS:
            raise Malformed  # what an answer says must not be held back to its end
        elif not (yield from reader.value(_nowhere)):
            raise Malformed
        yield from source.skip_space()
        if not (yield from source.accept(",")):
            if (yield from source.accept("}")):
                return
            raise Malformed


def _arguments(context: CallContext, reader: JsonReader, parts: _Parts) -> Reading[None]:
    if parts.name is not None:
        context.begin(parts.name)
        if not (yield from read_arguments(context, reader)):
            raise Malformed
    elif (yield from context.source.accept('"')):
        if not (yield from reader.decoded_string(parts.early_arguments.append)):
            raise Malformed
    elif not (yield from reader.value(parts.early_arguments.append)):
        raise Malformed


def _nowhere(_text: str) -> None:
    """For values that say nothing about the call."""


def read_named_call(context: CallContext, shape: NamedShape) -> Reading[None]:
    """One call whose parts stand behind markers. Raises Malformed where it is something else."""
    source = context.source
    yield from source.accept(shape.fields[0][0])
    fields = {marker.strip() or marker: kind for marker, kind in shape.fields[1:]}
    ends = (*context.syntax.closings, shape.closing)
    markers = Markers((*fields, "{", *(end.strip() for end in ends)))
    found: dict[str, str] = {}
    kind: str = shape.fields[0][1]
    empty = False
    while kind != "arguments" and not empty:
        text, marker = yield from source.word_until(markers, _LONGEST_HEADER)
        found[kind] = text.strip()
        kind = fields.get(marker, "arguments")
        empty = marker not in fields and marker != "{"
        if marker not in fields:
            source.unread(marker)
    name, call_id = _name_and_id(found)
    yield from source.skip_space()
    if not empty and (yield from source.peek()) not in ("{", '"'):
        raise Malformed
    context.begin(name, call_id)
    if empty:
        context.arguments("{}")
    else:
        complete = yield from read_arguments(context, context.reader(shape.closing))
        if not complete and source.exhausted:
            raise Malformed
    if shape.closing:
        yield from source.skip_space()
        yield from source.accept(shape.tail.strip())
        yield from source.skip_space()
        yield from source.accept(shape.closing)


def _name_and_id(found: dict[str, str]) -> tuple[str, str]:
    if qualified := found.get("qualified", ""):
        name = qualified.rpartition(":")[0] if qualified.rpartition(":")[2].isdigit() else qualified
        return name.removeprefix("functions."), qualified
    return found.get("name") or found.get("kind", ""), found.get("id", "")
