"""Vectors and ranking over HTTP."""

from __future__ import annotations

import httpx
import numpy
import openai
import pytest

from tests.server.conftest import Running


@pytest.fixture
def client(running: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=running.openai, api_key="none", max_retries=0)


def test_texts_tokens_and_both_encodings_give_the_same_vectors(client: openai.OpenAI, running: Running) -> None:
    texts = ["the cat", "a dog"]
    binary = client.embeddings.create(model="embedder", input=texts)  # the client asks for base64 by itself
    plain = client.embeddings.create(model="embedder", input=texts, encoding_format="float")
    for one, other in zip(binary.data, plain.data, strict=True):
        assert numpy.allclose(one.embedding, other.embedding, atol=1e-6)
        assert numpy.linalg.norm(one.embedding) == pytest.approx(1.0, abs=1e-5)
    loaded = next(model for model in running.workbench.loaded() if model.key == "embedder")
    tokens = loaded.vocabulary.tokenize("the cat", add_special=True)
    by_tokens = client.embeddings.create(model="embedder", input=[tokens], encoding_format="float")
    assert numpy.allclose(by_tokens.data[0].embedding, plain.data[0].embedding, atol=1e-6)
    assert by_tokens.usage.prompt_tokens == len(tokens)
    alone = client.embeddings.create(model="embedder", input="the cat", encoding_format="float")
    assert numpy.allclose(alone.data[0].embedding, plain.data[0].embedding, atol=1e-4)


def test_fewer_dimensions_have_unit_length_again(client: openai.OpenAI) -> None:
    vector = client.embeddings.create(model="embedder", input="the cat", dimensions=8).data[0].embedding
    assert len(vector) == 8
    assert numpy.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)
    with pytest.raises(openai.BadRequestError) as problem:
        client.embeddings.create(model="embedder", input="the cat", dimensions=99_999)
    assert problem.value.param == "dimensions"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": []}, "input"),
        ({"input": ""}, "input[0]"),
        ({"input": [[-1]]}, "input[0]"),
        ({"input": "x", "model": "talker"}, "model"),
        ({}, "input"),
    ],
)
def test_mistakes_name_the_field(running: Running, body: dict[str, object], param: str) -> None:
    answer = httpx.post(f"{running.openai}/embeddings", json={"model": "embedder", **body})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), answer.text


def test_documents_come_back_in_their_order_of_fitness(running: Running) -> None:
    body = {"model": "reranker", "query": "cat", "documents": ["dog", {"text": "the cat"}, "it"], "top_n": 2}
    answer = httpx.post(f"{running.openai}/rerank", json={**body, "return_documents": True}).json()
    scores = [result["relevance_score"] for result in answer["results"]]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 2
    assert all(result["document"]["text"] for result in answer["results"])
