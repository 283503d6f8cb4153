"""Which inputs of which requests are computed together next.

Requests take turns, an input at a time, so that a short one is not stuck behind thousands of others. An input that
is larger than one pass is read in pieces, and passes between the pieces belong to the rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

PACKED_TOKENS = 512
"""Inputs are packed up to this many tokens. More does not go faster, since every token is computed against the
whole pass, and costs memory."""


@dataclass(slots=True, eq=False)
class Request:
    """Several inputs that are answered together."""

    inputs: Sequence[list[int]]
    future: Future[Any]
    finish: Callable[[list[Any]], Any]
    """Makes the answer of the results of all inputs, in their order."""
    waiting: deque[int] = field(default_factory=deque)
    """Inputs that have not been begun."""
    results: dict[int, list[Any]] = field(default_factory=dict)
    """For each input that was begun the arrays that came of it."""
    done: int = 0
    """Inputs that are finished."""

    def __post_init__(self) -> None:
        self.waiting.extend(range(len(self.inputs)))


@dataclass(frozen=True, slots=True)
class Part:
    """Tokens of one input that go into the next pass."""

    request: Request
    index: int
    sequence: int
    start: int
    count: int

    @property
    def tokens(self) -> list[int]:
        return self.request.inputs[self.index][self.start : self.start + self.count]

    @property
    def last(self) -> bool:
        """Whether the input ends with it."""
        return self.start + self.count == len(self.request.inputs[self.index])


@dataclass(slots=True)
class _Long:
    request: Request
    index: int
    done: int = 0


class Packer:
    """Holds the requests that have inputs left. `room` is the size of a pass, `cells` that of the context."""

    def __init__(self, room: int, sequences: int, cells: int) -> None:
        self._room = room
        self._packed = min(room, PACKED_TOKENS)
        self._sequences = sequences
        self._cells = cells
        self._requests: deque[Request] = deque()
        self._long: _Long | None = None
        self._long_is_next = False

    def add(self, request: Request) -> None:
        """Take a request in; it comes after those that are there."""
        self._requests.append(request)

    def drop(self, request: Request) -> bool:
        """Forget a request. True if one of its inputs had been read in part, in sequence 0."""
        if request in self._requests:
            self._requests.remove(request)
        if self._long is None or self._long.request is not request:
            return False
        self._long = None
        return True

    def next_pass(self) -> list[Part]:
        """What to compute next; empty if there is nothing left."""
        parts = [] if self._long_is_next else self._pack()
        if not parts and self._long is not None:
            parts = [self._piece(self._long)]
            self._long_is_next = False
        else:
            self._long_is_next = self._long is not None
        return parts

    def _pack(self) -> list[Part]:
        parts: list[Part] = []
        tokens = 0
        # A long input that has been begun lies in sequence 0 and takes cells.
        free = self._cells - (self._long.done if self._long else 0)
        number = 1 if self._long else 0
        taken = True
        while taken:
            taken = False
            for request in tuple(self._requests):
                size = len(request.inputs[request.waiting[0]])
                if size > self._room:
                    if parts or self._long is not None:
                        continue
                    self._long = _Long(request, self._take(request))
                    return []
                if number == self._sequences or (parts and tokens + size > self._packed) or tokens + size > free:
                    continue
                parts.append(Part(request, self._take(request), number, 0, size))
                number += 1
                tokens += size
                taken = True
        # Whoever is first gets the largest part of a pass, so the first place goes round.
        self._requests.rotate(-1)
        return parts

    def _take(self, request: Request) -> int:
        index = request.waiting.popleft()
        if not request.waiting:
            self._requests.remove(request)
        return index

    def _piece(self, long: _Long) -> Part:
        left = len(long.request.inputs[long.index]) - long.done
        part = Part(long.request, long.index, 0, long.done, min(left, self._room))
        long.done += part.count
        if part.last:
            self._long = None
        return part
