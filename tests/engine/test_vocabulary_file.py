"""Vocabularies without weights, and texts that llama.cpp would end the process over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.bpe_trainer import train_vocabulary, write_vocabulary_file
from tui.domain import EngineFault, ModelUnusable
from tui.engine.vocabulary_file import VocabularyFile
from tui.engine.vocabulary_runs import LONGEST_RUN, cut_long_runs

WORDS = ["hello", " world", " hello", "12", " !"] * 3


def make(path: Path, pre_tokenizer: str = "gpt-2") -> Path:
    return write_vocabulary_file(path / "words.gguf", train_vocabulary(WORDS, 20), pre_tokenizer)


def test_tokens_are_counted(tmp_path: Path) -> None:
    with VocabularyFile(make(tmp_path)) as file:
        assert file.count("hello world") == 2
        assert file.count("<|im_start|>hello") == 2
        assert file.count("") == 0


def test_a_closed_vocabulary_says_so(tmp_path: Path) -> None:
    file = VocabularyFile(make(tmp_path))
    file.close()
    file.close()
    with pytest.raises(EngineFault):
        file.count("x")


@pytest.mark.parametrize("pre_tokenizer", ["no such rules", "gpt-2"])
def test_files_that_llama_cpp_cannot_read_are_refused(tmp_path: Path, pre_tokenizer: str) -> None:
    path = make(tmp_path, pre_tokenizer)
    if pre_tokenizer == "gpt-2":
        path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ModelUnusable, match="cannot read the vocabulary"):
        VocabularyFile(path)


def test_a_vocabulary_that_ends_the_process_ends_the_childs(tmp_path: Path) -> None:
    """Two equal tokens fail an assertion of llama.cpp."""
    vocabulary = train_vocabulary(WORDS, 20)
    vocabulary.tokens[300 - 40] = vocabulary.tokens[0]
    path = write_vocabulary_file(tmp_path / "twice.gguf", vocabulary, "gpt-2")
    with pytest.raises(ModelUnusable, match="cannot read the vocabulary"):
        VocabularyFile(path)


@pytest.mark.parametrize("pre_tokenizer", ["gpt-4o", "deepseek-v3"])
@pytest.mark.parametrize("unit", ["a", "世", " ", "'"])
def test_endless_words_do_not_end_the_process(tmp_path: Path, pre_tokenizer: str, unit: str) -> None:
    with VocabularyFile(make(tmp_path, pre_tokenizer)) as file:
        assert file.count(unit * 200_000) >= 1
        tokens = file.vocabulary.tokenize(f"<|im_start|>{unit * 100_000}<|im_end|>")
        assert file.vocabulary.text(tokens) == f"<|im_start|>{unit * 100_000}<|im_end|>"


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("", [0]),
        ("a b", [3]),
        ("a" * LONGEST_RUN, [LONGEST_RUN]),
        ("a" * (LONGEST_RUN + 1), [LONGEST_RUN, 1]),
        ("x " + " " * 2 * LONGEST_RUN, [LONGEST_RUN + 1, LONGEST_RUN, 1]),
        ("世" * 7_000 + "，" + "界" * 7_000, [7_000, 7_001]),
    ],
)
def test_cutting(text: str, lengths: list[int]) -> None:
    pieces = cut_long_runs(text)
    assert [len(piece) for piece in pieces] == lengths
    assert "".join(pieces) == text
