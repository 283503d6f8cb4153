"""The text of custom tools, out of the JSON that models write."""

from __future__ import annotations

import json

import pytest

from tui.server.responses.free_text import FreeTextReader, text_of

TEXTS = ["", "plain", 'a "quote"\nand \\ a line', "Grüße 你好 🙂", "tab\tand { [ } ]"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_the_text_comes_out_whatever_the_pieces(text: str, ascii_only: bool) -> None:
    arguments = json.dumps({"input": text}, ensure_ascii=ascii_only)
    assert text_of(arguments) == text
    for size in (1, 2, 3, 7, 1000):
        reader = FreeTextReader()
        pieces = [reader.feed(arguments[start : start + size]) for start in range(0, len(arguments), size)]
        assert "".join(pieces) == text


def test_half_a_character_is_none() -> None:
    assert text_of('{"input": "a \\ud83d b"}') == "a ? b"
    reader = FreeTextReader()
    assert reader.feed('{"input": "a \\ud83d') == "a "
    assert reader.feed(' b"}') == "? b"


def test_nothing_is_told_before_it_is_certain() -> None:
    reader = FreeTextReader()
    assert reader.feed(' { "input" :') == ""
    assert reader.feed(' "one\\') == "one"
    assert reader.feed("u00e") == ""
    assert reader.feed('9 two", ') == "é two"
    assert reader.feed('"more": 1}') == ""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("ls -l", "ls -l"),
        ('"ls -l"', "ls -l"),
        ('{"command": "ls"}', '{"command": "ls"}'),
        ('{"input": 5}', '{"input": 5}'),
        ('{"input": "cut o', '{"input": "cut o'),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_what_has_another_form_is_the_text_itself(arguments: str, text: str) -> None:
    assert text_of(arguments) == text
    FreeTextReader().feed(arguments)
