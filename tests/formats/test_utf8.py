"""Characters from bytes that come in pieces."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.formats import Utf8Decoder

# Text, arbitrary bytes, and bytes of the kinds that begin and continue characters, in any order.
SOME_BYTES = st.lists(
    st.one_of(
        st.text(max_size=4).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.binary(max_size=4),
        st.sampled_from([b"\xf0\x9f", b"\x98\x80", b"\xe2\x82", b"\xc3", b"\xff", b"\x80", b"\xed\xa0\x80"]),
    ),
    max_size=8,
).map(b"".join)


@given(SOME_BYTES, st.data())
def test_pieces_give_what_the_whole_gives(data: bytes, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=6)))
    decoder = Utf8Decoder()
    borders = [0, *cuts, len(data)]
    pieces = [decoder.feed(data[start:end]) for start, end in itertools.pairwise(borders)]
    assert "".join(pieces) + decoder.finish() == data.decode("utf-8", "replace")


def test_a_character_comes_when_it_is_complete() -> None:
    decoder = Utf8Decoder()
    assert [decoder.feed(bytes([byte])) for byte in "a😀é".encode()] == ["a", "", "", "", "😀", "", "é"]
    assert decoder.finish() == ""


@pytest.mark.parametrize("data", [b"\xf0", b"\xf0\x9f\x98", b"\xc3"])
def test_an_unfinished_character_is_replaced_at_the_end(data: bytes) -> None:
    decoder = Utf8Decoder()
    assert decoder.feed(b"x" + data) == "x"
    assert decoder.finish() == "\ufffd"
    assert decoder.finish() == ""
