"""Token counts without weights are llama.cpp's own, on text in many scripts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.bpe_trainer import train_vocabulary, write_vocabulary_file
from tests.support.vocabulary import WORDS, build_vocabulary
from tui.domain import ModelVocabulary
from tui.engine.vocabulary_file import VocabularyFile
from tui.formats import token_counter
from tui.models import read_vocabulary

TEXT = """The quick brown fox doesn't jump over the lazy dog; it's 12345 o'clock, I'LL SAY! 3.14159 and 2,000,000.
  Indented   text\twith tabs \r\n\r\n  and blank lines\n\n\n   x
def f(x, y=[1,2,3]):\n    return {"a": x**2, 'b': y[::-1]}  # comment…
Größe, façade, naïve; Привет, мир! Как дела? Ελληνικά κείμενα. עברית שלום עולם. مرحبا بالعالم ١٢٣.
हिन्दी में पाठ १२३। ภาษาไทยสวัสดี 你好，世界！这是一个测试。日本語のテキストです。カタカナ。한국어 문장입니다.
🙂👩\u200d👧🇩🇪 ∑∫√≠ “quotes” – dash — ½ ² Ⅷ ㎏ \u200b\u00a0\u3000\u2028 e\u0301 İstanbul ǅ ŉ
<|im_start|>user\nhi<|im_end|> <tool>x</tool> <|endoftext|>
<html class="x">&amp;</html> https://example.org/a?b=c&d=%20 $100 €50 #tag @user a_b_c
camelCase HTTPServer iPhone's we'RE
"""
_WORDS = TEXT.replace(" ", "\0 ").replace("\n", "\0\n").split("\0") * 3
_WORDS += ["12", "345", "\n\n", "   ", " \n", "!!", "?!"] * 6
TRAINED = train_vocabulary(_WORDS, 300)
NAMES = (
    "gpt-2",
    "llama-bpe",
    "dbrx",
    "qwen2",
    "qwen35",
    "laguna",
    "starcoder",
    "gpt-4o",
    "tekken",
    "deepseek-v3",
    "bailingmoe",
    "seed-coder",
    "minicpm5",
)
"""One for each set of rules."""


def _texts() -> Iterator[str]:
    """Pieces of the text, and characters of all scripts between words, numbers, spaces and markers."""
    yield TEXT
    yield ""
    yield from (TEXT[start : start + 60] for start in range(0, len(TEXT), 41))
    chance = random.Random(1)
    ranges = [(0x20, 0x7F), (0xA0, 0x250), (0x370, 0x600), (0x900, 0x980), (0x3040, 0xD7A0), (0xE000, 0x20000)]
    kinds: Sequence[Callable[[], str]] = (
        lambda: chr(chance.randrange(*chance.choice(ranges))),
        lambda: chance.choice(_WORDS),
        lambda: chance.choice(" \n\t\r'\u00a0"),
        lambda: chance.choice(["<|im_end|>", "<tool>", "'LL", "4567", "  \n", "<|im_"]),
    )
    for _ in range(60):
        yield "".join(chance.choice(kinds)() for _ in range(80))


@pytest.mark.parametrize("name", NAMES)
def test_equal_to_llama_cpp(name: str, tmp_path: Path) -> None:
    path = write_vocabulary_file(tmp_path / "words.gguf", TRAINED, name)
    counter = token_counter(read_vocabulary(path))
    assert counter is not None
    with VocabularyFile(path) as file:
        different = [(text, file.count(text), counter.count(text)) for text in _texts()]
    assert [found for found in different if found[1] != found[2]] == []
    assert sum(count for _, count, _ in different) > 5000


def _vocabulary(**changes: object) -> ModelVocabulary:
    vocabulary = ModelVocabulary("gpt2", "gpt-2", tuple(TRAINED.tokens), tuple(TRAINED.types), tuple(TRAINED.merges))
    return replace(vocabulary, **changes)  # type: ignore[arg-type]


def test_the_rules_matter() -> None:
    text = "it's 12345 o'clock"
    counters = [token_counter(_vocabulary(pre_tokenizer=name)) for name in NAMES]
    assert len({counter.count(text) for counter in counters if counter is not None}) > 2


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "llama"},
        {"pre_tokenizer": "superbpe"},
        {"pre_tokenizer": ""},
        {"model_name": "Phi-3 mini"},
        {"tokens": ("a", "b"), "types": ()},
        {"merges": ("a",)},
        {"merges": ("a zzz",)},
        {"merges": ("",)},
    ],
)
def test_what_is_left_to_llama_cpp(changes: dict[str, object]) -> None:
    assert token_counter(_vocabulary()) is not None
    assert token_counter(_vocabulary(**changes)) is None


def test_merges_that_did_not_come_of_training_are_left_to_llama_cpp(tmp_path: Path) -> None:
    """Here `the` is merged before ` the`, so that ` the` is a token which its own merges never make."""
    made = build_vocabulary(words=WORDS)
    path = write_vocabulary_file(tmp_path / "words.gguf", made, "gpt-2")
    counter = token_counter(read_vocabulary(path))
    assert counter is not None
    with VocabularyFile(path) as file:
        for text in ("the", "xyz", "and the", "that is it", TEXT):
            assert counter.count(text) in (None, file.count(text)), text
    assert counter.count("and the") is None
    assert counter.count("xyz") == 3


def test_markers_are_one_token_and_halves_of_characters_count() -> None:
    counter = token_counter(_vocabulary())
    assert counter is not None
    assert counter.count("<|im_start|><tool><|im_end|>") == 3
    plain = counter.count("<|im_start|>"[1:])
    assert plain is not None
    assert plain > 1
    assert counter.count("\ud800") == counter.count("?")


@pytest.mark.parametrize("unit", ["a", " ", "世", "\n", "'", "\x01"])
def test_endless_words_are_left_to_llama_cpp(unit: str) -> None:
    counter = token_counter(_vocabulary(pre_tokenizer="gpt-4o"))
    assert counter is not None
    assert counter.count(unit * 7_000) is not None
    assert counter.count(unit * 1_000_000) is None
