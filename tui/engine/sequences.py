"""Which conversation lies in which sequence of the context, and how much of it a new prompt can take over."""

from __future__ import annotations

from itertools import count
from typing import Any

from tui.domain import LoadConfig
from tui.engine.library import load_llama
from tui.engine.loading import OpenModel
from tui.engine.parking import ParkingLot, parking_budget
from tui.engine.prefix import common_prefix
from tui.engine.task import GenerationTask

# Idle conversations may hold this part of the context's cells. A thousand idle cells made prompts of 512 tokens 15 %
# slower on a model of 24 narrow layers, while parking a conversation is a copy of a few milliseconds.
_IDLE_SHARE = 32


class Sequence:
    """One of llama.cpp's sequences and the tokens that the cache holds for it."""

    __slots__ = ("last_used", "number", "task", "tokens")

    def __init__(self, number: int) -> None:
        self.number = number
        self.tokens: list[int] = []
        self.task: GenerationTask | None = None
        self.last_used = 0


class SequenceTable:
    """Every sequence of one context. Idle ones keep their tokens until their room is needed, then are parked.

    In a unified cache copying a prefix to another sequence costs no cells, only marks them as shared.
    """

    def __init__(self, opened: OpenModel, config: LoadConfig, states: Any) -> None:  # noqa: ARG002
        context, context_length = opened.context, opened.context_length
        sequences, can_trim = opened.sequences, opened.can_trim
        self._llama = load_llama()
        self._memory = self._llama.llama_get_memory(context)
        self._can_trim = can_trim
        self._sequences = [Sequence(number) for number in range(sequences)]
        self._lot = ParkingLot(context, parking_budget())
        self._idle_allowance = context_length // _IDLE_SHARE
        self._clock = count(1)

    def chunk_limit(self, sequence: Sequence, left: int) -> int:  # noqa: ARG002
        """How many of the next `left` tokens may go into one step."""
        return left

    def decoded(self, sequence: Sequence) -> None:
        """A step with more than one token of the sequence is done."""

    def save(self) -> None:
        """Write what shall be kept to disk."""

    def assign(self, task: GenerationTask) -> Sequence | None:
        """A sequence for the task that holds the longest beginning of its history that is to be had.

        The caller sees to it that fewer tasks run than there are sequences.
        """
        best, shared = self._best_resident(task.history)
        parked, parked_shared = self._lot.best(task.history, self._can_trim)
        if best is not None and best.task is None and shared == len(best.tokens) and shared >= parked_shared:
            chosen = best  # the next turn of the same conversation
        else:
            chosen = self._oldest_idle(spare=best)
            if chosen is not best:
                self._retire(chosen)
                if parked is not None and parked_shared > shared and self._lot.take_back(parked, chosen.number):
                    chosen.tokens, shared = list(parked.tokens), parked_shared
                elif best is not None:
                    self._llama.llama_memory_seq_cp(self._memory, best.number, chosen.number, 0, shared)
                    chosen.tokens = best.tokens[:shared]
        if shared < len(chosen.tokens):
            self.trim(chosen, shared)
        chosen.task = task
        self._park_the_idle()
        return chosen

    def release(self, sequence: Sequence) -> None:
        """The task is done; its tokens stay for whoever continues the conversation."""
        sequence.task = None
        sequence.last_used = next(self._clock)

    def trim(self, sequence: Sequence, length: int) -> None:
        """Forget all but the first `length` tokens, or everything where the memory cannot do that.

        Cells behind the known tokens, left by a step that broke off, go too.
        """
        if not self._llama.llama_memory_seq_rm(self._memory, sequence.number, length, -1):
            self.clear(sequence)
        del sequence.tokens[length:]

    def clear(self, sequence: Sequence) -> None:
        """Forget every token of the sequence."""
        self._llama.llama_memory_seq_rm(self._memory, sequence.number, -1, -1)
        sequence.tokens.clear()

    def drop_oldest_idle(self) -> bool:
        """Make room by forgetting the idle sequence that was not used for the longest time."""
        oldest = min((s for s in self._sequences if s.task is None and s.tokens), key=_age, default=None)
        if oldest is None:
            return False
        self._retire(oldest)
        return True

    def _best_resident(self, history: list[int]) -> tuple[Sequence | None, int]:
        best, shared = None, 0
        for sequence in self._sequences:
            length = self._reusable(sequence, history)
            if length > shared:
                best, shared = sequence, length
        return best, shared

    def _reusable(self, sequence: Sequence, history: list[int]) -> int:
        """How many tokens of `history` the sequence holds in a usable way. One token is always left to decode."""
        length = common_prefix(sequence.tokens, history, len(history) - 1)
        if not self._can_trim and (sequence.task is not None or length < len(sequence.tokens)):
            return 0
        return length

    def _oldest_idle(self, spare: Sequence | None) -> Sequence:
        """The idle sequence that can be missed most, `spare` only if there is no other."""
        idle = [sequence for sequence in self._sequences if sequence.task is None]
        return min((sequence for sequence in idle if sequence is not spare), key=_age, default=idle[0])

    def _park_the_idle(self) -> None:
        """Keep idle conversations to a small part of the context, since they slow down those that run."""
        idle = sorted((s for s in self._sequences if s.task is None and s.tokens), key=_age)
        held = sum(len(sequence.tokens) for sequence in idle)
        for sequence in idle:
            if held <= self._idle_allowance:
                break
            held -= len(sequence.tokens)
            self._retire(sequence)

    def _retire(self, sequence: Sequence) -> None:
        """Free the sequence's cells; what it said is parked if there is room for it."""
        if sequence.tokens:
            self._lot.park(sequence.number, sequence.tokens)
            self.clear(sequence)


def _age(sequence: Sequence) -> tuple[bool, int]:
    """Sorts empty sequences first, then the longest unused."""
    return bool(sequence.tokens), sequence.last_used
