"""The built-in embedding model: the vectors of the original, by way of the server, and what ships beside it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy
import openai
import pytest

from tui.builtin import EMBEDDING, BuiltInModels
from tui.domain import ServerOptions
from tui.paths import find_paths
from tui.server import Server
from tui.workbench import Workbench

VECTORS = json.loads((Path(__file__).parent / "embedding_vectors.json").read_text(encoding="utf-8"))
"""Texts with the original's tokens and vectors; `python -m tui.builtin.embedding_model` makes them."""


def original(entry: dict[str, str]) -> numpy.ndarray:
    vector = numpy.frombuffer(base64.b64decode(entry["vector"]), dtype="<f2").astype(numpy.float32)
    return vector / numpy.linalg.norm(vector)


@pytest.fixture
def file(really_built_in: Path) -> Path:  # noqa: ARG001
    return BuiltInModels().files()[EMBEDDING]


@pytest.fixture
def client(file: Path) -> Iterator[openai.OpenAI]:  # noqa: ARG001
    workbench = Workbench(find_paths())
    server = Server(workbench)
    server.start(ServerOptions(port=0))
    yield openai.OpenAI(base_url=f"{server.state.address}/v1", api_key="none", max_retries=0)
    server.close()
    workbench.close()


def test_its_vectors_are_those_of_the_original(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model=EMBEDDING, input=[entry["text"] for entry in VECTORS])
    assert len(VECTORS) == len(answer.data) == 20
    assert answer.usage.prompt_tokens == sum(len(entry["tokens"]) for entry in VECTORS)
    for entry, found in zip(VECTORS, answer.data, strict=True):
        assert original(entry) @ numpy.asarray(found.embedding) >= 0.999, entry["text"]


def test_texts_of_one_meaning_are_nearer_than_others(client: openai.OpenAI) -> None:
    texts = [
        "How do I download a model?",
        "Where can I get new models from?",
        "The cat sleeps on the warm keyboard.",
        "A cat lay down on the laptop because it was warm.",
    ]
    vectors = [numpy.asarray(found.embedding) for found in client.embeddings.create(model="", input=texts).data]
    models, cats = vectors[0] @ vectors[1], vectors[2] @ vectors[3]
    strangers = max(vectors[one] @ vectors[other] for one in (0, 1) for other in (2, 3))
    assert min(models, cats) > strangers + 0.3


def test_its_size_card_and_licence(file: Path) -> None:
    assert file.stat().st_size <= 46_000_000
    card = (file.parent / "embedding.md").read_text(encoding="utf-8")
    assert hashlib.sha256(file.read_bytes()).hexdigest() in card
    assert "Apache License" in (file.parent / "embedding.LICENSE").read_text(encoding="utf-8")
