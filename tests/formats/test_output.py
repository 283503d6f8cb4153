"""Reasoning and text, told apart in whatever pieces they come."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.output_templates import TEMPLATES
from tui.domain import ReasoningDelta, TextDelta
from tui.formats import OutputFormat, OutputParser, detect_output_format

FORMAT = OutputFormat(reasoning=detect_output_format(TEMPLATES["think"]).reasoning)
"""A format with reasoning and nothing else."""


def parse(pieces: list[bytes], *, reasoning_open: bool = False) -> tuple[str, str, int, int]:
    """Reasoning, text, and the tokens of each; every piece counts as one token."""
    parser = OutputParser(FORMAT, reasoning_open=reasoning_open)
    deltas = [delta for piece in pieces for delta in parser.feed(piece, 1)] + parser.finish()
    thoughts = [delta for delta in deltas if isinstance(delta, ReasoningDelta)]
    texts = [delta for delta in deltas if isinstance(delta, TextDelta)]
    assert deltas == thoughts + texts, "reasoning never comes after text"
    assert parser.finish() == []
    return (
        "".join(delta.text for delta in thoughts),
        "".join(delta.text for delta in texts),
        sum(delta.tokens for delta in thoughts),
        sum(delta.tokens for delta in texts),
    )


CASES = [
    ("Hello", False, "", "Hello"),
    ("", False, "", ""),
    (" \n", False, "", " \n"),
    (" Hello \n", False, "", " Hello \n"),
    ("<think>\nLet me see.\n</think>\n\nYes. ", False, "Let me see.", "Yes. "),
    (" \n<think>a\n\nb</think>c", False, "a\n\nb", "c"),
    ("<think></think>\n\nYes", False, "", "Yes"),
    ("<think>\n\n</think>\n\nYes", False, "", "Yes"),
    ("<think>never closed \n", False, "never closed", ""),
    ("<think>almost</thin", False, "almost</thin", ""),
    ("<think>a </ b < c </thinker> d</think>e", False, "a </ b < c </thinker> d", "e"),
    ("<think>a<think>b</think>c</think>d", False, "a<think>b", "c</think>d"),
    ("<think>only this</think>", False, "only this", ""),
    ("<thinking>no</thinking>", False, "", "<thinking>no</thinking>"),
    ("<thin", False, "", "<thin"),
    ("\n<", False, "", "\n<"),
    ("I use <think>x</think> here", False, "", "I use <think>x</think> here"),
    ("```\n<think>\n```", False, "", "```\n<think>\n```"),
    ("<think>a</think>b\n<think>c</think>", False, "a", "b\n<think>c</think>"),
    ("</think>\n\nYes", False, "", "</think>\n\nYes"),
    ("<think>a</think>\n<think>b</think>c", False, "ab", "c"),
    ("Thoughts.\n</think>\n\nYes", False, "", "Thoughts.\n</think>\n\nYes"),
    ("Thoughts.\n</think>\n\nYes", True, "Thoughts.", "Yes"),
    ("\nThoughts", True, "Thoughts", ""),
    ("</think>Yes", True, "", "Yes"),
    ("\n<think>\nThoughts</think>Yes", True, "Thoughts", "Yes"),
    ("<think><think>x</think>y", True, "<think>x", "y"),
    ("<thin", True, "<thin", ""),
    ("a\u00a0</think>\u3000b", True, "a\u00a0", "\u3000b"),
]


@pytest.mark.parametrize(("output", "reasoning_open", "reasoning", "text"), CASES)
def test_whole_and_byte_by_byte(output: str, reasoning_open: bool, reasoning: str, text: str) -> None:
    data = output.encode()
    assert parse([data], reasoning_open=reasoning_open)[:2] == (reasoning, text)
    assert parse([bytes([byte]) for byte in data], reasoning_open=reasoning_open)[:2] == (reasoning, text)


PIECES = st.sampled_from(
    ["<think>", "</think>", "<th", "ink>", "</", "<", ">", " ", "\n", "\n\n", "\t", "a", "word", "é", "😀", "```"]
)
OUTPUTS = st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=14).map(
    lambda pieces: "".join(pieces).encode("utf-8", "replace")
)


@given(st.one_of(OUTPUTS, st.binary(max_size=30)), st.booleans(), st.data())
def test_the_pieces_make_no_difference(data: bytes, reasoning_open: bool, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=12)))
    borders = [0, *cuts, len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(borders)]
    reasoning, text, reasoning_tokens, text_tokens = parse(pieces, reasoning_open=reasoning_open)
    assert (reasoning, text) == parse([data], reasoning_open=reasoning_open)[:2]
    assert reasoning_tokens + text_tokens == len(pieces)


@given(OUTPUTS, st.booleans())
def test_nothing_but_markers_and_space_is_dropped(data: bytes, reasoning_open: bool) -> None:
    droppable = str.maketrans("", "", "<>/think \t\r\n")
    reasoning, text, _, _ = parse([data], reasoning_open=reasoning_open)
    assert (reasoning + text).translate(droppable) == data.decode("utf-8", "replace").translate(droppable)


def test_text_is_given_out_at_once() -> None:
    parser = OutputParser(FORMAT)
    assert parser.feed(b"Hi", 1) == [TextDelta("Hi", 1)]
    assert parser.feed(b" <think> ", 2) == [TextDelta(" <think> ", 2)]
    assert parser.feed(b"<", 1) == [TextDelta("<", 1)]


def test_only_what_may_be_a_marker_or_its_space_is_held_back() -> None:
    parser = OutputParser(FORMAT)
    assert parser.feed(b"<thi", 1) == []
    assert parser.feed(b"nk>\n", 1) == []
    assert parser.feed(b"one", 1) == [ReasoningDelta("one", 3)]
    assert parser.feed(b" two \n", 1) == [ReasoningDelta(" two", 1)]
    assert parser.feed(b"three </", 1) == [ReasoningDelta(" \nthree", 1)]
    assert parser.feed(b"b", 1) == [ReasoningDelta(" </b", 1)]
    assert parser.feed(b"\n", 1) == []
    assert parser.feed(b"</think>", 1) == [ReasoningDelta("", 2)]
    assert parser.feed(b"\n\n", 1) == []
    assert parser.feed(b"\xc3", 1) == []
    assert parser.feed(b"\xa9", 1) == [TextDelta("é", 3)]


def test_markers_count_as_reasoning() -> None:
    tokens = [b"<think>", b"\n", b"why", b"\n", b"</think>", b"\n\n", b"because", b"."]
    assert parse(tokens)[2:] == (5, 3)
    assert parse([b"</think>", b"yes"])[2:] == (0, 2)
    assert parse([b"<think>", b"a", b" "])[2:] == (3, 0)


@pytest.mark.parametrize("piece", [b"word ", b"\n", b"<", "é".encode()[:1]])
def test_a_long_answer_is_not_kept(piece: bytes) -> None:
    """What a token costs must not grow with what came before it."""

    def growth(parser: OutputParser, pieces: int) -> int:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(pieces):
            parser.feed(piece, 1)
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        for start in (b"", b"x", b"<think>x"):
            parser = OutputParser(FORMAT)
            parser.feed(start)
            growth(parser, 10)
            held = 0 if piece.strip() else 200
            assert growth(parser, 3000) < 4000 + 3000 * held
    finally:
        tracemalloc.stop()
