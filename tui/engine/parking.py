"""Conversations that were moved out of the context into ordinary memory.

Every cell that is in use makes every prompt slower, also prompts of other conversations, because attention looks
at all cells and masks the foreign ones afterwards. Parked outside, a conversation costs nobody anything, and
taking it back is a copy of memory instead of reading all its text again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tui.engine.checkpoints import Checkpoint

# Part of the machine's memory for parked conversations, the part of what is free just now, and the most that is
# taken of a large machine, in bytes.
_SHARE_OF_MEMORY = 8
_SHARE_OF_FREE_MEMORY = 2
_MOST_MEMORY = 8 * 1024**3
# A search looks at each of them.
_MOST_CONVERSATIONS = 256


@dataclass(slots=True, eq=False)
class Conversation:
    """One conversation outside the context: its tokens, and what llama.cpp needs to take it back."""

    tokens: list[int]
    state: bytearray
    shortest_cut: int
    """How far it can be cut back without a checkpoint once it was taken back."""
    checkpoints: list[Checkpoint] = field(default_factory=list)
    keep: bool = False
    """Whether it may go to disk."""
    saved: int = 0
    """How many of its tokens are on disk already."""


class ParkingLot:
    """Parked conversations, the longest unused first. Used by the engine thread only."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._parked: list[Conversation] = []

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        """All of them, the longest unused first."""
        return tuple(self._parked)

    def size(self, checkpoints: Iterable[Checkpoint] = ()) -> int:
        """Bytes of what is parked, and of checkpoints of conversations that are not; what is shared counts once."""
        own = (checkpoint for conversation in self._parked for checkpoint in conversation.checkpoints)
        shared = {id(checkpoint): len(checkpoint.state) for checkpoint in (*own, *checkpoints)}
        return sum(len(conversation.state) for conversation in self._parked) + sum(shared.values())

    def make_room(self, size: int, checkpoints: Iterable[Checkpoint]) -> list[Conversation] | None:
        """Let conversations go, oldest first, until `size` more bytes fit; None if they cannot, and nobody goes."""
        resident = tuple(checkpoints)
        if size + sum({id(c): len(c.state) for c in resident}.values()) > self._budget:
            return None
        gone = []
        while self._parked and self.size(resident) + size > self._budget:
            gone.append(self._parked.pop(0))
        return gone

    def park(self, conversation: Conversation, *, replaces: bool) -> list[Conversation]:
        """Keep a conversation for which there is room; those that had to go to keep their number small.

        `replaces`: a shorter beginning of it has become useless, because this one can be cut back to it.
        """
        if replaces:
            self._parked = [other for other in self._parked if conversation.tokens[: len(other.tokens)] != other.tokens]
        self._parked.append(conversation)
        gone, self._parked = self._parked[:-_MOST_CONVERSATIONS], self._parked[-_MOST_CONVERSATIONS:]
        return gone

    def remove(self, conversation: Conversation) -> None:
        """Let go of a conversation that was taken back, if it is still there."""
        if conversation in self._parked:
            self._parked.remove(conversation)

    def touch(self, conversation: Conversation) -> None:
        """The conversation was used, and stays."""
        if conversation in self._parked:
            self._parked.remove(conversation)
            self._parked.append(conversation)

    def clear(self) -> None:
        """Let everything go."""
        self._parked.clear()


def parking_budget(free: int, total: int) -> int:
    """Bytes that parked conversations and checkpoints of one model may take of a machine's memory.

    `free` is what is left once the model is loaded.
    """
    return min(total // _SHARE_OF_MEMORY, free // _SHARE_OF_FREE_MEMORY, _MOST_MEMORY)
