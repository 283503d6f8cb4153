"""Presets and the defaults of models, in every dialect and however the model came to be loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.conftest import ASKING, MESSAGES, Running
from tui.domain import GenerationRequest, LoadConfig, ServerOptions
from tui.inference import Generation
from tui.paths import Paths
from tui.server import Server
from tui.workbench import Workbench

LOAD = {"load.context_length": 1024, "load.parallel": 2, "load.threads": 1}


@pytest.fixture(scope="module")
def alone(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("defaults")
    (root / "models").symlink_to(models_folder)
    workbench = Workbench(Paths(root, root / "cache", root / "logs"))
    workbench.decisions.defaults.save("talker", {**LOAD, "sampling.temperature": 0.3, "sampling.top_k": 7})
    workbench.decisions.defaults.save("embedder", {"load.threads": 1, "load.context_length": 128})
    workbench.decisions.presets.create("Kind", {"sampling.temperature": 0.6, "answer.system_prompt": "Be kind."})
    server = Server(workbench)
    server.start(ServerOptions(port=0, auto_evict=False))
    yield Running(server, workbench)
    server.close()
    workbench.close()


@pytest.fixture
def client(alone: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=alone.url, timeout=60) as client:
        yield client


@pytest.fixture
def asked(alone: Running, monkeypatch: pytest.MonkeyPatch) -> list[Generation]:
    """The generations that requests set off."""
    found: list[Generation] = []
    generate = alone.workbench.generate

    def remembered(request: GenerationRequest) -> Generation:
        found.append(generate(request))
        return found[-1]

    monkeypatch.setattr(alone.workbench, "generate", remembered)
    return found


@pytest.mark.parametrize("path", ASKING)
def test_a_request_takes_the_models_defaults_and_a_preset(
    client: httpx.Client, alone: Running, asked: list[Generation], path: str
) -> None:
    alone.workbench.unload("talker")
    body = {"model": "talker", **ASKING[path]}
    assert client.post(path, json=body).status_code == 200
    (model,) = (one for one in alone.workbench.loaded() if one.key == "talker")
    assert (model.config.context_length, model.config.parallel, model.config.threads) == (1024, 2, 1)
    assert client.post(path, json={**body, "preset": "Kind"}).status_code == 200
    assert client.post(path, json={**body, "preset": "Kind", "temperature": 0.8, "top_k": 40}).status_code == 200
    chosen = [(one.request.sampling.temperature, one.request.sampling.top_k) for one in asked]
    assert chosen == [(0.3, 7), (0.6, 7), (0.8, 40)]
    told = ["Be kind." in one.prompt for one in asked]
    assert told == ([False] * 3 if path.endswith("/completions") and "chat" not in path else [False, True, True])


@pytest.mark.parametrize("path", ASKING)
def test_an_unknown_preset_is_a_bad_request(client: httpx.Client, path: str) -> None:
    refused = client.post(path, json={"model": "talker", **ASKING[path], "preset": "None"})
    assert refused.status_code == 400
    assert "preset" in refused.text


def test_streams_take_them_too(client: httpx.Client, asked: list[Generation]) -> None:
    body = {"model": "talker", "messages": MESSAGES, "stream": True, "preset": "@local:kind"}
    assert "[DONE]" in client.post("/v1/chat/completions", json=body).text
    assert asked[0].request.sampling.temperature == 0.6


def test_a_request_that_loads_says_only_what_it_wants(client: httpx.Client, alone: Running) -> None:
    alone.workbench.unload("talker")
    body = {"model": "talker", "messages": MESSAGES, "num_ctx": 512, "max_tokens": 2}
    assert client.post("/v1/chat/completions", json=body).status_code == 200
    (model,) = (one for one in alone.workbench.loaded() if one.key == "talker")
    assert (model.config.context_length, model.config.parallel) == (512, 2)


def test_loading_over_rest_takes_them_where_it_is_silent(client: httpx.Client, alone: Running) -> None:
    alone.workbench.unload("talker")
    loaded = client.post("/api/v1/models/load", json={"model": "talker", "parallel": 3}).json()
    assert (loaded["load_config"]["context_length"], loaded["load_config"]["parallel"]) == (1024, 3)


def test_another_instance_has_the_models_defaults(
    client: httpx.Client, alone: Running, asked: list[Generation]
) -> None:
    alone.workbench.load("talker", LoadConfig(threads=1), identifier="second")
    body = {"model": "second", "messages": MESSAGES, "max_tokens": 2}
    assert client.post("/v1/chat/completions", json=body).status_code == 200
    assert asked[0].request.sampling.temperature == 0.3
    alone.workbench.unload("second")


def test_models_for_vectors_are_loaded_with_theirs(client: httpx.Client, alone: Running) -> None:
    assert client.post("/v1/embeddings", json={"model": "embedder", "input": "Hi"}).status_code == 200
    (model,) = (one for one in alone.workbench.loaded() if one.key == "embedder")
    assert model.config.context_length == 128
