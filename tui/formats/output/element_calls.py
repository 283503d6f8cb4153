"""Calls with an element around every argument, named after it; objects and lists have elements inside."""

from __future__ import annotations

from tui.formats.output.context import CallContext
from tui.formats.output.format import ElementShape
from tui.formats.output.json_text import Sink, escaped
from tui.formats.output.source import Malformed, Markers, Reading
from tui.formats.output.tool_types import argument_json

_LONGEST_TAG = 512
_DEEPEST = 32
_PLAIN = frozenset({"string"})
_NESTED = frozenset({"object", "array"})
_EMPTY = {"object": "{}", "array": "[]", "null": "null"}

Path = tuple[str | None, ...]
"""Where an element stands: the names of those around it and its own, `None` for one of a list."""


def read_element_call(context: CallContext, shape: ElementShape) -> Reading[None]:
    """One call. Raises Malformed where it is something else, or ends without its end."""
    source = context.source
    lead = shape.lead if (yield from source.accept(shape.lead)) else ""
    yield from source.accept(shape.opening)
    name, _ = yield from source.word_until(Markers([shape.name_end]), _LONGEST_TAG)
    context.begin(name)
    yield from _Elements(context, shape, lead, name).arguments()


class _Elements:
    """Hands the elements of one call on as JSON."""

    def __init__(self, context: CallContext, shape: ElementShape, lead: str, tool: str) -> None:
        self._context = context
        self._source = context.source
        self._shape = shape
        self._lead = lead
        self._tool = tool

    def arguments(self) -> Reading[None]:
        """All of them, up to the end of the call."""
        write = self._context.arguments
        write("{")
        first = True
        while not (yield from self._call_ends()):
            name = yield from self._tag()
            write(("" if first else ", ") + f'"{escaped(name)}": ')
            first = False
            yield from self._value((name,), name, self._shape.closing)
        write("}")

    def _call_ends(self) -> Reading[bool]:
        yield from self._source.skip_space()
        for closing in (self._lead + self._shape.closing, self._shape.closing):
            if (yield from self._source.accept(closing)):
                return True
        return bool((yield from self._source.stands_any(self._context.ends())))

    def _tag(self) -> Reading[str]:
        """The name of an element that begins here."""
        if not (yield from self._source.accept(f"{self._lead}<")):
            raise Malformed
        name, _ = yield from self._source.word_until(Markers([">"]), _LONGEST_TAG)
        if not name.strip() or "<" in name or name.startswith("/"):
            raise Malformed
        return name.strip()

    def _value(self, path: Path, name: str, outer: str) -> Reading[None]:
        """What stands in the element of this name, up to its closing tag. `outer` closes what is around it."""
        types = self._context.tools.types(self._tool, *path)
        if types != _PLAIN and (yield from self._has_elements(types)):
            yield from self._container(path, name, types)
            return
        write = self._context.arguments
        if types == _PLAIN:
            write('"')
            yield from self._text(name, outer, lambda text: write(escaped(text)))
            write('"')
            return
        pieces: list[str] = []
        yield from self._text(name, outer, pieces.append)
        text = "".join(pieces)
        empty = not text.strip() and "string" not in types
        write(next((_EMPTY[kind] for kind in _EMPTY if empty and kind in types), argument_json(text, types)))

    def _text(self, name: str, outer: str, sink: Sink) -> Reading[None]:
        """A text and the closing tag behind it. Raises Malformed at the end of the output."""
        lead, bare = self._lead, f"</{name}>"
        if not lead:
            if not (yield from self._source.copy_until(Markers([bare]), sink)):
                raise Malformed
            return
        # A closing tag that has lost its lead counts where another element begins or the one around it ends at once:
        # a text may well be about tags.
        end, begins, ends = f"{lead}</", f"{bare}{lead}<", f"{bare}{lead}{outer}"
        marker = yield from self._source.copy_until(Markers((end, begins, bare + end, ends)), sink)
        if not marker:
            raise Malformed
        if marker in (begins, ends):
            self._source.unread(marker.removeprefix(bare))
            return
        sink(marker.removesuffix(end))
        yield from self._source.word_until(Markers([">"]), _LONGEST_TAG)

    def _has_elements(self, types: frozenset[str]) -> Reading[bool]:
        """Whether elements stand here, and not a text. Without the lead only the schema can tell that."""
        if not self._lead and not types & _NESTED:
            return False
        begin = f"{self._lead}<"
        offset, character = yield from self._source.look()
        if character != begin[0] or not (yield from self._source.available(offset + len(begin) + 1)):
            return False
        at = self._source.at + offset
        there = self._source.text[at : at + len(begin) + 1]
        return there.startswith(begin) and there[-1] != "/"

    def _container(self, path: Path, name: str, types: frozenset[str]) -> Reading[None]:
        """An object or a list."""
        if len(path) > _DEEPEST:
            raise Malformed
        write = self._context.arguments
        yield from self._source.skip_space()
        kinds = types & _NESTED
        item = f"{self._lead}<{self._shape.item}>"
        listed = "array" in kinds if len(kinds) == 1 else (yield from self._source.stands(item))
        write("[" if listed else "{")
        first = True
        while not (yield from self._closes(name)):
            inner = yield from self._tag()
            write("" if first else ", ")
            first = False
            if not listed:
                write(f'"{escaped(inner)}": ')
            yield from self._value((*path, None if listed else inner), inner, f"</{name}>")
        write("]" if listed else "}")

    def _closes(self, name: str) -> Reading[bool]:
        yield from self._source.skip_space()
        if not self._lead or not (yield from self._source.accept(f"{self._lead}</")):
            return (yield from self._source.accept(f"</{name}>"))
        yield from self._source.word_until(Markers([">"]), _LONGEST_TAG)
        return True
