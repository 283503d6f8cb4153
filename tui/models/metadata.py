"""Everything that the header of one file says, for people: all keys, with long values cut short."""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.domain import ModelUnusable
from tui.models.gguf import LONGEST_KEY, LOOK_ELSEWHERE, MOST_KEYS, read_header
from tui.models.gguf_bytes import HeaderBytes, damaged
from tui.models.gguf_types import ARRAY, MAGIC, SCALARS, STRING, VERSIONS

_LONGEST_VALUE: Final = 2**16
_FIRST: Final = 8
"""Elements of an array that are shown."""
_LONGEST_ELEMENT: Final = 60
_NAMES: Final = {0: "u8", 1: "i8", 2: "u16", 3: "i16", 4: "u32", 5: "i32", 6: "f32", 7: "bool", 8: "text",
                 9: "array", 10: "u64", 11: "i64", 12: "f64"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MetadataItem:
    """One key of a header."""

    key: str
    kind: str
    """The type of its value, such as `u32` or `array of text`."""
    value: str
    """The value as text; of an array its first elements. May have several lines."""
    length: int = 1
    """Elements of an array, bytes of a text."""


def read_metadata(path: Path) -> tuple[MetadataItem, ...]:
    """All keys of a file, in its order. Raises ModelUnusable, with the byte where it went wrong."""
    try:
        status = os.stat(path)
        # Opening a pipe or a device could wait for ever.
        if not stat.S_ISREG(status.st_mode):
            raise ModelUnusable("This is not a regular file.", "Name the model file itself.")
        with open(path, "rb", buffering=0) as file:
            return _read(HeaderBytes(file, status.st_size))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ModelUnusable(f"The file cannot be read: {reason}.", "Check that it exists and may be read.") from error


def tensor_summary(path: Path) -> str:
    """How many tensors of which type a file has, such as `169 Q4_K, 65 F32`. Raises ModelUnusable."""
    kinds = Counter(tensor.type for tensor in read_header(path).tensors)
    return ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())


def _read(source: HeaderBytes) -> tuple[MetadataItem, ...]:
    if source.take(min(len(MAGIC), source.left), "the magic number") != MAGIC:
        raise damaged("This is not a GGUF file: it does not begin with the letters GGUF", 0, LOOK_ELSEWHERE)
    if source.number32("the version") not in VERSIONS:
        raise damaged("The file has a version that cannot be read", 4, "Update lmdeck, or download it again.")
    source.number64("the number of tensors")
    count = source.number64("the number of keys")
    if count > MOST_KEYS:
        raise damaged(f"The file is damaged: it claims to have {count:,} keys", 16)
    items = []
    for index in range(count):
        key = source.string(f"the name of key {index + 1}", LONGEST_KEY)
        items.append(_item(source, _shown(key, LONGEST_KEY)))
    return tuple(items)


def _item(source: HeaderBytes, key: str) -> MetadataItem:
    what = f"the value of {key[:60]!r}"
    position = source.position
    kind = source.number32(what)
    if kind in SCALARS:
        value = source.scalar(SCALARS[kind], what)
        return MetadataItem(key, _NAMES[kind], f"{value:g}" if isinstance(value, float) else str(value))
    if kind == STRING:
        length = source.number64(what)
        return MetadataItem(key, _NAMES[STRING], _text(source, length, what, _LONGEST_VALUE), length)
    if kind != ARRAY:
        raise damaged(f"The file is damaged: {what} has the unknown type {kind}", position)
    element, length = source.number32(what), source.number64(what)
    if element != STRING and element not in SCALARS:
        raise damaged(f"The file is damaged: {what} is an array of the unknown type {element}", position)
    first = min(length, _FIRST)
    if element == STRING:
        texts = [_text(source, source.number64(what), what, _LONGEST_ELEMENT) for _ in range(first)]
        shown = [repr(text) for text in texts]
        source.skip_strings(length - first, what)
    else:
        numbers = [source.scalar(SCALARS[element], what) for _ in range(first)]
        shown = [f"{number:g}" if isinstance(number, float) else str(number) for number in numbers]
        source.skip((length - first) * SCALARS[element].size, what)
    more = ", …" if length > first else ""
    return MetadataItem(key, f"array of {_NAMES[element]}", f"[{', '.join(shown)}{more}]", length)


def _text(source: HeaderBytes, length: int, what: str, most: int) -> str:
    """The next bytes as text, of which the end is left out where it is too long."""
    if length <= most:
        return _shown(source.take(length, what), most)
    if length > source.left:
        # Passing over it says what is wrong.
        source.skip(length, what)
    start = _shown(source.take(most, what), most)
    source.skip(length - most, what)
    return f"{start}…"


def _shown(data: bytes, most: int) -> str:
    """Text that is safe to draw: control characters other than line ends and tabs are blanks."""
    text = data[:most].decode("utf-8", errors="replace")
    return "".join(one if one.isprintable() or one in "\n\t" else " " for one in text)
