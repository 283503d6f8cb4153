"""Who shares a pass with whom."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tui.engine.packing import PACKED_TOKENS, Packer, Part, Request


def request(*sizes: int) -> Request:
    future: Future[Any] = Future()
    return Request([[1] * size for size in sizes], future, list)


def drain(packer: Packer) -> list[list[Part]]:
    passes = []
    while parts := packer.next_pass():
        passes.append(parts)
    return passes


def test_requests_take_turns_so_that_a_single_input_overtakes_hundreds() -> None:
    packer = Packer(room=512, sequences=64, cells=512)
    many, one = request(*[100] * 300), request(100)
    packer.add(many)
    packer.add(one)
    first = packer.next_pass()
    assert one in [part.request for part in first]
    assert sum(part.count for part in first) == 500


def test_a_large_input_is_not_passed_over_for_ever() -> None:
    packer = Packer(room=512, sequences=64, cells=512)
    small, large = request(*[100] * 300), request(500)
    packer.add(small)
    packer.add(large)
    assert any(part.request is large for part in packer.next_pass() + packer.next_pass())


def test_passes_between_the_pieces_of_a_long_input_belong_to_the_others() -> None:
    packer = Packer(room=100, sequences=8, cells=1000)
    long, short = request(450), request(*[60] * 3)
    packer.add(long)
    packer.add(short)
    order = [parts[0].request is long for parts in drain(packer)]
    assert order == [True, False, True, False, True, False, True, True]


def test_short_inputs_wait_while_a_long_one_fills_the_context() -> None:
    packer = Packer(room=100, sequences=8, cells=300)
    long, short = request(300), request(*[50] * 6)
    packer.add(long)
    packer.add(short)
    done = 0
    for parts in drain(packer):
        taken = sum(part.count for part in parts)
        assert (done if done < 300 else 0) + taken <= 300
        done += taken if parts[0].request is long else 0


def test_a_dropped_request_gives_nothing_more_and_says_whether_it_left_something() -> None:
    packer = Packer(room=100, sequences=8, cells=1000)
    long, short = request(450, 450), request(10)
    packer.add(long)
    packer.add(short)
    packer.next_pass()
    assert packer.drop(long)
    assert not packer.drop(long)
    assert [[part.request for part in parts] for parts in drain(packer)] == [[short]]


@given(
    st.lists(st.lists(st.integers(1, 400), min_size=1, max_size=6), max_size=5),
    st.integers(20, 600),
    st.integers(1, 6),
)
def test_every_token_is_computed_once_and_in_order(sizes: list[list[int]], room: int, sequences: int) -> None:
    packer = Packer(room=room, sequences=sequences, cells=max(room, 400))
    requests = [request(*inputs) for inputs in sizes]
    for each in requests:
        packer.add(each)
    reached: dict[tuple[int, int], int] = {}
    begun: set[int] = set()
    for parts in drain(packer):
        assert sum(part.count for part in parts) <= max(min(room, PACKED_TOKENS), parts[0].count) <= room
        numbers = [part.sequence for part in parts]
        assert len(set(numbers)) == len(numbers)
        assert max(numbers) < sequences
        for part in parts:
            place = (requests.index(part.request), part.index)
            assert part.start == reached.get(place, 0)
            assert (part.start > 0) == (part.sequence in begun)
            reached[place] = part.start + part.count
            (begun.discard if part.last else begun.add)(part.sequence)
    assert reached == {(at, index): size for at, inputs in enumerate(sizes) for index, size in enumerate(inputs)}
