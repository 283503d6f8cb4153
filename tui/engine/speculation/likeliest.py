"""The guess of a model that guesses: the token that it holds for the likeliest."""

from __future__ import annotations

import ctypes
import math
from typing import Any

from tui.engine.library import load_llama


class Likeliest:
    """Reads rows of logits of one context. Used by the engine thread only."""

    def __init__(self, context: Any, size: int, target_size: int, least_probability: float) -> None:
        """`size` and `target_size` are the tokens of this model's vocabulary and of the one that it guesses for."""
        self._get_logits = load_llama().llama_get_logits_ith
        self._context = context
        self._size = size
        self._target_size = target_size
        self._least_logprob = math.log(least_probability) if least_probability > 0 else -math.inf

    def __call__(self, row: int) -> int | None:
        """The likeliest token of a row, if it is likely enough and the large model has it."""
        import numpy

        pointer = self._get_logits(self._context, row)
        if not pointer:
            return None
        logits = numpy.ctypeslib.as_array(ctypes.cast(pointer, ctypes.POINTER(ctypes.c_float)), (self._size,))
        token = int(logits.argmax())
        highest = float(logits[token])
        if token >= self._target_size or math.isnan(highest):
            return None
        if self._least_logprob > -math.inf:
            logprob = -math.log(float(numpy.exp(logits - numpy.float32(highest)).sum()))
            return token if logprob >= self._least_logprob else None
        return token
