"""What embedding and ranking models give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The vectors of several inputs, in their order."""

    vectors: tuple[NDArray[float32], ...]
    """One vector for each input; without pooling an array of tokens x width for each."""
    tokens: tuple[int, ...]
    """Tokens that each input had, after truncation."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """How well several documents answer a query: higher is better. The scale is the model's own."""

    scores: tuple[float, ...]
    tokens: tuple[int, ...]
    """Tokens of each prompt, query included."""


def unit_length(array: NDArray[float32]) -> NDArray[float32]:
    """The same direction with a Euclidean length of 1; a vector of zeros stays what it is."""
    import numpy

    lengths = numpy.linalg.norm(array, axis=-1, keepdims=True)
    unit: NDArray[float32] = numpy.divide(array, numpy.where(lengths > 0, lengths, 1), dtype=numpy.float32)
    return unit
