"""The batch that goes to `llama_decode`: which tokens of which sequences, and whose logits we want back."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import Any

from tui.engine.images import MediaChunk
from tui.engine.library import load_llama
from tui.engine.sequences import Sequence


@dataclass(slots=True)
class Share:
    """One sequence's part of a step: the next `count` tokens of its task's history, and guesses behind them."""

    sequence: Sequence
    count: int
    outputs: int = 0
    """Rows of logits that are wanted back: of the last tokens, 0 while a prompt goes on after this step."""
    draft: list[int] = field(default_factory=list)
    """Guessed tokens behind the history. Each needs a row of logits, to be checked."""
    chunk: tuple[int, MediaChunk] | None = None
    """The image that its tokens are a part of, and where that begins. Such a share is a step of its own."""

    @property
    def size(self) -> int:
        """Rows of the batch that it takes."""
        return self.count + len(self.draft)

    @property
    def reads_prompt(self) -> bool:
        """Whether this is more than the next token of a running answer."""
        return self.count > 1 or self.chunk is not None


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
        """Run one step; llama_decode's result code. Logits come in the order of the shares' rows."""
        at = 0
        for share in shares:
            at = self._add(share, at)
        self._batch.n_tokens = at
        result: int = self._llama.llama_decode(context, self._batch)
        return result

    def _add(self, share: Share, at: int) -> int:
        sequence, size = share.sequence, share.size
        assert sequence.task is not None
        start = len(sequence.tokens)
        history = sequence.task.history
        if size == 1:  # the hot path: one running answer's next token
            self._tokens[at] = history[start]
            self._positions[at] = sequence.position(start)
            self._outputs[at] = share.outputs
            self._sequence_ids[at][0] = sequence.number
            return at + 1
        _fill(self._tokens, at, ctypes.c_int32, history[start : start + share.count] + share.draft)
        position = sequence.position(start)
        _fill(self._positions, at, ctypes.c_int32, range(position, position + size))
        _fill(self._outputs, at, ctypes.c_int8, (0,) * (size - share.outputs) + (1,) * share.outputs)
        for index in range(at, at + size):
            self._sequence_ids[index][0] = sequence.number
        return at + size

    def close(self) -> None:
        """Free the arrays."""
        self._llama.llama_batch_free(self._batch)


def _fill(pointer: Any, at: int, kind: type[ctypes.c_int32] | type[ctypes.c_int8], values: Any) -> None:
    count = len(values)
    source = (kind * count)(*values)
    address = ctypes.addressof(pointer.contents) + at * ctypes.sizeof(kind)
    ctypes.memmove(address, source, ctypes.sizeof(source))
