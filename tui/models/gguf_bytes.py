"""A cursor over the start of a GGUF file that never trusts a length before it has checked it.

It reads through a window of one mebibyte instead of a memory map: a mapped file that another program cuts short
(a download that starts again, a copy over it) ends the whole process with SIGBUS, and the window costs no more.
"""

from __future__ import annotations

import re
import zlib
from functools import cache
from struct import Struct
from typing import Final, Protocol

from tui.domain import ModelUnusable

WINDOW: Final = 2**20
STRINGS_AT_ONCE: Final = 1024
MOST_STRINGS: Final = 8_000_000
"""Array strings in one file. The largest vocabularies have under a million; walking this many takes a second."""

FEWEST_KNOWN: Final = 4096
"""Strings of an array that is worth remembering."""
_BEGINNING: Final = 256

_UINT32: Final = Struct("<I")
_UINT64: Final = Struct("<Q")

DOWNLOAD_AGAIN: Final = "Download it again."


def damaged(what: str, position: int, advice: str = DOWNLOAD_AGAIN) -> ModelUnusable:
    """The error for a file that is wrong at a certain byte; `what` is a sentence without its full stop."""
    return ModelUnusable(f"{what} (at byte {position:,}).", advice)


def printable(data: bytes | str, most: int = 200) -> str:
    """Text from a file in a form that is safe to show: one line, no control characters, not endless."""
    text = data[: 4 * most].decode("utf-8", errors="replace") if isinstance(data, bytes) else data
    return "".join(character if character.isprintable() else " " for character in text[:most]).strip()


@cache
def _many_short_strings() -> re.Pattern[bytes]:
    """Matches STRINGS_AT_ONCE strings of up to 63 bytes in a row: the same walk, about twice as fast as in Python.

    It is possessive, so that it never backtracks. Common lengths come first because it tries them in order.
    """
    lengths = sorted(range(64), key=lambda length: abs(length - 6))
    choices = b"|".join(re.escape(bytes([length])) + rb"\0{7}.{%d}" % length for length in lengths)
    return re.compile(b"(?:%b){%d}+" % (choices, STRINGS_AT_ONCE), re.DOTALL)


