"""The beginning of a file on the Hub, fetched piece by piece into a local file as somebody reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Final

from tui.domain import ModelUnusable

FIRST_PIECE: Final = 128 * 1024
LARGEST_PIECE: Final = 2**20
"""Bytes asked for at once: twice as many each time, as a long header costs requests and a short one bytes."""
LONGEST_HEADER: Final = 128 * 2**20
"""Bytes. The largest vocabularies make headers of some twenty million."""


class RemoteBytes:
    """Reads like a file, from a local copy that grows from the start without gaps."""

    def __init__(self, copy: BinaryIO, size: int, fetch: Callable[[int, int], bytes]) -> None:
        """`fetch` gets the bytes from one position to before another."""
        self._copy = copy
        self._size = size
        self._fetch = fetch
        self._position = 0
        self._piece = FIRST_PIECE
        self.have = 0
        """How many bytes from the start are here."""
        self.fetched = 0
        """How many of them came over the network."""

    def seek(self, position: int) -> int:
        self._position = position
        return position

    def read(self, count: int) -> bytes:
        """The next bytes, `count` of them except at the end of the file."""
        stop = min(self._position + count, self._size)
        while self.have < stop:
            self._fetch_more(stop)
        self._copy.seek(self._position)
        data = self._copy.read(max(0, stop - self._position))
        self._position += len(data)
        return data

    def borrow(self, start: int, data: bytes) -> bool:
        """Take the bytes from `start` on from elsewhere, unless what is here already says otherwise."""
        if start > self.have:
            return False
        known = data[: self.have - start]
        self._copy.seek(start)
        if self._copy.read(len(known)) != known:
            return False
        self._copy.seek(self.have)
        self._copy.write(data[len(known) :])
        self.have = max(self.have, start + len(data))
        self._piece = FIRST_PIECE
        return True

    def _fetch_more(self, stop: int) -> None:
        if self.have >= LONGEST_HEADER:
            raise ModelUnusable("Its header does not end.", "Choose another file.")
        wanted = max(stop - self.have, self._piece)
        self._piece = min(2 * self._piece, LARGEST_PIECE)
        data = self._fetch(self.have, min(self.have + wanted, self._size))
        if not data:
            raise ModelUnusable("The Hub has less of this file than it says.", "Choose another file.")
        self._copy.seek(self.have)
        self._copy.write(data)
        self.have += len(data)
        self.fetched += len(data)
