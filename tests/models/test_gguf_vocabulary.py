"""Reading the tokenizer of a GGUF file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.bpe_trainer import train_vocabulary, write_vocabulary_file
from tests.support.gguf_file import write_gguf
from tui.domain import ModelUnusable
from tui.models import read_vocabulary

VOCABULARY = train_vocabulary(["hello", " wörld", " 世界"], 12)


def test_what_the_file_says(tmp_path: Path) -> None:
    path = write_vocabulary_file(tmp_path / "v.gguf", VOCABULARY, "qwen2", "Some name")
    read = read_vocabulary(path)
    assert (read.kind, read.pre_tokenizer, read.model_name) == ("gpt2", "qwen2", "Some name")
    assert read.tokens == tuple(VOCABULARY.tokens)
    assert read.types == tuple(VOCABULARY.types)
    assert read.merges == tuple(VOCABULARY.merges)
    end = VOCABULARY.id("<|endoftext|>")
    assert read.special == {"bos": end, "eos": end}


def test_roles_have_their_newer_names_and_must_be_tokens(tmp_path: Path) -> None:
    header = {
        "tokenizer.ggml.tokens": ["a", "b"],
        "tokenizer.ggml.prefix_token_id": 1,
        "tokenizer.ggml.eos_token_id": 7,
        "tokenizer.ggml.token_type": [1],
    }
    read = read_vocabulary(write_gguf(tmp_path / "v.gguf", "llama", header, {}))
    assert read.special == {"fim_pre": 1}
    assert read.types == ()


def test_damage_is_told(tmp_path: Path) -> None:
    path = write_vocabulary_file(tmp_path / "v.gguf", VOCABULARY, "qwen2")
    data = path.read_bytes()
    for length in range(0, len(data) - 64, 997):
        path.write_bytes(data[:length])
        try:
            read_vocabulary(path)
        except ModelUnusable:
            continue
        # Behind the tokenizer there is only padding.
        assert length > len(data) - 200
    for place in range(0, 600, 3):
        path.write_bytes(data[:place] + b"\xff" + data[place + 1 :])
        with suppress(ModelUnusable):
            read_vocabulary(path)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"nonsense and more", b"GGUF\x09\x00\x00\x00" + b"\0" * 40])
def test_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "v.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelUnusable):
        read_vocabulary(path)
    with pytest.raises(ModelUnusable, match="cannot be read"):
        read_vocabulary(tmp_path / "nothing.gguf")
    with pytest.raises(ModelUnusable, match="not a regular file"):
        read_vocabulary(tmp_path)


def test_a_file_without_a_vocabulary(tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="no vocabulary"):
        read_vocabulary(write_gguf(tmp_path / "v.gguf", "llama", {"tokenizer.ggml.tokens": "text"}, {}))
