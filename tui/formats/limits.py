"""How long a chat template may run and how much it may build.

A template is a program from a file of unknown origin. It runs in a thread of ours, which nobody can kill, so it
has to be made to stop: everything in it that repeats or that makes something large asks a `Meter` first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

TIME_LIMIT = 2.0
"""Seconds of computing for one prompt. Time in which other threads compute does not count."""

_TIME_PER_MESSAGE = 0.01
"""Seconds on top for each message: honest templates look at all messages for each of them."""

LARGEST_TEXT = 8_000_000
"""Characters of any one text: about two million tokens."""

MOST_ITEMS = 100_000
"""Items of any one list, as Jinja's sandbox has it for `range`."""

LARGEST_NUMBER = 16_384
"""Bits of any one whole number, since arithmetic on huge ones takes for ever."""

_BUDGET = 48_000_000
"""What one rendering may build in all, in characters; about as many bytes for most scripts."""

_COPIES = 16
"""How often the whole conversation may be copied on top of that."""

_COPIES_PER_MESSAGE = 4
"""How much more often for each message: some templates add each to a text that grows."""

_LARGEST_BUDGET = 1_000_000_000

_ITEM_SIZE = 16
_BASE_SIZE = 64
_WORK_BETWEEN_CLOCKS = 2_000


class LimitReached(Exception):
    """The template would run too long or build too much."""


class Meter:
    """What one rendering of a conversation, of so many characters and messages, has left.

    Sizes are in characters, or as many bytes for things that are not text.
    """

    def __init__(self, characters: int = 0, messages: int = 0) -> None:
        copies = _COPIES + _COPIES_PER_MESSAGE * messages
        self._left = min(_BUDGET + characters * copies, _LARGEST_BUDGET)
        self._seconds = TIME_LIMIT + _TIME_PER_MESSAGE * messages
        self._deadline = time.thread_time() + self._seconds
        self._work = 0

    def tick(self, work: int = 1) -> None:
        """Account for some work, about a microsecond each."""
        self._work += work
        if self._work >= _WORK_BETWEEN_CLOCKS:
            self._work = 0
            if time.thread_time() > self._deadline:
                raise LimitReached(f"it runs longer than {self._seconds:.0f} seconds")

    def produce(self, size: int) -> None:
        """Account for something that was built."""
        self._left -= size
        if self._left < 0:
            raise LimitReached("it builds too much text")
        self.tick(1 + (size >> 8))

    def require(self, size: int) -> None:
        """Refuse what is about to be built if any one thing of that size is too large."""
        if size > LARGEST_TEXT:
            raise LimitReached(f"it builds a text of more than {LARGEST_TEXT:,} characters")

    def require_items(self, count: int) -> None:
        """Refuse a list of so many items."""
        if count > MOST_ITEMS:
            raise LimitReached(f"it builds a list of more than {MOST_ITEMS:,} items")

    def weigh(self, value: Any) -> int:
        """The size of a value with everything in it, before something looks at all of it.

        Lists that hold the same list twice, and so on, are small in memory and endless to look at: each occurrence
        counts.
        """
        if isinstance(value, str):
            self.tick(1 + (len(value) >> 8))
            return len(value)
        total = 0
        found = [value]
        while found:
            item = found.pop()
            total += extent(item)
            if total > LARGEST_TEXT:
                raise LimitReached("it looks at a structure that is too large")
            if isinstance(item, Mapping):
                found.extend(item.keys())
                found.extend(item.values())
            elif isinstance(item, list | tuple) or _is_view(item):
                found.extend(item)
            elif type(item).__name__ == "Namespace":
                # Its contents are private to Jinja, but printing it prints them.
                found.append(item._Namespace__attrs)
        self.tick(1 + (total >> 6))
        return total


def extent(value: Any) -> int:
    """The size of a value without what is in it."""
    if isinstance(value, str):
        return _BASE_SIZE + len(value)
    if isinstance(value, int):
        if value.bit_length() > LARGEST_NUMBER:
            raise LimitReached("it computes with a huge number")
        return _BASE_SIZE + value.bit_length() // 3
    if isinstance(value, list | tuple | Mapping) or _is_view(value):
        return _BASE_SIZE + _ITEM_SIZE * len(value)
    return _BASE_SIZE


def _is_view(value: Any) -> bool:
    return isinstance(value, type({}.keys()) | type({}.values()) | type({}.items()))
