"""Long lists in JSON files, one item at a time, so that memory holds only one."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from tui.threads.interchange.values import MOST_BYTES, Place, parsed

_CHUNK = 2**16
_SPACE = " \t\n\r"
_BEHIND_A_VALUE = frozenset((*_SPACE, ",", "]"))


def list_items(stream: BinaryIO, place: Place) -> Iterator[tuple[int, Any]]:
    """The items of the list that a file holds, with their numbers. Raises BadFile.

    The item that is looked at is looked at again with twice as much of the file until it is whole, so that the
    whole takes time in proportion to the file.
    """
    window = _Window(stream, place)
    if window.next_character() != "[":
        place.fail("does not hold a list")
    window.skip(1)
    number = 0
    while (character := window.next_character()) != "]":
        if number:
            if character != ",":
                place.fail(f"is not JSON: a comma is missing behind item {number:,}")
            window.skip(1)
            if window.next_character() == "]":
                place.fail(f"is not JSON: there is a comma behind the last item, which is item {number:,}")
        yield number, window.value(place / number)
        number += 1
    window.skip(1)
    if window.next_character():
        place.fail("is not JSON: something stands behind the list")


class _Window:
    """What has been read of the file and not been used."""

    def __init__(self, stream: BinaryIO, place: Place) -> None:
        self._stream = stream
        self._place = place
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._scanner = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._ended = False

    def next_character(self) -> str:
        """The next character that is no space; empty at the end of the file."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read(_CHUNK):
                return ""

    def skip(self, count: int) -> None:
        """Go on behind some characters."""
        self._at += count

    def value(self, place: Place) -> Any:
        """The value that begins here."""
        more = _CHUNK
        while True:
            end = self._end_of_value(place)
            # What looks whole may be the beginning of a longer number: 0 of 0.5, 1 of 1e3.
            if end is not None and (self._ended or self._text[end : end + 1] in _BEHIND_A_VALUE):
                text = self._text[self._at : end]
                self._at = end
                return parsed(text, place)
            if self._ended:
                return parsed(self._text[self._at :], place)
            if len(self._text) - self._at > MOST_BYTES:
                place.fail(f"is larger than {MOST_BYTES // 2**20} MB, which is too much for one item")
            self._read(more)
            more *= 2

    def _end_of_value(self, place: Place) -> int | None:
        try:
            return self._scanner.raw_decode(self._text, self._at)[1]
        except RecursionError:
            return place.fail("is nested too deep")
        except ValueError:
            return None

    def _read(self, size: int) -> bool:
        data = self._stream.read(size)
        self._ended = len(data) < size and not data
        try:
            more = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError:
            self._place.fail("is not UTF-8 text")
        self._text = self._text[self._at :] + more
        self._at = 0
        return bool(data)
