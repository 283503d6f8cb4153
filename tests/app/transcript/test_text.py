"""Text on a grid: nothing harmful gets through, nothing gets lost, nothing is too wide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from tui.app.transcript.text import ALL_GUTTER, Row, cells, clean, hard_split, prefixed, wrap, wrap_anywhere

STYLE = Style()
TEXTS = st.text(alphabet=st.sampled_from("ab cde\t\n,.日本語。「」é\u0301👩\u200d💻️-"), max_size=120)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("bell\x07 and \x7f", "bell␇ and ␡"),
        ("c1 \x9b31m", "c1 �31m"),
        ("half \ud83d", "half �"),
        ("turned \u202etxt", "turned �txt"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("tab\tstays\n", "tab\tstays\n"),
    ],
)
def test_what_a_terminal_could_obey_is_made_visible(source: str, shown: str) -> None:
    assert clean(source) == shown


@given(st.text(max_size=80))
def test_cleaned_text_can_be_written_to_a_terminal(source: str) -> None:
    text = clean(source)
    text.encode()
    assert not any(ord(character) < 32 and character not in "\n\t" for character in text)


def words(rows: list[Row]) -> list[str]:
    return ["".join(text for text, _ in row.spans) for row in rows]


def test_wrapping_breaks_at_words() -> None:
    assert words(wrap([("one two three four", STYLE)], 9)) == ["one two", "three", "four"]


def test_a_word_that_is_too_wide_is_cut() -> None:
    assert words(wrap([("to abcdefghij end", STYLE)], 4)) == ["to", "abcd", "efgh", "ij", "end"]


def test_closing_punctuation_stays_with_its_character() -> None:
    assert words(wrap([("你好世界。再见", STYLE)], 8)) == ["你好世", "界。再见"]


def test_styles_survive_wrapping() -> None:
    bold = Style(bold=True)
    rows = wrap([("one ", STYLE), ("two three", bold), (" four", STYLE)], 9)
    assert [list(row.spans) for row in rows] == [[("one ", STYLE), ("two", bold)], [("three", bold)], [("four", STYLE)]]


def test_rows_know_what_wrapping_took_away() -> None:
    rows = wrap([("one two\nabcdefgh", STYLE)], 4)
    assert [row.join for row in rows] == [" ", "\n", "", "\n"]


@given(TEXTS, st.integers(2, 30))
def test_wrapping_loses_only_spaces_and_stays_in_its_width(text: str, width: int) -> None:
    rows = wrap([(text[:7], STYLE), (text[7:], STYLE)], width)
    assert all(cells(row.rstrip(" ")) <= width for row in words(rows))
    assert "".join(words(rows)).replace(" ", "") == text.replace("\n", "").replace("\t", "").replace(" ", "")


@given(TEXTS, st.integers(2, 30))
def test_code_keeps_every_space(text: str, width: int) -> None:
    rows = wrap_anywhere([(text, STYLE)], width)
    assert all(cells(row) <= width for row in words(rows))
    assert "".join(words(rows)) == "".join(line.expandtabs(4) for line in text.split("\n"))


def test_a_character_is_never_parted_from_what_combines_with_it() -> None:
    assert hard_split("e\u0301" * 4, 2) == ["e\u0301e\u0301"] * 2
    assert hard_split("👩\u200d💻👩\u200d💻", 3) == ["👩\u200d💻"] * 2
    assert hard_split("a\u200d\u200d。", 2) == ["a\u200d\u200d", "。"]


def test_prefixes_are_decoration_and_markers_are_not() -> None:
    rows = prefixed([Row([("a", STYLE)]), Row([("─", STYLE)], gutter=ALL_GUTTER)], ("│ ", STYLE), ("  ", STYLE))
    assert [row.gutter for row in rows] == [2, ALL_GUTTER]
    assert prefixed([Row([("a", STYLE)])], ("• ", STYLE), ("  ", STYLE), marker=True)[0].gutter == 0
