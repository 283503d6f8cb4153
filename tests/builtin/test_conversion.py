"""The conversion of the embedding model, on a small random model of the same form."""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy
import pytest
from click.testing import CliRunner
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from tui.builtin.embedding_model.__main__ import main
from tui.builtin.embedding_model.convert import write_model
from tui.builtin.embedding_model.reference import Reference
from tui.builtin.embedding_model.sentences import sentences
from tui.builtin.embedding_model.source import open_source
from tui.domain import BadRequest

MARKERS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = ("the", "model", "##s", "cat", "##ty", "?", "a", "##a", "1", "##0")
WIDTH, INNER, LAYERS, HEADS, CONTEXT = 32, 64, 2, 4, 512


def random_weights() -> dict[str, Any]:
    random = numpy.random.default_rng(1)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(MARKERS + WORDS), WIDTH),
        "embeddings.position_embeddings.weight": (CONTEXT, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
        "pooler.dense.weight": (WIDTH, WIDTH),
    }
    for layer in range(LAYERS):
        for name, rows, columns in (
            *((f"attention.self.{part}", WIDTH, WIDTH) for part in ("query", "key", "value")),
            ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", INNER, WIDTH),
            ("output.dense", WIDTH, INNER),
        ):
            shapes[f"encoder.layer.{layer}.{name}.weight"] = (rows, columns)
            shapes[f"encoder.layer.{layer}.{name}.bias"] = (rows,)
        for name in ("attention.output", "output"):
            shapes[f"encoder.layer.{layer}.{name}.LayerNorm.weight"] = (WIDTH,)
            shapes[f"encoder.layer.{layer}.{name}.LayerNorm.bias"] = (WIDTH,)
    return {name: random.normal(0, 0.5, shape).astype(numpy.float32) for name, shape in shapes.items()}


def write_safetensors(path: Path, weights: dict[str, Any]) -> None:
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, array in weights.items():
        offsets = [len(data), len(data) + array.nbytes]
        kind = "F32" if array.dtype == numpy.float32 else "I64"
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": offsets}  # type: ignore[dict-item]
        data += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a download has: a model two folders down."""
    place = tmp_path / "package" / "model"
    place.mkdir(parents=True)
    vocabulary = [*MARKERS, *WORDS]
    config = {
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "max_position_embeddings": CONTEXT,
        "layer_norm_eps": 1e-12,
        "type_vocab_size": 2,
    }
    (place / "config.json").write_text(json.dumps(config))
    (place / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    tokenizer = Tokenizer(models.WordPiece({token: n for n, token in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(list(MARKERS))
    tokenizer.enable_padding(length=64)
    tokenizer.save(str(place / "tokenizer.json"))
    weights = random_weights()
    write_safetensors(place / "model.safetensors", {"position_ids": numpy.arange(CONTEXT)[None], **weights})
    return tmp_path / "package"


def test_file_card_and_vectors(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.builtin.embedding_model.__main__.sentences", lambda: sentences()[::10])
    vectors = tmp_path / "vectors.json"
    done = CliRunner().invoke(main, [str(folder), "--out", str(tmp_path), "--vectors", str(vectors)])
    assert done.exit_code == 0, done.output
    assert "cosine at least 0.99" in done.output
    assert len(json.loads(vectors.read_text())) == 2
    card = (tmp_path / "embedding.md").read_text()
    assert "on 20 texts" in card
    assert hashlib.sha256((tmp_path / "embedding.gguf").read_bytes()).hexdigest() in card


def test_a_folder_and_a_wheel_make_the_same_file(folder: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "model.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        for file in folder.rglob("*.*"):
            packed.write(file, file.relative_to(folder))
    digests = set()
    for number, place in enumerate((folder, wheel)):
        with open_source(place) as source:
            digests.add(write_model(source, tmp_path / f"{number}.gguf", "q8_0"))
    assert len(digests) == 1


def test_the_reference_is_not_padded_and_has_length_one(folder: Path) -> None:
    with open_source(folder) as source:
        reference = Reference(source)
        tokens = reference.tokens("The CATTY models?")
        assert [source.vocabulary[token] for token in tokens] == [
            "[CLS]", "the", "cat", "##ty", "model", "##s", "?", "[SEP]",
        ]  # fmt: skip
        assert numpy.linalg.norm(reference.vector(tokens)) == pytest.approx(1.0, abs=1e-5)
        assert "pooler.dense.weight" in source.weights
        assert "position_ids" not in source.weights


@pytest.mark.parametrize("missing", ["model.safetensors", "vocab.txt"])
def test_what_is_missing_is_named(folder: Path, missing: str) -> None:
    (folder / "model" / missing).unlink()
    with pytest.raises(BadRequest, match=missing), open_source(folder):
        pass


def test_something_else_than_a_model_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("x")
    with pytest.raises(BadRequest, match="neither"), open_source(other):
        pass


def test_there_are_two_hundred_different_texts() -> None:
    assert len(set(sentences())) == 200
