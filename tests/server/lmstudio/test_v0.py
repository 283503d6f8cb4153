"""The older interface: OpenAI's shapes with figures beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.server.conftest import ANSWER, Running


@pytest.fixture
def v0(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{running.url}/api/v0", timeout=60) as client:
        yield client


def check_extras(answer: dict[str, Any]) -> None:
    assert answer["stats"]["tokens_per_second"] > 0
    assert answer["stats"]["generation_time"] > 0
    assert answer["model_info"] == {"arch": "llama", "quant": "F16", "format": "gguf", "context_length": 2048}
    assert answer["runtime"]["name"].startswith("llama.cpp-")
    assert answer["runtime"]["supported_formats"] == ["gguf"]


def test_answers_have_figures(v0: httpx.Client) -> None:
    body = {"model": "talker", "messages": [{"role": "user", "content": "Hi"}]}
    answer = v0.post("/chat/completions", json=body).json()
    assert answer["choices"][0]["message"]["content"] == ANSWER
    assert answer["stats"]["stop_reason"] == "eosFound"
    check_extras(answer)
    short = v0.post("/completions", json={"model": "talker", "prompt": "x", "max_tokens": 3}).json()
    assert short["object"] == "text_completion"
    assert short["stats"]["stop_reason"] == "maxPredictedTokensReached"
    check_extras(short)


@pytest.mark.parametrize(
    ("path", "prompt"),
    [("/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]}), ("/completions", {"prompt": "x"})],
)
def test_the_last_chunk_has_them_too(v0: httpx.Client, path: str, prompt: dict[str, Any]) -> None:
    answer = v0.post(path, json={"model": "talker", "stream": True, "max_tokens": 4, **prompt}).text
    lines = [line.removeprefix("data: ") for line in answer.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    check_extras(chunks[-1])
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"
    assert not any("stats" in chunk for chunk in chunks[:-1])


def test_vectors(v0: httpx.Client) -> None:
    answer = v0.post("/embeddings", json={"model": "embedder", "input": ["the cat", "a dog"]}).json()
    assert len(answer["data"]) == 2


def test_models_have_their_state(running: Running, v0: httpx.Client) -> None:
    running.workbench.unload("talker")
    running.workbench.provide("thinker").__enter__().release()
    models = {model["id"]: model for model in v0.get("/models").json()["data"]}
    assert models["talker"]["state"] == "not-loaded"
    assert models["thinker"] == {
        "id": "thinker",
        "object": "model",
        "type": "llm",
        "publisher": "",
        "arch": "llama",
        "compatibility_type": "gguf",
        "quantization": "F16",
        "state": "loaded",
        "max_context_length": 2048,
        "loaded_context_length": 2048,
    }
    assert models["embedder"]["type"] == "embeddings"
    assert v0.get("/models/thinker").json() == models["thinker"]
    assert v0.get("/models/missing").status_code == 404


def test_mistakes_have_openais_shape(v0: httpx.Client) -> None:
    error = v0.post("/chat/completions", json={"model": "talker", "messages": []}).json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "messages")
