"""Repeat, presence and frequency penalties and logit bias."""

from __future__ import annotations

import ctypes
import math
from collections import deque
from collections.abc import Sequence

from tui.domain import SamplingConfig
from tui.engine.vocabulary import Vocabulary


class Penalties:
    """Repeat, presence and frequency penalties and logit bias, written into the logits themselves.

    llama.cpp's own penalty sampler looks every token of the vocabulary up in a hash table; with 150,000 of
    them that costs more than a millisecond for each token said. At most `repeat_last_n` logits change, so
    changing just those gives the same numbers in a few microseconds.
    """

    def __init__(self, config: SamplingConfig, vocabulary: Vocabulary) -> None:
        self._repeat = config.repeat_penalty
        self._presence = config.presence_penalty
        self._frequency = config.frequency_penalty
        penalises = self._repeat != 1.0 or self._presence != 0.0 or self._frequency != 0.0
        window = config.repeat_last_n if penalises else 0
        # -1 is llama.cpp's word for "everything so far".
        self._recent: deque[int] = deque(maxlen=None if window < 0 else window)
        self._counts: dict[int, int] = {}
        self._biases = dict(config.logit_bias)
        if config.ignore_end_of_generation:
            self._biases |= dict.fromkeys(vocabulary.end_tokens(), -math.inf)
        self.active = (penalises and window != 0) or bool(self._biases)

    def prime(self, tokens: Sequence[int]) -> None:
        window = self._recent.maxlen
        for token in tokens if window is None else tokens[max(0, len(tokens) - window) :]:
            self.accept(token)

    def accept(self, token: int) -> None:
        recent, counts = self._recent, self._counts
        if recent.maxlen == 0:
            return
        if len(recent) == recent.maxlen:
            oldest = recent[0]
            if counts[oldest] == 1:
                del counts[oldest]
            else:
                counts[oldest] -= 1
        recent.append(token)
        counts[token] = counts.get(token, 0) + 1

    def apply(self, row: ctypes.Array[ctypes.c_float]) -> None:
        for token, bias in self._biases.items():
            row[token] += bias
        repeat, presence, frequency = self._repeat, self._presence, self._frequency
        for token, count in self._counts.items():
            logit = row[token]
            # Dividing a negative logit would make the token likelier.
            logit = logit * repeat if logit <= 0 else logit / repeat
            row[token] = logit - count * frequency - presence
