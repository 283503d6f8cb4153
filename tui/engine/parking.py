"""Idle conversations that were moved out of the context into ordinary memory.

Every cell that is in use makes every prompt slower, also prompts of other conversations, because attention looks
at all cells and masks the foreign ones afterwards. Parked outside, a conversation costs nobody anything, and
taking it back is a copy of memory instead of reading all its text again.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from tui.engine.library import load_llama
from tui.engine.prefix import common_prefix

# Reading this few tokens again is as quick as copying their state.
_WORTH_PARKING = 64
# Part of the machine's memory for parked conversations, and the most that is taken of a large machine, in bytes.
_SHARE_OF_MEMORY = 8
_MOST_MEMORY = 8 * 1024**3


@dataclass(frozen=True, slots=True)
class ParkedState:
    """One conversation outside the context: its tokens, and what llama.cpp needs to take it back."""

    tokens: list[int]
    data: Any
    size: int


class ParkingLot:
    """Parked conversations, the longest unused first. Used by the engine thread only."""

    def __init__(self, context: Any, budget: int) -> None:
        self._llama = load_llama()
        self._context = context
        self._budget = budget
        self._parked: list[ParkedState] = []

    def park(self, sequence: int, tokens: list[int]) -> None:
        """Copy a sequence's state out of the context, if that is worth it and there is room."""
        if len(tokens) < _WORTH_PARKING:
            return
        size = self._llama.llama_state_seq_get_size_ext(self._context, sequence, 0)
        if not 0 < size <= self._budget:
            return
        # A shorter beginning of the same conversation has become useless.
        self._parked = [state for state in self._parked if tokens[: len(state.tokens)] != state.tokens]
        used = sum(state.size for state in self._parked)
        while used + size > self._budget:
            used -= self._parked.pop(0).size
        data = (ctypes.c_uint8 * size)()
        written = self._llama.llama_state_seq_get_data_ext(self._context, data, size, sequence, 0)
        if written:
            self._parked.append(ParkedState(list(tokens), data, written))

    def best(self, history: list[int], can_trim: bool) -> tuple[ParkedState | None, int]:
        """The parked conversation that shares the longest beginning with `history`, and how many tokens that is."""
        best, shared = None, 0
        for state in self._parked:
            length = common_prefix(state.tokens, history, len(history) - 1)
            if length > shared and (can_trim or length == len(state.tokens)):
                best, shared = state, length
        return best, shared

    def take_back(self, state: ParkedState, sequence: int) -> bool:
        """Copy a state into an empty sequence; False if the context has no room for it."""
        read = self._llama.llama_state_seq_set_data_ext(self._context, state.data, state.size, sequence, 0)
        if read:
            self._parked.remove(state)
        return bool(read)


def parking_budget() -> int:
    """Bytes that parked conversations may take on this machine."""
    import psutil

    return min(int(psutil.virtual_memory().total) // _SHARE_OF_MEMORY, _MOST_MEMORY)
