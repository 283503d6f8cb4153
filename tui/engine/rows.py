"""A `llama_batch` whose arrays are numpy's, so that they are filled at once and nothing native has to be freed."""

from __future__ import annotations

import ctypes
from typing import Any

from tui.engine.library import load_llama


class Rows:
    """Room for the rows of one call of llama.cpp: tokens, or vectors in their place, each of one sequence.

    `width` is the length of a vector, 0 for tokens. `axes` is how many numbers make a position: 4 where a model
    rotates time, height and width apart (M-RoPE) and gets vectors, otherwise 1. `beside` is the length of a vector
    that comes with each token, for the heads that read both.
    """

    def __init__(self, capacity: int, *, width: int = 0, axes: int = 1, beside: int = 0) -> None:
        import numpy

        self._llama = llama = load_llama()
        self.capacity = capacity
        self._axes = axes
        self._content: Any = numpy.zeros((capacity, width) if width else capacity, "f4" if width else "i4")
        self._beside = numpy.zeros((capacity, beside), numpy.float32)
        self._positions = numpy.zeros(capacity * axes, numpy.int32)
        self._sequences = numpy.zeros(capacity, numpy.int32)
        self._outputs = numpy.zeros(capacity, numpy.int8)
        self._counts = numpy.ones(capacity, numpy.int32)
        # Every row belongs to exactly one sequence: the pointers stay, what they point at is filled in.
        step = self._sequences.itemsize
        self._pointers = self._sequences.ctypes.data + step * numpy.arange(capacity, dtype=numpy.uintp)

        def pointer(array: Any, kind: Any) -> Any:
            return array.ctypes.data_as(ctypes.POINTER(kind))

        vectors = self._content if width else self._beside if beside else None
        self._batch = llama.llama_batch(
            n_tokens=0,
            token=None if width else pointer(self._content, ctypes.c_int32),
            embd=None if vectors is None else pointer(vectors, ctypes.c_float),
            pos=pointer(self._positions, ctypes.c_int32),
            n_seq_id=pointer(self._counts, ctypes.c_int32),
            seq_id=pointer(self._pointers, ctypes.POINTER(ctypes.c_int32)),
            logits=pointer(self._outputs, ctypes.c_int8),
        )
        self._filled = 0

    def clear(self) -> None:
        """Start over."""
        self._filled = 0

    def add(self, content: Any, positions: Any, sequence: int, *, outputs: int = 0, beside: Any = None) -> None:
        """Append rows; the last `outputs` of them give results.

        `positions` has one number for each row, or with several axes an array of axes x rows, and such rows have
        to come in one piece.
        """
        count = len(content)
        start, end = self._filled, self._filled + count
        if end > self.capacity or (self._axes > 1 and start):
            raise ValueError("the rows do not fit into the batch")
        self._content[start:end] = content
        if beside is not None:
            self._beside[start:end] = beside
        if self._axes > 1:
            # llama.cpp wants all numbers of the first axis, then all of the next.
            self._positions[: count * self._axes] = positions.reshape(-1)
        else:
            self._positions[start:end] = positions
        self._sequences[start:end] = sequence
        self._outputs[start:end] = 0
        self._outputs[end - outputs : end] = 1
        self._filled = end

    def decode(self, context: Any) -> int:
        """Compute the rows with what the context remembers; llama_decode's result code."""
        self._batch.n_tokens = self._filled
        result: int = self._llama.llama_decode(context, self._batch)
        return result

    def encode(self, context: Any) -> int:
        """The same for a model that is only an encoder."""
        self._batch.n_tokens = self._filled
        result: int = self._llama.llama_encode(context, self._batch)
        return result
