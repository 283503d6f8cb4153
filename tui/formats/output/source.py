"""Text that is still coming, for readers that are generators.

A reader yields when it needs more text and goes on where it was when there is more. What it decides depends on the
text alone, never on the pieces in which it came, and no character is looked at more than a few times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

T = TypeVar("T")
Reading = Generator[None, None, T]
"""A reader at work: yields for more text, returns what it found."""

SPACE = " \t\r\n"
_SPACES = re.compile(f"[{SPACE}]+")
_LONGEST_LOOK = 4096


class Malformed(Exception):
    """What was read is not what the reader looked for."""


class Markers:
    """A set of literal texts to look for; of two that begin in one place the longer counts."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(sorted({text for text in texts if text}, key=len, reverse=True))
        self._pattern = re.compile("|".join(map(re.escape, self.texts))) if self.texts else None
        self._beginnings = {text[:length] for text in self.texts for length in range(1, len(text))}
        self._longest = max(map(len, self.texts), default=0)

    def find(self, text: str, start: int) -> tuple[int, str] | None:
        """The first of them in the text and where it is."""
        match = self._pattern.search(text, start) if self._pattern else None
        return (match.start(), match[0]) if match else None

    def at(self, text: str, position: int) -> str:
        """The one that stands here, empty if none does."""
        match = self._pattern.match(text, position) if self._pattern else None
        return match[0] if match else ""

    def begun(self, text: str, start: int) -> int:
        """Where in the text one of them may begin that is not yet complete; the end of the text if none does."""
        end = len(text)
        for at in range(max(start, end - self._longest + 1), end):
            if text[at:] in self._beginnings:
                return at
        return end

    def open_at(self, text: str, position: int) -> bool:
        """Whether more text could make one of them, or a longer one, of what stands here."""
        return len(text) - position < self._longest and text[position:] in self._beginnings


class Source:
    """The unread part of the output."""

    def __init__(self) -> None:
        self.text = ""
        self.at = 0
        self.ended = False
        self._record: list[str] | None = None

    def feed(self, text: str) -> None:
        self.text = self.text[self.at :] + text
        self.at = 0

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left and nothing comes any more."""
        return self.ended and self.at >= len(self.text)

    def take(self, count: int) -> str:
        """Read what is known to be there."""
        piece = self.text[self.at : self.at + count]
        self.at += len(piece)
        if self._record is not None:
            self._record.append(piece)
        return piece

    def unread(self, piece: str) -> None:
        """Put back what was read last."""
        self.at -= len(piece)
        if self._record:
            self._record.pop()

    def record(self) -> None:
        """Remember from here on what is read."""
        self._record = []

    def recorded(self) -> str:
        """What was read since; remembers no more."""
        pieces, self._record = self._record, None
        return "".join(pieces or ())

    def forget(self) -> None:
        """Remember no more."""
        self._record = None

    def recorded_pieces(self) -> int:
        """A mark for `recorded_since`."""
        return len(self._record or ())

    def recorded_since(self, mark: int) -> str:
        """What was read since that mark."""
        return "".join((self._record or [])[mark:])

    def available(self, count: int) -> Reading[bool]:
        """Wait until so many characters are there; whether they are."""
        while len(self.text) - self.at < count:
            if self.ended:
                return False
            yield
        return True

    def peek(self) -> Reading[str]:
        """The next character, empty at the end."""
        yield from self.available(1)
        return self.text[self.at : self.at + 1]

    def look(self, offset: int = 0) -> Reading[tuple[int, str]]:
        """The first character at or behind an offset that is not white space, and its offset; empty at the end."""
        while offset < _LONGEST_LOOK and (yield from self.available(offset + 1)):
            character = self.text[self.at + offset]
            if character not in SPACE:
                return offset, character
            offset += 1
        return offset, ""

    def run(self, pattern: re.Pattern[str], longest: int) -> Reading[str]:
        """Read the characters that the pattern, a repeated class, takes. Raises Malformed if they are too many."""
        pieces: list[str] = []
        length = 0
        while (yield from self.available(1)) and (match := pattern.match(self.text, self.at)):
            pieces.append(self.take(len(match[0])))
            length += len(match[0])
            if length > longest:
                raise Malformed
        return "".join(pieces)

    def skip_space(self) -> Reading[str]:
        """Read white space."""
        pieces = []
        while (yield from self.peek()) and (match := _SPACES.match(self.text, self.at)):
            pieces.append(self.take(len(match[0])))
        return "".join(pieces)

    def stands(self, marker: str) -> Reading[bool]:
        """Whether the text goes on with this marker, which is not read."""
        while True:
            there = self.text[self.at : self.at + len(marker)]
            if len(there) == len(marker) or self.ended or not marker.startswith(there):
                return there == marker
            yield

    def stands_any(self, markers: Markers) -> Reading[str]:
        """Which of them the text goes on with; it is not read."""
        while not self.ended and (self.at >= len(self.text) or markers.open_at(self.text, self.at)):
            yield
        return markers.at(self.text, self.at)

    def accept(self, marker: str) -> Reading[bool]:
        """Read the marker if it stands here."""
        if not marker or not (yield from self.stands(marker)):
            return False
        self.take(len(marker))
        return True

    def until(self, markers: Markers) -> Reading[tuple[str, str]]:
        """Read the text before a marker, and the marker; or text alone, as much as is certain now.

        Both are empty only at the end.
        """
        while True:
            found = markers.find(self.text, self.at)
            if found is not None and (self.ended or not markers.open_at(self.text, found[0])):
                position, marker = found
                before = self.take(position - self.at)
                self.take(len(marker))
                return before, marker
            certain = len(self.text) if self.ended else markers.begun(self.text, self.at)
            if certain > self.at or self.ended:
                return self.take(certain - self.at), ""
            yield

    def copy_until(self, markers: Markers, sink: Callable[[str], None]) -> Reading[str]:
        """Hand the text on as it comes, up to a marker, which is read; which one, empty at the end."""
        while True:
            text, marker = yield from self.until(markers)
            if text:
                sink(text)
            if marker or not text:
                return marker

    def word_until(self, markers: Markers, longest: int) -> Reading[tuple[str, str]]:
        """A short text and the marker behind it, both read. Raises Malformed if it is not short, or nothing ends it."""
        pieces: list[str] = []
        length = 0
        while True:
            text, marker = yield from self.until(markers)
            pieces.append(text)
            length += len(text)
            if length > longest or not (text or marker):
                raise Malformed
            if marker:
                return "".join(pieces), marker
