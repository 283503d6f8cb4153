"""Where images lie in a history of tokens, and what that does to positions.

A token's place in the list and its position in the context differ after an image of a model with M-RoPE.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from tui.engine.images.chunks import MediaChunk


class MediaLayout:
    """The images of one history. Immutable; empty for text alone."""

    def __init__(self, spans: Sequence[tuple[int, MediaChunk]] = ()) -> None:
        self.spans = tuple(spans)
        """Index of the first token of each chunk, and the chunk, in order."""
        self._starts = [start for start, _ in self.spans]
        self._shifts = [0]
        for _, chunk in self.spans:
            self._shifts.append(self._shifts[-1] + chunk.token_count - chunk.position_count)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def chunk_at(self, index: int) -> tuple[int, MediaChunk] | None:
        """The chunk that token `index` is part of, and where it begins."""
        at = bisect_right(self._starts, index) - 1
        if at < 0 or index >= self._starts[at] + self.spans[at][1].token_count:
            return None
        return self.spans[at]

    def position(self, index: int) -> int:
        """The position of token `index`, which may be the next one; of its beginning if it lies in a chunk."""
        found = self.chunk_at(index)
        start = index if found is None else found[0]
        return start - self._shifts[bisect_right(self._starts, start - 1)]

    def whole(self, index: int) -> int:
        """The most tokens, up to `index`, behind which a history can be cut.

        Not inside of a chunk. Not right behind one that takes fewer positions than tokens either: llama.cpp counts
        by the positions that it has seen, which end before the one at which the text goes on.
        """
        before = self.chunk_at(index - 1)
        if before is None:
            return index
        start, chunk = before
        ends_here = index == start + chunk.token_count
        return index if ends_here and chunk.position_count == chunk.token_count else start

    def next_chunk(self, index: int) -> int | None:
        """Where the first chunk that begins at or after token `index` begins."""
        at = bisect_right(self._starts, index - 1)
        return self._starts[at] if at < len(self._starts) else None


def flatten(pieces: Sequence[list[int] | MediaChunk]) -> tuple[list[int], MediaLayout]:
    """One list of tokens, images as their identities, and where the images are."""
    tokens: list[int] = []
    spans = []
    for piece in pieces:
        if isinstance(piece, MediaChunk):
            spans.append((len(tokens), piece))
            tokens.extend(piece.identity)
        else:
            tokens.extend(piece)
    return tokens, MediaLayout(spans)
