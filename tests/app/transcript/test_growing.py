"""A text that comes in pieces looks, when it has ended, as if it had come at once; and a piece stays cheap."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.app.transcript.samples import ANSWER, PALETTE, drawn, plain
from tui.app.transcript import blocks, growing, open_blocks
from tui.app.transcript.growing import GrowingBody
from tui.app.transcript.text import Row

BLOCKS = st.sampled_from(
    [
        "word ", "a longer run of words ", "**", "*", "`", "``", "_", "~~", "[", "]", "(http://a.b)", "\n", "\n\n",
        "- ", "1. ", "2) ", "  ", "    ", "\t", "# ", "```\n", "```py\n", "~~~\n", "---\n", "===\n", "|", "日本", "é",
        "| a | b |\n|---|---|\n", "| c | d |\n", "a | b\n", "\r\n", "<br>", "&amp;", "\\", "\n\n> quote\n> more\n\n",
        "def f():\n", '"""', "- item\n", "1. one\n", "   inside\n", "\x1b[1m", "wordwithoutspaces" * 9,
        "lorem ipsum dolor " * 40,
    ]
)  # fmt: skip
SOURCES = st.lists(BLOCKS, max_size=60).map("".join)


def feed(body: GrowingBody, source: str, size: int) -> None:
    """Feed in pieces, and check that what `feed` says of changed rows is true."""
    for start in range(0, len(source), size):
        before = list(body.rows)
        first = body.feed(source[start : start + size])
        assert first <= len(before)
        assert body.rows[:first] == before[:first]


def grown(source: str, width: int, size: int) -> list[Row]:
    body = GrowingBody(width, PALETTE)
    feed(body, source, size)
    body.finish()
    return body.rows


@settings(max_examples=150, deadline=None)
@given(SOURCES, st.sampled_from([20, 40, 98]), st.sampled_from([1, 3, 11, 80]))
@example("1. a\n1.     b|c\n-|-\n", 20, 1)
@example("# a | b\n-|-\nc", 20, 1)
@example("para " * 200 + "\n---\nend", 40, 3)
def test_any_text_in_any_pieces_ends_as_the_whole(source: str, width: int, size: int) -> None:
    assert grown(source, width, size) == drawn(source, width)


@pytest.mark.parametrize("size", [1, 4, 17, 100_000])
@pytest.mark.parametrize("width", [30, 73, 98])
def test_an_answer_ends_as_the_whole(size: int, width: int) -> None:
    assert grown(ANSWER, width, size) == drawn(ANSWER, width)


@pytest.mark.parametrize("size", [1, 5])
def test_the_end_brings_no_jump(size: int) -> None:
    body = GrowingBody(73, PALETTE)
    feed(body, ANSWER, size)
    shown = plain(body.rows)
    body.finish()
    assert plain(body.rows) == shown


def test_a_marker_that_tells_nothing_yet_is_not_shown() -> None:
    body = GrowingBody(40, PALETTE)
    body.feed("A list:\n")
    for piece in ("-", " ", "**"):
        body.feed(piece)
        assert plain(body.rows) == ["A list:"]
    body.feed("bold")
    assert plain(body.rows) == ["A list:", "• bold"]
    assert body.rows[-1].spans[-1][1].bold


def test_open_code_shows_its_lower_rule_before_it_is_closed() -> None:
    body = GrowingBody(24, PALETTE)
    body.feed("```py\nx = 1\ny")
    open_rows = plain(body.rows)
    body.feed(" = 2\n```\n")
    assert [row[:5] for row in open_rows] == ["╶─ py", "│ x =", "│ y", "╶────"]
    assert len(body.rows) == len(open_rows)


def long_text(kind: str) -> Iterator[str]:
    match kind:
        case "prose":
            while True:
                yield from ["some **bold** words and `code` "] * 8
                yield "\n\n"
        case "paragraph":
            while True:
                yield "some **bold** words, snake_case, 2 * 3 and [a link](http://b.c) "
        case "fence":
            yield "```python\n"
            while True:
                yield from ["def f(x):\n", '    """Doc."""\n', "    return x\n", "\n"]
        case "list":
            while True:
                yield from ["- an item ", "with **words** ", "in it\n"]
        case "table":
            yield "| name | what |\n|---|---|\n"
            while True:
                yield from ["| some ", "name | what it ", "does |\n"]


@pytest.mark.parametrize("kind", ["prose", "paragraph", "fence", "list", "table"])
def test_a_token_costs_the_same_however_long_the_answer_is(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []

    def counted(source: str, **options: object) -> list[blocks.Placed]:
        parsed.append(len(source))
        return blocks.parse(source, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(growing, "parse", counted)
    monkeypatch.setattr(open_blocks, "parse", counted)
    body = GrowingBody(98, PALETTE)
    pieces = long_text(kind)
    redrawn: list[int] = []
    for _ in range(1_500):
        before = len(body.rows)
        first = body.feed(next(pieces))
        redrawn.append(before - first)
    assert max(parsed) < 2_500
    assert max(redrawn) < 60
    assert len(body.rows) > 100 or kind == "paragraph"
