"""Titles that threads take from their first user message."""

from __future__ import annotations

import pytest

from tui.threads.titles import TITLE_LENGTH, copy_mark, title_from, title_of_copy


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hello", "Hello"),
        ("\n\n  Hello \t there  \nsecond line", "Hello there"),
        ("# A heading", "A heading"),
        ("> - 1. **Why** does `x_y_z` *not* work?", "Why does x_y_z not work?"),
        ("what is 2*3*4 and a_b_c", "what is 2*3*4 and a_b_c"),
        ("See [the page](https://example.org/a) ![pic](b.png)", "See the page pic"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("---\n\nText", "Text"),
        ("___bold___ ~~gone~~", "bold gone"),
        ("#hashtag stays", "#hashtag stays"),
        ("👋", "👋"),
        ("", ""),
        ("\n ``` \n---", ""),
    ],
)
def test_the_first_line_that_says_something(text: str, title: str) -> None:
    assert title_from(text) == title


def test_a_long_line_is_cut_between_words() -> None:
    title = title_from("Please explain to me how the write-ahead log of SQLite works, in detail")
    assert title == "Please explain to me how the write-ahead log of…"
    assert len(title) <= TITLE_LENGTH


@pytest.mark.parametrize("text", ["x" * 200, "a " + "y" * 200, "日本語" * 40])
def test_a_line_without_word_borders_is_cut_where_it_is(text: str) -> None:
    title = title_from(text)
    assert len(title) == TITLE_LENGTH
    assert title.endswith("…")
    assert text.startswith(title[:-1])


@pytest.mark.parametrize(
    ("title", "taken", "copied"),
    [
        ("Oslo", [], "Oslo (copy)"),
        ("Oslo", ["Oslo (copy)", "Oslo (copy 3)"], "Oslo (copy 2)"),
        ("Oslo (copy)", ["Oslo (copy)"], "Oslo (copy 2)"),
        ("Oslo (copy 2)", [], "Oslo (copy)"),
        ("Oslo (branch)", [], "Oslo (branch) (copy)"),
        ("(copy)", [], "(copy) (copy)"),
        ("Oslo (copy)s", [], "Oslo (copy)s (copy)"),
    ],
)
def test_the_title_of_a_copy(title: str, taken: list[str], copied: str) -> None:
    assert title_of_copy(title, "copy", taken) == copied
    bare, mark = copy_mark(copied)
    assert bare + mark == copied
    assert mark
