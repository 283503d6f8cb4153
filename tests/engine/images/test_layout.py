"""Images among tokens."""

from __future__ import annotations

import numpy
import pytest

from tui.engine.images import MediaChunk, MediaLayout, flatten
from tui.engine.images.chunks import identity_of
from tui.engine.images.memo import Memo


def chunk(tokens: int, positions: int, content: str = "a") -> MediaChunk:
    nothing = numpy.zeros((1, tokens), numpy.int32)
    return MediaChunk(identity_of(content, tokens), nothing.T.astype("f4"), nothing, nothing, positions, False)


def test_identities_are_negative_stable_and_unlike() -> None:
    numbers = identity_of("one", 5000)
    assert numbers == identity_of("one", 5000)
    assert all(-(2**31) <= number < -1 for number in numbers)
    assert len(set(numbers)) > 4990, "tokens of one image differ from each other"
    assert identity_of("two", 1) != numbers[:1]


def test_positions_fall_behind_after_an_image_with_axes() -> None:
    tokens, layout = flatten([[1, 2, 3], chunk(6, 3), [4], chunk(4, 2, "b"), [5, 6]])
    assert len(tokens) == 16
    assert tokens[:3] + tokens[9:10] + tokens[14:] == [1, 2, 3, 4, 5, 6]
    assert [layout.position(index) for index in (0, 2, 3, 5, 8, 9, 10, 13, 14, 15, 16)] == [
        *(0, 2, 3, 3, 3, 6, 7, 7, 9, 10, 11)
    ]


def test_an_image_is_kept_whole_or_not_at_all() -> None:
    _, layout = flatten([[1, 2, 3], chunk(6, 6), [4]])
    assert [layout.whole(count) for count in (0, 3, 4, 8, 9, 10)] == [0, 3, 3, 3, 9, 10]
    assert layout.chunk_at(2) is None
    assert layout.chunk_at(8) == layout.spans[0]
    assert [layout.next_chunk(index) for index in (0, 3, 4)] == [3, 3, None]


def test_text_alone_has_a_plain_layout() -> None:
    tokens, layout = flatten([[1, 2, 3]])
    assert (tokens, bool(layout)) == ([1, 2, 3], False)
    assert [layout.position(7), layout.whole(7)] == [7, 7]
    assert MediaLayout().next_chunk(0) is None


@pytest.mark.parametrize(("base", "start", "count", "expected"), [(7, 0, None, [7, 8, 9]), (7, 1, 1, [8])])
def test_a_chunk_moves_with_its_beginning(base: int, start: int, count: int | None, expected: list[int]) -> None:
    starts = numpy.arange(3, dtype=numpy.int32)[None]
    moved = MediaChunk((-2, -3, -4), numpy.zeros((3, 2), "f4"), starts, numpy.ones_like(starts), 3, False)
    assert moved.positions(base, start, count).tolist() == [expected]


def test_the_memo_forgets_what_was_not_used_for_longest() -> None:
    memo = Memo(most_bytes=3000)
    for name in "abc":
        memo.put(name, numpy.zeros((1, 250), "f4"))
    assert memo.get("a") is not None
    memo.put("d", numpy.zeros((1, 250), "f4"))
    assert memo.get("b") is None
    assert memo.get("a") is not None
    memo.put("huge", numpy.zeros((1, 2500), "f4"))
    assert memo.get("huge") is not None, "the one in use stays, however large"
    assert memo.get("d") is None
