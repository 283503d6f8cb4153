"""Lists in one line: what people type, and what they see, are the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.config.typed_lists import biases_text, read_biases, read_strings, strings_text


@pytest.mark.parametrize(
    ("typed", "strings"),
    [
        ("###", ("###",)),
        (r"\n\n, User:", ("\n\n", "User:")),
        (r"a\, b, c", ("a, b", "c")),
        ('" a ", b', (" a ", "b")),
        (r"a\\n", (r"a\n",)),
        (" , ,", ()),
        ('"', ('"',)),
        ("a\\", ("a",)),
    ],
)
def test_texts_in_one_line(typed: str, strings: tuple[str, ...]) -> None:
    assert read_strings(typed) == strings


@given(st.lists(st.text(min_size=1), max_size=6).map(tuple))
def test_any_texts_come_back(strings: tuple[str, ...]) -> None:
    assert read_strings(strings_text(strings)) == strings


def test_biases() -> None:
    assert read_biases("42=-1.5, 7=2") == ((42, -1.5), (7, 2.0))
    assert read_biases(biases_text(((42, -1.5), (7, 2.0)))) == ((42, -1.5), (7, 2.0))
    for wrong in ("word=1", "-1=2", "3", "3=nan"):
        with pytest.raises(ValueError):  # noqa: PT011 - int() and float() say it in their own words
            read_biases(wrong)
