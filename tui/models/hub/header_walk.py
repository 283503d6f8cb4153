"""Walks over the header of a GGUF file so that all of it is read, borrowing long arrays from a file that has the same.

The quantisations of one model differ in their tensors, not in their vocabulary, which is nearly all of a header. Where
an array has the name, type, length and beginning that it has in another file of the repository, its bytes are taken
from there. What that leads to is checked: behind a wrong array nothing can be read, and tensors must end with the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.models.gguf import LONGEST_KEY, LONGEST_TENSOR_NAME, MOST_DIMENSIONS, MOST_KEYS, MOST_TENSORS
from tui.models.gguf_bytes import HeaderBytes, damaged
from tui.models.gguf_types import ARRAY, MAGIC, SCALARS, STRING
from tui.models.hub.remote_bytes import RemoteBytes

_WORTH_BORROWING: Final = 64 * 1024
"""Bytes. Shorter arrays come along with what is around them."""
_COMPARED: Final = 1024
"""Bytes of an array that must be here, and the same, before the rest is borrowed."""

ArrayName = tuple[str, int, int]
"""What an array is called, the type of its elements, and how many there are."""


@dataclass(frozen=True, slots=True)
class Region:
    """Where the elements of an array lie in a file."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Donor:
    """A file with arrays that others may have, too."""

    path: Path
    arrays: dict[ArrayName, Region]

    def bytes_of(self, name: ArrayName) -> bytes | None:
        """The elements of an array; `None` where it has none like that, or has gone."""
        region = self.arrays.get(name)
        if region is None:
            return None
        try:
            with self.path.open("rb") as file:
                file.seek(region.start)
                data = file.read(region.stop - region.start)
        except OSError:
            return None
        return data if len(data) == region.stop - region.start else None


def walk(source: HeaderBytes, file: RemoteBytes, donor: Donor | None) -> dict[ArrayName, Region]:
    """Read the header to its end, so that all of it is here, and say where its long arrays lie.

    Raises ModelUnusable where it cannot be read. Sense is not looked for: that is for who reads it afterwards.
    """
    if source.take(min(len(MAGIC), source.left), "the magic number") != MAGIC:
        raise damaged("This is not a GGUF file", 0, "Choose another file.")
    source.number32("the version")
    tensors, keys = source.number64("the number of tensors"), source.number64("the number of keys")
    if tensors > MOST_TENSORS or keys > MOST_KEYS:
        raise damaged(f"The file is damaged: it claims {keys:,} keys and {tensors:,} tensors", 8)
    arrays: dict[ArrayName, Region] = {}
    for _ in range(keys):
        key = source.string("the name of a key", LONGEST_KEY).decode("utf-8", errors="replace")
        kind = source.number32(f"the type of {key!r}")
        if kind in SCALARS:
            source.scalar(SCALARS[kind], f"the value of {key!r}")
        elif kind == STRING:
            _pass_over(source, source.number64(f"the length of {key!r}"))
        elif kind == ARRAY:
            _walk_array(source, file, key, arrays, donor)
        else:
            raise damaged(f"The file is damaged: {key!r} has the unknown type {kind}", source.position)
    for _ in range(tensors):
        source.string("the name of a tensor", LONGEST_TENSOR_NAME)
        dimensions = source.number32("the dimensions of a tensor")
        if dimensions > MOST_DIMENSIONS:
            raise damaged("The file is damaged: a tensor has too many dimensions", source.position)
        source.take(8 * dimensions + 12, "the description of a tensor")
    return arrays


def _walk_array(
    source: HeaderBytes, file: RemoteBytes, key: str, arrays: dict[ArrayName, Region], donor: Donor | None
) -> None:
    kind, length = source.number32(f"the type of {key!r}"), source.number64(f"the length of {key!r}")
    start, name = source.position, (key, kind, length)
    data = donor.bytes_of(name) if donor is not None else None
    if data is not None and len(data) <= source.left:
        if file.have < start + _COMPARED:
            file.seek(start)
            file.read(_COMPARED)
        if not file.borrow(start, data):
            data = None
    if data is not None:
        source.skip(len(data), f"the value of {key!r}")
    elif kind == STRING:
        source.skip_strings(length, f"the value of {key!r}")
    elif kind in SCALARS:
        _pass_over(source, length * SCALARS[kind].size)
    else:
        raise damaged(f"The file is damaged: {key!r} is an array of the unknown type {kind}", start)
    if source.position - start >= _WORTH_BORROWING:
        arrays[name] = Region(start, source.position)


def _pass_over(source: HeaderBytes, count: int) -> None:
    """Pass over some bytes that are known to follow, reading them."""
    source.skip(count, "a value")
