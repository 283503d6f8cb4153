"""All that a file says, for people, whatever is in it."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from tests.models.test_catalogue import put
from tests.support.raw_gguf import (
    FLOAT32,
    STRING,
    UINT8,
    RawTensor,
    array_value,
    real_value,
    small_model,
    text_value,
    texts_value,
)
from tests.support.stores import ollama_model
from tui.domain import ModelUnusable
from tui.models import Catalogue, known_sources, read_details, read_metadata


def test_all_kinds_of_values(tmp_path: Path) -> None:
    model = small_model().with_key("a.real", real_value(0.5)).with_key("a.text", text_value("one\ntwo\x1b[2J"))
    model = model.with_key("a.long", text_value("x" * 100_000))
    model = model.with_key("a.reals", array_value(FLOAT32, 12, struct.pack("<12f", *range(12))))
    model = model.with_key("a.none", array_value(UINT8, 0, b"")).with_key("a.texts", texts_value(["p", "q" * 100]))
    found = {item.key: item for item in read_metadata(put(tmp_path / "m.gguf", model))}
    assert found["general.architecture"].value == "llama"
    assert (found["llama.block_count"].kind, found["llama.block_count"].value) == ("u32", "1")
    assert found["a.real"].value == "0.5"
    assert found["a.text"].value == "one\ntwo [2J"
    assert (len(found["a.long"].value), found["a.long"].length) == (65_537, 100_000)
    assert (found["a.reals"].value, found["a.reals"].length) == ("[0, 1, 2, 3, 4, 5, 6, 7, …]", 12)
    assert (found["a.none"].value, found["a.none"].length) == ("[]", 0)
    assert found["a.texts"].value.startswith("['p', 'qqq")
    assert found["tokenizer.ggml.tokens"].kind == "array of text"
    assert len(found) == len(model.keys)


@pytest.mark.parametrize(
    "model",
    [
        replace(small_model(), key_count=10**9),
        replace(small_model(), version=9),
        small_model().with_key("a", struct.pack("<I", 99)),
        small_model().with_key("a", array_value(STRING, 10**9, b"")),
        small_model().with_key("a", array_value(77, 1, b"")),
        small_model().with_key("a", struct.pack("<IQ", STRING, 2**60)),
        replace(small_model(), magic=b"XXXX"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, model: object) -> None:
    path = put(tmp_path / "m.gguf", model)  # type: ignore[arg-type]
    with pytest.raises(ModelUnusable):
        read_metadata(path)


def test_details_of_a_model_with_a_readme_above_it(tmp_path: Path) -> None:
    put(tmp_path / "acme" / "M-GGUF" / "Q4" / "M-Q4_0.gguf")
    (tmp_path / "acme" / "M-GGUF" / "README.md").write_bytes(b"# Hello\xff")
    details = read_details(Catalogue([tmp_path]).find("m-q4_0"))
    assert details.readme.startswith("# Hello")
    assert details.tensors == "12 F32"
    assert details.metadata


def test_details_of_a_broken_file_say_why(tmp_path: Path) -> None:
    put(tmp_path / "m.gguf", small_model().with_tensor(0, RawTensor("a" * 500, (1,))))
    details = read_details(Catalogue([tmp_path]).models()[0])
    assert "claims to be 500 bytes" in details.problem
    assert not details.readme


def test_texts_of_ollama(tmp_path: Path) -> None:
    layers = {"model": small_model().encode(), "license": b"Do as you like.", "template": b"{{ .Prompt }}"}
    ollama_model(tmp_path / ".ollama" / "models", "m:1b", layers)
    model = Catalogue(known_sources(tmp_path / "own", [], {}, tmp_path)).find("m:1b")
    readme = read_details(model).readme
    assert "Do as you like." in readme
    assert "{{ .Prompt }}" in readme
