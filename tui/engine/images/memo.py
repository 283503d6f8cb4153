"""Vectors of images that were encoded before, so that the next turn of a conversation does not do it again."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

MOST_BYTES = 2**28
"""A quarter of a gigabyte: some twenty images of a thousand tokens for a model of seven billion parameters."""

MOST_SIZES = 4096


class Memo:
    """Keeps what was used last, up to `most_bytes`. Not thread-safe."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._vectors: OrderedDict[str, NDArray[float32]] = OrderedDict()
        self._sizes: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def get(self, name: str) -> NDArray[float32] | None:
        """The vectors of a chunk, if they are still there."""
        if name in self._vectors:
            self._vectors.move_to_end(name)
        return self._vectors.get(name)

    def put(self, name: str, vectors: NDArray[float32]) -> None:
        """Keep them, and drop what was not used for longest if that is too much."""
        self._vectors[name] = vectors
        self._bytes += vectors.nbytes
        while self._bytes > self._most_bytes and len(self._vectors) > 1:
            self._bytes -= self._vectors.popitem(last=False)[1].nbytes

    def size(self, name: str) -> tuple[int, int] | None:
        """Width and height of an image, in pixels, if it was decoded before."""
        return self._sizes.get(name)

    def remember_size(self, name: str, size: tuple[int, int]) -> None:
        """Keep an image's size."""
        self._sizes[name] = size
        if len(self._sizes) > MOST_SIZES:
            self._sizes.popitem(last=False)
