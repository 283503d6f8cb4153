"""Images into the context of a conversation."""

from __future__ import annotations

from typing import Any

from tui.engine.images.chunks import MediaChunk
from tui.engine.library import load_llama
from tui.engine.rows import Rows


class ImageStep:
    """Decodes pieces of image chunks. Vectors and tokens cannot share a call of llama.cpp, so each piece is one."""

    def __init__(self, capacity: int, *, width: int, axes: int) -> None:
        """`capacity` is the context's physical batch size; `width` and `axes` are the projector's."""
        self._rows = Rows(capacity, width=width, axes=axes)
        self.capacity = capacity

    def most(self, chunk: MediaChunk, start: int, allowed: int) -> int:
        """How many tokens of a chunk may go into one step, from token `start` of it, if `allowed` are wanted."""
        left = chunk.token_count - start
        return left if chunk.non_causal else min(left, allowed, self.capacity)

    def decode(self, context: Any, sequence: int, chunk: MediaChunk, start: int, count: int, base: int) -> int:
        """Compute `count` tokens of a chunk that begins at position `base`; llama_decode's result code.

        No results are asked for, since an image never ends a prompt.
        """
        self._rows.clear()
        self._rows.add(chunk.embeddings[start : start + count], chunk.positions(base, start, count), sequence)
        if not chunk.non_causal:
            return self._rows.decode(context)
        llama = load_llama()
        llama.llama_set_causal_attn(context, False)
        try:
            return self._rows.decode(context)
        finally:
            llama.llama_set_causal_attn(context, True)
