"""Values in the notations of Python and of Gemma, read as they come and written as JSON."""

from __future__ import annotations

import json
import re

from tui.formats.output.context import CallContext
from tui.formats.output.json_text import Sink, escaped
from tui.formats.output.source import Malformed, Markers, Reading, Source

_DEEPEST = 64
_LONGEST_WORD = 4096
_WORDS = {"true": "true", "True": "true", "false": "false", "False": "false", "null": "null", "None": "null"}
_PYTHON_WORD = re.compile(r"[^,()\[\]{}:=\"'\r\n]+")
_BRACED_WORD = re.compile(r"[^,\[\]{}\r\n]+")
_BRACED_KEY = re.compile(r"[^,\[\]{}:\r\n]+")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LONGEST_NUMBER = 300
_IDENTIFIER = re.compile(r"\w")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\\": "\\", "'": "'", '"': '"', "\n": ""}
_CODES = {"x": 2, "u": 4, "U": 8}
_CLOSINGS = {"[": "]", "(": ")", "{": "}"}


class LiteralReader:
    """Reads values. With `quote`, the token that Gemma puts around its texts, objects have bare keys."""

    def __init__(self, context: CallContext, quote: str = "") -> None:
        self._source: Source = context.source
        self._context = context
        self._quote = quote
        self._quotes = Markers([quote] if quote else [])

    def value(self, sink: Sink, depth: int = 0) -> Reading[None]:
        """One value, as JSON. Raises Malformed where there is none, or it is cut off."""
        source = self._source
        if depth > _DEEPEST:
            raise Malformed
        character = yield from source.peek()
        if self._quote and (yield from source.accept(self._quote)):
            sink('"')
            if not (yield from source.copy_until(self._quotes, lambda text: sink(escaped(text)))):
                raise Malformed
            sink('"')
        elif character == '"' or (character == "'" and not self._quote):
            yield from self._string(sink, depth)
        elif character == "{":
            yield from (self._braced(sink, depth) if self._quote else self._dictionary_or_set(sink, depth))
        elif character == "[" or (character == "(" and not self._quote):
            source.take(1)
            sink("[")
            yield from self._elements(sink, _CLOSINGS[character], depth, first=True)
            sink("]")
        else:
            word = yield from source.run(_BRACED_WORD if self._quote else _PYTHON_WORD, _LONGEST_WORD)
            sink(_word_json(word.strip()))

    def key(self, sink: Sink, depth: int) -> Reading[None]:
        """The key of an object, as JSON."""
        character = yield from self._source.peek()
        if character in ('"', "'") or (self._quote and (yield from self._source.stands(self._quote))):
            yield from self.value(sink, depth)
            return
        word = yield from self._source.run(_BRACED_KEY if self._quote else _PYTHON_WORD, _LONGEST_WORD)
        sink(f'"{escaped(word.strip())}"')

    def members(self, sink: Sink, depth: int, first: bool) -> Reading[None]:
        """The inside of an object, up to its closing brace, which is read."""
        source = self._source
        while True:
            yield from source.skip_space()
            if (yield from source.accept("}")):
                return
            if not first:
                sink(", ")
            first = False
            yield from self.key(sink, depth)
            yield from self._colon(sink)
            yield from self.value(sink, depth)
            yield from self._comma("}")

    def _braced(self, sink: Sink, depth: int) -> Reading[None]:
        self._source.take(1)
        sink("{")
        yield from self.members(sink, depth + 1, first=True)
        sink("}")

    def _colon(self, sink: Sink) -> Reading[None]:
        yield from self._source.skip_space()
        if not (yield from self._source.accept(":")):
            raise Malformed
        sink(": ")
        yield from self._source.skip_space()

    def _comma(self, closing: str) -> Reading[None]:
        yield from self._source.skip_space()
        if not (yield from self._source.accept(",")) and (yield from self._source.peek()) != closing:
            raise Malformed

    def _elements(self, sink: Sink, closing: str, depth: int, first: bool) -> Reading[None]:
        source = self._source
        while True:
            yield from source.skip_space()
            if (yield from source.accept(closing)):
                return
            if not first:
                sink(", ")
            first = False
            yield from self.value(sink, depth + 1)
            yield from self._comma(closing)

    def _dictionary_or_set(self, sink: Sink, depth: int) -> Reading[None]:
        """Which of them it is shows behind the first element. A set becomes a list."""
        source = self._source
        source.take(1)
        yield from source.skip_space()
        if (yield from source.accept("}")):
            sink("{}")
            return
        element: list[str] = []
        yield from self.value(element.append, depth + 1)
        yield from source.skip_space()
        if (yield from source.peek()) == ":":
            key = "".join(element)
            sink("{" + (key if key.startswith('"') else f'"{escaped(key)}"'))
            yield from self._colon(sink)
            yield from self.value(sink, depth + 1)
            yield from self._comma("}")
            yield from self.members(sink, depth + 1, first=False)
            sink("}")
            return
        sink("[" + "".join(element))
        yield from self._comma("}")
        yield from self._elements(sink, "}", depth, first=False)
        sink("]")

    def _string(self, sink: Sink, depth: int) -> Reading[None]:
        """A quoted text. Models forget to escape quotes in it: one that nothing fits behind does not end it."""
        source = self._source
        quote = (yield from source.peek()) * 3
        if not (yield from source.accept(quote)):
            quote = quote[0]
            source.take(1)
        edge = re.compile(f"[\\\\{quote[0]}]")
        sink('"')
        while True:
            if not (yield from source.available(1)):
                raise Malformed
            match = edge.search(source.text, source.at)
            end = match.start() if match else len(source.text)
            if end > source.at:
                sink(escaped(source.take(end - source.at)))
            if match is None:
                continue
            if match[0] == "\\":
                yield from self._escape(sink)
            elif (yield from source.stands(quote)) and (yield from self._ends(len(quote), depth)):
                source.take(len(quote))
                sink('"')
                return
            else:
                sink(escaped(source.take(1)))

    def _escape(self, sink: Sink) -> Reading[None]:
        source = self._source
        if not (yield from source.available(2)):
            raise Malformed
        kind = source.text[source.at + 1]
        length = _CODES.get(kind, 0)
        if length and (yield from source.available(2 + length)):
            digits = source.text[source.at + 2 : source.at + 2 + length]
            try:
                character = chr(int(digits, 16))
                character.encode()
            except (ValueError, OverflowError):
                length = 0
            else:
                source.take(2 + length)
                sink(escaped(character))
                return
        source.take(2)
        sink(escaped(_ESCAPES.get(kind, "\\" + kind)))

    def _ends(self, length: int, depth: int) -> Reading[bool]:
        """Whether a quote here is the end of the text, by what stands behind it."""
        source = self._source
        offset, character = yield from source.look(length)
        if not character:
            return True
        if depth or self._quote:
            return character in ",]}):"
        if character == ",":
            return (yield from self._argument_follows(offset + 1))
        if character != ")":
            return False
        offset, character = yield from source.look(offset + 1)
        if character in ("", ",", "]", ";") or character.isidentifier():
            return True
        for closing in self._context.syntax.closings:
            yield from source.available(offset + len(closing))
            if source.text.startswith(closing, source.at + offset):
                return True
        return False

    def _argument_follows(self, offset: int) -> Reading[bool]:
        """Whether `name=` stands there, or a further argument without its name."""
        source = self._source
        offset, character = yield from source.look(offset)
        if not character.isidentifier():
            return character in ("", "'", '"', ")", "[", "{") or character.isdigit()
        while (yield from source.available(offset + 1)) and _IDENTIFIER.match(source.text, source.at + offset):
            offset += 1
        _, character = yield from source.look(offset)
        return character in ("", "=")


def _word_json(word: str) -> str:
    """A value without quotes: a number, a word that means something, or a text."""
    if not word:
        raise Malformed
    if word in _WORDS:
        return _WORDS[word]
    if _NUMBER.fullmatch(word):
        return word
    try:
        return str(int(word)) if len(word) < _LONGEST_NUMBER else json.dumps(word)
    except ValueError:
        pass
    try:
        return json.dumps(float(word), allow_nan=False)
    except ValueError:
        return json.dumps(word, ensure_ascii=False)
