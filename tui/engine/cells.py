"""What llama.cpp's memory holds for each sequence of one context: copies, cuts and snapshots of it.

There are three kinds of memory. Plain attention keeps every token, so a sequence can be cut anywhere. Sliding
windows keep the last tokens only, and recurrent and hybrid models one running state: they can be cut only as far as
the window reaches, or not at all, and go back by snapshots. Nothing here goes by a model's name: llama.cpp is asked
what it keeps, and every cut is checked afterwards.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from tui.engine.library import load_llama
from tui.engine.loading import OpenModel

# LLAMA_STATE_SEQ_FLAGS_* of llama.h. The partial state is what cannot be cut: windows and running states.
_FULL, _PARTIAL = 0, 1

UNLIMITED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Drafting:
    """What a step with guesses must be like.

    llama.cpp computes a step in pieces of at most `n_ubatch` rows. Each piece may give up window cells that its first
    tokens do not see, though the text without the guesses would, and may move the states of other sequences, though
    not the earlier versions of them that guesses are taken back to. So everything has to be in one piece.
    """

    longest: int
    """Guesses for one sequence."""
    rows: int
    """Rows of the step, guesses included."""
    even: bool = False
    """Whether all sequences of the step must have as many: pieces of running states are equally long for all."""
    alone: bool = False
    """Whether there must not be a second sequence in the step, because each may be a piece of its own."""


class Cells:
    """The sequences of one context as llama.cpp sees them. Used by the engine thread only."""

    def __init__(self, opened: OpenModel) -> None:
        llama = self._llama = load_llama()
        self._context = opened.context
        self._memory = llama.llama_get_memory(opened.context)
        self._recurrent = bool(llama.llama_model_is_recurrent(opened.model))
        self.running_state = self._recurrent or bool(llama.llama_model_is_hybrid(opened.model))
        """Whether layers keep one state that moves on with each token."""
        window = int(llama.llama_model_n_swa(opened.model))
        self._window = window if 0 < window < opened.context_length else 0
        self._unified = unified = llama.llama_n_ctx(opened.context) == llama.llama_n_ctx_seq(opened.context)
        self.crowded = unified and not self._recurrent
        """Whether the cells of one sequence make the others slower: attention looks at all of them."""
        # Elsewhere llama.cpp aborts on copies of a part, or puts the copying off until the source may have changed.
        self.shares = unified and not (self.running_state and self._window)
        """Whether a copied sequence needs no cells of its own."""

    @property
    def can_always_cut(self) -> bool:
        """Whether sequences can be cut back to any length, as far as the kind of memory goes."""
        return not self.running_state and not self._window

    @property
    def rollback(self) -> int:
        """How many tokens can be taken back right after the step that computed them."""
        return int(self._llama.llama_n_rs_seq(self._context)) if self.running_state else UNLIMITED

    @property
    def drafting(self) -> Drafting:
        """What steps with guesses must be like, so that the wrong ones can be taken back."""
        if self.can_always_cut:
            return Drafting(UNLIMITED, UNLIMITED)
        rows = int(self._llama.llama_n_ubatch(self._context))
        if not self.running_state:
            return Drafting(UNLIMITED, rows)
        return Drafting(self.rollback, rows, even=True, alone=not self._unified)

    def length(self, number: int) -> int:
        """Tokens that a sequence reaches to."""
        return int(self._llama.llama_memory_seq_pos_max(self._memory, number)) + 1

    def used(self, number: int) -> int:
        """Cells that a sequence takes, those that it shares with others included; 1 for a recurrent state."""
        length = self.length(number)
        if not length or self.running_state:
            return min(length, 1) if self._recurrent else length
        return length - int(self._llama.llama_memory_seq_pos_min(self._memory, number))

    def shortest_cut(self, number: int) -> int:
        """The shortest length that the sequence can be cut back to."""
        if self.running_state:
            return self.length(number)
        first = int(self._llama.llama_memory_seq_pos_min(self._memory, number)) if self._window else 0
        # The token behind the cut sees the last `window` positions, its own included.
        return first + self._window - 1 if first > 0 else 0

    def shortest_cut_of_snapshot(self, number: int) -> int:
        """The same for a full snapshot of the sequence, which leaves out what no window reaches any more."""
        length = self.length(number)
        if self.running_state or (self._window and (length > self._window or self.shortest_cut(number))):
            return length
        return 0

    def cut(self, number: int, length: int, *, right_after: bool = False) -> bool:
        """Forget all but the first `length` tokens; False if that left something that cannot be used.

        `right_after`: the tokens behind were computed by the last step, all of them, and it went well. Only then
        can a running state be taken back by some tokens; llama.cpp does it at other times too, but wrongly.
        """
        if self.running_state and not right_after and self.length(number) != length > 0:
            return False
        if not self._llama.llama_memory_seq_rm(self._memory, number, length, -1):
            return False
        if self.length(number) != length:
            return False
        return self.running_state or not length or self.shortest_cut(number) <= length

    def clear(self, number: int) -> None:
        """Forget every token of the sequence."""
        self._llama.llama_memory_seq_rm(self._memory, number, -1, -1)

    def copy(self, source: int, target: int) -> bool:
        """Make an empty sequence hold all that another one holds; without new cells where they can be shared."""
        if not self.shares:
            state = self.snapshot(source)
            return state is not None and self.restore(target, state)
        self._llama.llama_memory_seq_cp(self._memory, source, target, -1, -1)
        if not self.running_state or not self.rollback:
            return True
        # What was taken back of the source by its last step would not be taken back of the copy.
        state = self.snapshot(source, partial=True)
        return state is not None and self.restore(target, state, partial=True)

    def own_window(self, number: int) -> bool:
        """Give a copied sequence window cells of its own; shared ones would not be free for use when it moves on."""
        if not self._window or self.running_state or not self.shares:
            return True
        state = self.snapshot(number, partial=True)
        return state is not None and self.restore(number, state, partial=True)

    def snapshot(self, number: int, *, partial: bool = False) -> bytearray | None:
        """What llama.cpp needs to bring the sequence back; `partial`: only what cannot be cut. None if it fails."""
        flags = _PARTIAL if partial else _FULL
        size = self._llama.llama_state_seq_get_size_ext(self._context, number, flags)
        if not size:
            return None
        try:
            data = bytearray(size)
        except MemoryError:
            return None
        written = self._llama.llama_state_seq_get_data_ext(self._context, _address(data), size, number, flags)
        if not written:
            return None
        del data[written:]
        return data

    def restore(self, number: int, state: bytearray, *, partial: bool = False) -> bool:
        """Bring back a snapshot: a full one into an empty sequence, a partial one into the sequence it is of.

        False if there is no room; the sequence is empty then.
        """
        flags = _PARTIAL if partial else _FULL
        if self._llama.llama_state_seq_set_data_ext(self._context, _address(state), len(state), number, flags):
            return True
        self.clear(number)
        return False


def _address(data: bytearray) -> Any:
    return (ctypes.c_uint8 * len(data)).from_buffer(data)
