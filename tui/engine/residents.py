"""The sequences of one context: cut back, cleared, and moved out when their room is needed."""

from __future__ import annotations

from collections.abc import Iterator

from tui.engine.cells import Cells
from tui.engine.checkpoints import Checkpoint, newest
from tui.engine.sequence import Sequence
from tui.engine.shelf import Shelf


class Residents:
    """All sequences, and who of them can be missed. Used by the engine thread only."""

    def __init__(self, cells: Cells, shelf: Shelf, sequences: int) -> None:
        self._cells = cells
        self._shelf = shelf
        self._sequences = [Sequence(number) for number in range(sequences)]

    def __iter__(self) -> Iterator[Sequence]:
        return iter(self._sequences)

    @property
    def anyone_runs(self) -> bool:
        """Whether any sequence has a task."""
        return any(sequence.task is not None for sequence in self._sequences)

    @property
    def used_cells(self) -> int:
        """Cells that are taken; shared ones count for each sequence."""
        return sum(self._cells.used(sequence.number) for sequence in self._sequences)

    @property
    def reach(self) -> int:
        """Tokens that llama.cpp knows of, all sequences together."""
        return sum(self._cells.length(sequence.number) for sequence in self._sequences)

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """Those of all sequences."""
        return [checkpoint for sequence in self._sequences for checkpoint in sequence.checkpoints]

    def trim(self, sequence: Sequence, length: int, *, right_after: bool = False, usable: bool = True) -> None:
        """Forget all but the first `length` tokens, or more where the memory cannot do that; see `Cells.cut`.

        `usable`: whether what llama.cpp has for the sequence is right, as far as it can be cut.
        """
        if sequence.media is not None:
            length = sequence.media.whole(length)
        position = sequence.position(length)
        if not (usable and self._cells.cut(sequence.number, position, right_after=right_after)):
            checkpoint = newest(sequence.checkpoints, length)
            if checkpoint is None or not self.go_back(sequence, checkpoint):
                self.clear(sequence)
                return
            length = checkpoint.length
        del sequence.tokens[length:]
        while sequence.checkpoints and sequence.checkpoints[-1].length > length:
            sequence.checkpoints.pop()
        sequence.saved = min(sequence.saved, length)

    def go_back(self, sequence: Sequence, checkpoint: Checkpoint) -> bool:
        """Make llama.cpp's side of a sequence what it was at a checkpoint; False leaves nothing that can be used."""
        restored = self._cells.restore(sequence.number, checkpoint.state, partial=True)
        return restored and self._cells.cut(sequence.number, sequence.position(checkpoint.length))

    def clear(self, sequence: Sequence) -> None:
        """Forget every token of the sequence."""
        self._cells.clear(sequence.number)
        sequence.forget()

    def retire(self, sequence: Sequence) -> None:
        """Free the sequence's cells; what it said is parked if there is room for it."""
        if sequence.tokens:
            self._shelf.put(sequence, self.checkpoints)
        self.clear(sequence)

    def oldest_idle(self, spare: Sequence | None = None) -> Sequence:
        """The one without a task that can be missed most, `spare` only if there is no other. There must be one."""
        idle = [sequence for sequence in self._sequences if sequence.task is None]
        return min((sequence for sequence in idle if sequence is not spare), key=_age, default=idle[0])

    def retire_oldest_idle(self) -> bool:
        """Make room by parking the conversation that was not used for the longest time; False if all are in use."""
        oldest = min((sequence for sequence in self._sequences if sequence.idle), key=_age, default=None)
        if oldest is None:
            return False
        self.retire(oldest)
        return True

    def keep_idle_below(self, tokens: int) -> None:
        """Park idle conversations until the others have no more than so many tokens."""
        held = sum(len(sequence.tokens) for sequence in self._sequences if sequence.idle)
        while held > tokens:
            oldest = min((sequence for sequence in self._sequences if sequence.idle), key=_age)
            held -= len(oldest.tokens)
            self.retire(oldest)


def _age(sequence: Sequence) -> tuple[bool, int]:
    """Sorts empty sequences first, then the longest unused."""
    return bool(sequence.tokens), sequence.last_used
