"""Author and licence among the words of a search."""

from __future__ import annotations

import pytest

from tests.models.fake_hub import FakeHub
from tui.models.hub import Hub
from tui.models.hub.search_words import SearchWords, parse_search


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  qwen   coder ", SearchWords("qwen coder")),
        ("qwen author:bartowski coder", SearchWords("qwen coder", "bartowski")),
        ("licence:MIT", SearchWords("", "", "mit")),
        ("License:apache-2.0 Author:Qwen", SearchWords("", "Qwen", "apache-2.0")),
        ("author:one author:two", SearchWords("", "two")),
        ("author: qwen licence:", SearchWords("qwen")),
        ("step:1 nonsense:x", SearchWords("step:1 nonsense:x")),
        ("author:a:b", SearchWords("", "a:b")),
    ],
)
def test_words_are_taken_apart(text: str, expected: SearchWords) -> None:
    assert parse_search(text) == expected


def test_the_hub_narrows_by_author_and_licence_on_every_page(fake: FakeHub, hub: Hub) -> None:
    for number in range(40):
        fake.add(f"one/tiny-{number:02}-GGUF", {}, licence="mit")
        fake.add(f"two/tiny-{number:02}-GGUF", {}, licence="mit" if number % 2 else "gemma")
    fake.add("two/tiny-raw", {}, licence="mit", tags=("safetensors",))
    found = [one for page in hub.search("tiny author:two licence:mit") for one in page]
    assert len(found) == 20
    assert {(one.id.partition("/")[0], one.licence) for one in found} == {("two", "mit")}
    assert [len(page) for page in hub.search("licence:mit")] == [30, 30]