class KnownTexts:
    """Long arrays of strings that were walked over before, by count and beginning, with their lengths and checksums.

    The variants of a model have the same vocabulary. To see that bytes are the same takes a fraction of the time of
    walking over them, and other threads can run meanwhile. A CRC is enough: a file that was made to have that of
    another one only misleads the reader about itself, and everything behind the array is checked nonetheless.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, bytes], list[tuple[int, int]]] = {}

    def candidates(self, count: int, beginning: bytes) -> list[tuple[int, int]]:
        """Lengths in bytes and checksums of arrays that begin alike."""
        return self._known.get((count, beginning), [])

    def add(self, count: int, beginning: bytes, length: int, checksum: int) -> None:
        """Remember an array that is intact."""
        self._known.setdefault((count, beginning), []).append((length, checksum))


class Readable(Protocol):
    """What a header is read from: a file, or what behaves like one."""

    def seek(self, position: int, /) -> int:
        """Go to a position, counted from the start."""

    def read(self, count: int, /) -> bytes:
        """The next bytes, fewer only at the end."""


class HeaderBytes:
    """Reads little-endian values one after the other from a binary file of a known size."""

    def __init__(self, file: Readable, size: int, known: KnownTexts | None = None, window: int = WINDOW) -> None:
        """`window` is how many bytes are read at once, `known` the arrays that other files have."""
        self._file = file
        self._known = known
        self._window = window
        self._size = size
        self._start = 0
        self._data = b""
        self._at = 0
        self._strings_left = MOST_STRINGS

    @property
    def position(self) -> int:
        """Where the next value begins, in bytes from the start of the file."""
        return self._start + self._at

    @property
    def left(self) -> int:
        """Bytes from here to the end of the file."""
        return self._size - self.position

    def number32(self, what: str) -> int:
        """The next unsigned 32-bit number; `what` names it for the error."""
        return int(self.scalar(_UINT32, what))

    def number64(self, what: str) -> int:
        """The next unsigned 64-bit number."""
        return int(self.scalar(_UINT64, what))

    def scalar(self, layout: Struct, what: str) -> int | float | bool:
        """The next value of fixed size."""
        self._ensure(layout.size, what)
        value: int | float | bool = layout.unpack_from(self._data, self._at)[0]
        self._at += layout.size
        return value

    def take(self, count: int, what: str) -> bytes:
        """The next `count` bytes."""
        self._ensure(count, what)
        data = self._data[self._at : self._at + count]
        self._at += count
        return data

    def string(self, what: str, most: int) -> bytes:
        """The next string, which must not be longer than `most` bytes."""
        position = self.position
        length = self.number64(what)
        if length > most:
            raise damaged(f"The file is damaged: {what} claims to be {length:,} bytes long", position)
        return self.take(length, what)

    def skip(self, count: int, what: str) -> None:
        """Pass over `count` bytes without reading them."""
        if count > self.left:
            raise damaged(
                f"The file is cut off or damaged: {what} claims {count:,} bytes, but only {self.left:,} follow",
                self.position,
            )
        self._move(self._at + count)

    def skip_strings(self, count: int, what: str) -> None:
        """Pass over an array of strings. Only their lengths are looked at, but each of them decides where the next
        one is: this is most of the time that reading a header takes.
        """
        start = self.position
        if count > self._strings_left or count * _UINT64.size > self.left:
            raise damaged(f"The file is cut off or damaged: {what} claims to have {count:,} texts", start)
        self._strings_left -= count
        if self._known is None or count < FEWEST_KNOWN:
            self._walk(count, start, what)
            return
        self._ensure(_BEGINNING, what)
        beginning = self._data[self._at : self._at + _BEGINNING]
        for length, checksum in self._known.candidates(count, beginning):
            if length <= self.left and self._checksum(start, length) == checksum:
                self._go(start + length)
                return
        self._walk(count, start, what)
        end = self.position
        self._known.add(count, beginning, end - start, self._checksum(start, end - start))
        self._go(end)

    def _walk(self, count: int, start: int, what: str) -> None:
        many = _many_short_strings()
        while count:
            self._ensure(_UINT64.size, what)
            found = many.match(self._data, self._at) if count >= STRINGS_AT_ONCE else None
            if found:
                self._at = found.end()
                count -= STRINGS_AT_ONCE
                continue
            count -= self._walk_strings(min(count, STRINGS_AT_ONCE))
            if self.position > self._size:
                raise damaged(f"The file is cut off or damaged: {what} runs past the end of the file", start)

    def _walk_strings(self, most: int) -> int:
        """Pass over some strings of any length, at least one, and return how many that were."""
        length_at = _UINT64.unpack_from
        data, at = self._data, self._at
        walked = 0
        while walked < most and at + 8 <= len(data):
            at += 8 + length_at(data, at)[0]
            walked += 1
        self._move(at)
        return walked

    def _checksum(self, start: int, length: int) -> int:
        """The CRC of some bytes of the file; afterwards the cursor must be placed again."""
        checksum = 0
        self._file.seek(start)
        while length > 0:
            data = self._file.read(min(length, WINDOW))
            if not data:
                break
            checksum = zlib.crc32(data, checksum)
            length -= len(data)
        return checksum

    def _go(self, position: int) -> None:
        self._start, self._data, self._at = position, b"", 0

    def _move(self, at: int) -> None:
        if at > len(self._data):
            self._start, self._data, at = self._start + at, b"", 0
        self._at = at

    def _ensure(self, count: int, what: str) -> None:
        """Have the next `count` bytes in the window."""
        if len(self._data) - self._at >= count:
            return
        position = self.position
        if count > self._size - position:
            raise damaged(f"The file is cut off or damaged: it ends inside {what}", position)
        self._file.seek(position)
        self._start, self._at = position, 0
        self._data = self._file.read(max(count, self._window))
        if len(self._data) < count:
            raise damaged(f"The file became shorter while it was read: {what} is gone", position, "Try again.")
