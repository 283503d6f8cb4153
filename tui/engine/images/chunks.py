"""What a model reads of an image: vectors in place of tokens, and the numbers that stand for them in token lists."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float32, int32
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class MediaChunk:
    """A piece of a prompt that is not text. A large image may be several of them, with text between."""

    identity: tuple[int, ...]
    """A number below -1 for each vector, made of the image's content: the same image gives the same numbers."""
    embeddings: NDArray[float32]
    """tokens x width."""
    starts: NDArray[int32]
    moves: NDArray[int32]
    """axes x tokens each: a position is `starts` plus `moves` times the position at which the chunk begins."""
    position_count: int
    """Positions that it takes; fewer than tokens where rows and columns have positions of their own (M-RoPE)."""
    non_causal: bool
    """Whether its tokens see each other in both directions. It must then be computed in one pass."""

    @property
    def token_count(self) -> int:
        """Cells that it takes in the cache."""
        return len(self.identity)

    def positions(self, base: int, start: int = 0, count: int | None = None) -> NDArray[int32]:
        """axes x tokens, of `count` tokens from `start` on, if the chunk begins at position `base`."""
        end = self.token_count if count is None else start + count
        return self.starts[:, start:end] + self.moves[:, start:end] * base


def identity_of(content: str, tokens: int) -> tuple[int, ...]:
    """Numbers from -2 down to what 32 bits hold, drawn from a hash, so that no two contents share a beginning."""
    import numpy

    drawn = hashlib.shake_128(content.encode()).digest(4 * tokens)
    numbers = numpy.frombuffer(drawn, dtype="<u4").astype(numpy.int64) % (2**31 - 2)
    return tuple((-2 - numbers).tolist())
