"""The batch that goes to `llama_decode`: which tokens of which sequences, and whose logits we want back."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from tui.engine.library import load_llama
from tui.engine.sequences import Sequence


@dataclass(slots=True)
class Share:
    """One sequence's part of a step: the next `count` tokens of its task's history."""

    sequence: Sequence
    count: int
    wants_logits: bool
    """Whether these tokens reach the end of the history, so that the next one can be chosen."""


class Batch:
    """A reusable `llama_batch`. Filled through plain C arrays, which is many times faster than field by field."""

    def __init__(self, capacity: int) -> None:
        self._llama = load_llama()
        self.capacity = capacity
        self._batch = self._llama.llama_batch_init(capacity, 0, 1)
        self._tokens = self._batch.token
        self._positions = self._batch.pos
        self._outputs = self._batch.logits
        # Every token belongs to exactly one sequence; the rows are filled in place.
        self._sequence_ids = self._batch.seq_id
        for index in range(capacity):
            self._batch.n_seq_id[index] = 1

    def decode(self, context: Any, shares: list[Share]) -> int:
        """Run one step; llama_decode's result code. Row of logits: the share's last token, see `output_row`."""
        at = 0
        for share in shares:
            at = self._add(share, at)
        self._batch.n_tokens = at
        result: int = self._llama.llama_decode(context, self._batch)
        return result

    def _add(self, share: Share, at: int) -> int:
        sequence, count = share.sequence, share.count
        assert sequence.task is not None
        start = len(sequence.tokens)
        history = sequence.task.history
        if count == 1:  # the hot path: one running answer's next token
            self._tokens[at] = history[start]
            self._positions[at] = start
            self._outputs[at] = share.wants_logits
            self._sequence_ids[at][0] = sequence.number
            return at + 1
        _fill(self._tokens, at, ctypes.c_int32, history[start : start + count])
        _fill(self._positions, at, ctypes.c_int32, range(start, start + count))
        _fill(self._outputs, at, ctypes.c_int8, (0,) * (count - 1) + (int(share.wants_logits),))
        for index in range(at, at + count):
            self._sequence_ids[index][0] = sequence.number
        return at + count

    def close(self) -> None:
        """Free the arrays."""
        self._llama.llama_batch_free(self._batch)


def _fill(pointer: Any, at: int, kind: type[ctypes.c_int32] | type[ctypes.c_int8], values: Any) -> None:
    count = len(values)
    source = (kind * count)(*values)
    address = ctypes.addressof(pointer.contents) + at * ctypes.sizeof(kind)
    ctypes.memmove(address, source, ctypes.sizeof(source))
