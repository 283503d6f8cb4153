"""JSON as it comes from a model: where a value ends, found without keeping or understanding it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tui.formats.output.source import Malformed, Markers, Reading, Source

_STRING_EDGE = re.compile(r'["\\]')
_LONGEST_KEY = 1000
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

Sink = Callable[[str], None]


class JsonReader:
    """Reads values from a source. A value that is not closed ends where one of `stops` stands outside of strings."""

    def __init__(self, source: Source, stops: Markers) -> None:
        self._source = source
        self._stops = stops
        beginnings = "".join(sorted({re.escape(stop[0]) for stop in stops.texts}))
        self._edge = re.compile(f'["{{}}\\[\\]{beginnings}]')
        self._scalar_edge = re.compile(f"[,}}\\]\\s{beginnings}]")

    def value(self, sink: Sink) -> Reading[bool]:
        """Hand one value on as it is written; whether it is complete. Raises Malformed where no value begins."""
        match (yield from self._source.peek()):
            case "{" | "[":
                return (yield from self._container(sink))
            case '"':
                self._source.take(1)
                sink('"')
                return (yield from self.rest_of_string(sink))
            case "":
                return False
            case _:
                return (yield from self._scalar(sink))

    def string(self) -> Reading[str]:
        """A short string. Raises Malformed if there is none."""
        pieces: list[str] = []

        def collect(piece: str) -> None:
            pieces.append(piece)
            if sum(map(len, pieces)) > _LONGEST_KEY:
                raise Malformed

        if not (yield from self._source.accept('"')) or not (yield from self.rest_of_string(collect)):
            raise Malformed
        try:
            return str(json.loads('"' + "".join(pieces), strict=False))
        except ValueError as problem:
            raise Malformed from problem

    def decoded_string(self, sink: Sink) -> Reading[bool]:
        """Hand the content of a string on, its escapes resolved; whether it is complete. Its quote has been read."""
        source = self._source
        while True:
            if not (yield from source.available(1)):
                return False
            match = _STRING_EDGE.search(source.text, source.at)
            end = match.start() if match else len(source.text)
            if end > source.at:
                sink(source.take(end - source.at))
            if match is None:
                continue
            if match[0] == '"':
                source.take(1)
                return True
            if not (yield from self._escape(sink)):
                return False

    def _escape(self, sink: Sink) -> Reading[bool]:
        source = self._source
        if not (yield from source.available(2)):
            return False
        kind = source.text[source.at + 1]
        if kind != "u":
            source.take(2)
            sink(_ESCAPES.get(kind, "\\" + kind))
            return True
        length = 6
        if not (yield from source.available(length)):
            return False
        if source.text[source.at + 2 : source.at + 4].lower() in ("d8", "d9", "da", "db"):
            length = 12
            yield from source.available(length)
        written = source.text[source.at : source.at + length]
        try:
            decoded = json.loads(f'"{written}"')
            decoded.encode()
        except (ValueError, UnicodeError):
            decoded, length = "\ufffd", 6
        source.take(length)
        sink(decoded)
        return True

    def rest_of_string(self, sink: Sink) -> Reading[bool]:
        """A string behind its opening quote, as it is written, the closing quote too."""
        source = self._source
        while True:
            if not (yield from source.available(1)):
                return False
            text, at = source.text, source.at
            while True:
                match = _STRING_EDGE.search(text, at)
                if match is None:
                    sink(source.take(len(text) - source.at))
                    break
                if match[0] == '"':
                    sink(source.take(match.end() - source.at))
                    return True
                if match.end() == len(text):
                    sink(source.take(match.start() - source.at))
                    if not (yield from source.available(2)):
                        sink(source.take(1))
                        return False
                    break
                at = match.end() + 1

    def _container(self, sink: Sink) -> Reading[bool]:
        source = self._source
        depth = 0
        while True:
            if not (yield from source.available(1)):
                return False
            match = self._edge.search(source.text, source.at)
            if match is None:
                sink(source.take(len(source.text) - source.at))
                continue
            if match.start() > source.at:
                sink(source.take(match.start() - source.at))
            character = match[0]
            if (yield from source.stands_any(self._stops)):
                return False
            sink(source.take(1))
            if character == '"':
                if not (yield from self.rest_of_string(sink)):
                    return False
            elif character in "{[":
                depth += 1
            elif character in "}]":
                depth -= 1
                if depth == 0:
                    return True

    def _scalar(self, sink: Sink) -> Reading[bool]:
        source = self._source
        begun = False
        while True:
            if not (yield from source.available(1)):
                return begun
            match = self._scalar_edge.search(source.text, source.at)
            end = match.start() if match else len(source.text)
            if end > source.at:
                sink(source.take(end - source.at))
                begun = True
            if match is None:
                continue
            if match[0] in ",}] \t\r\n" or (yield from source.stands_any(self._stops)):
                if not begun:
                    raise Malformed
                return True
            sink(source.take(1))
            begun = True


def loads(text: str) -> Any:
    """The value of strict JSON. Raises ValueError for anything else, however deep it is nested."""

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem


def escaped(text: str) -> str:
    """Text as the inside of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
