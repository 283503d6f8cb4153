"""Models over HTTP: listed, loaded with all parameters, several times, reused, unloaded."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import httpx
import pytest

from tests.server.conftest import ANSWER, Running
from tests.server.lmstudio.reading import example, misfits, table
from tui.domain import Cancelled, LoadConfig
from tui.server.lmstudio import loading
from tui.server.lmstudio.listing import params_string
from tui.server.lmstudio.loading import LoadRequest
from tui.server.services import Services

SMALL = {"model": "talker", "context_length": 512, "threads": 1}


@pytest.fixture(autouse=True)
def _nothing_loaded(running: Running) -> None:
    for model in running.workbench.loaded():
        running.workbench.unload(model.key)


def loaded(running: Running) -> list[str]:
    return [model.key for model in running.workbench.loaded()]


def test_models_are_described_as_documented(documented: list[dict[str, Any]], api: httpx.Client) -> None:
    api.post("/models/load", json=SMALL)
    models = api.get("/models").json()["models"]
    (fields_of_one,) = (field["children"] for field in table(documented, "list", "Response fields"))
    assert [misfits(model, fields_of_one) for model in models] == [[]] * len(models)
    by_key = {model["key"]: model for model in models}
    assert {"talker", "thinker", "embedder"} <= set(by_key)
    shapes = {model["type"]: set(model) for model in example(documented, "list")["models"][1:]}
    assert set(by_key["talker"]) == shapes["llm"]
    assert set(by_key["embedder"]) == shapes["embedding"]
    (instance,) = by_key["talker"]["loaded_instances"]
    assert instance["id"] == "talker"
    assert instance["config"]["context_length"] == 512
    assert by_key["thinker"]["loaded_instances"] == []
    assert by_key["talker"]["max_context_length"] == 2048


def test_loading_answers_as_documented_and_with_everything_else(
    documented: list[dict[str, Any]], api: httpx.Client
) -> None:
    asked = {field["name"] for field in table(documented, "load", "Request body")}
    names = set(LoadRequest.model_json_schema(by_alias=True)["properties"])
    assert asked <= names
    answer = api.post("/models/load", json={**SMALL, "echo_load_config": True}).json()
    assert misfits(answer, table(documented, "load", "Response fields")) == []
    given = example(documented, "load")
    assert set(given) == set(answer)
    assert set(given["load_config"]) - {"num_experts"} <= set(answer["load_config"]), "it is no mixture of experts"
    assert {field.name for field in fields(LoadConfig)} <= set(answer["load_config"])


def test_the_configuration_is_what_was_really_loaded(running: Running, api: httpx.Client) -> None:
    asked = {
        **SMALL,
        "eval_batch_size": 256,
        "flash_attention": False,
        "offload_kv_cache_to_gpu": False,
        "parallel": 2,
        "key_cache_type": "f32",
        "tensor_overrides": [["blk.*", "CPU"]],
        "seed": 7,
    }
    config = api.post("/models/load", json=asked).json()["load_config"]
    for name in ("context_length", "eval_batch_size", "flash_attention", "offload_kv_cache_to_gpu", "parallel"):
        assert config[name] == asked[name]
    assert config["physical_batch_size"] == 256, "llama.cpp makes it no larger than the batch"
    assert (config["key_cache_type"], config["seed"], config["threads"]) == ("f32", 7, 1)
    (model,) = running.workbench.loaded()
    assert model.config == LoadConfig(
        context_length=512,
        threads=1,
        evaluation_batch_size=256,
        flash_attention="off",
        offload_kv_cache=False,
        parallel=2,
        key_cache_type="f32",
        tensor_overrides=(("blk.*", "CPU"),),
        seed=7,
    )
    own = {"model": "thinker", "threads": 1, "evaluation_batch_size": 128, "flash_attention": "on"}
    config = api.post("/models/load", json=own).json()["load_config"]
    assert (config["eval_batch_size"], config["flash_attention"]) == (128, True)


def test_a_second_load_makes_a_second_instance(running: Running, api: httpx.Client) -> None:
    ids = [api.post("/models/load", json=SMALL).json()["instance_id"] for _ in range(3)]
    assert ids == ["talker", "talker:2", "talker:3"] == loaded(running)
    listed = next(model for model in api.get("/models").json()["models"] if model["key"] == "talker")
    assert [instance["id"] for instance in listed["loaded_instances"]] == ids
    answer = api.post("/chat", json={"model": "talker:2", "input": "Hi"}).json()
    assert (answer["model_instance_id"], answer["output"][0]["content"]) == ("talker:2", ANSWER)
    assert api.post("/models/unload", json={"instance_id": "talker:2"}).json() == {"instance_id": "talker:2"}
    assert loaded(running) == ["talker", "talker:3"]


def test_an_instance_can_be_reused_and_named(running: Running, api: httpx.Client) -> None:
    first = api.post("/models/load", json={**SMALL, "identifier": "mine"}).json()
    assert first["instance_id"] == "mine"
    again = api.post("/models/load", json={**SMALL, "reuse": True}).json()
    assert again["instance_id"] == "mine"
    other = api.post("/models/load", json={**SMALL, "context_length": 256, "reuse": True}).json()
    assert other["instance_id"] == "talker"
    assert loaded(running) == ["mine", "talker"]
    running.workbench.unload("talker")
    asked = api.post("/chat", json={"model": "talker", "input": "Hi"}).json()
    assert asked["model_instance_id"] == "mine", "nobody loads a model twice without wanting to"
    for taken in ("mine", "thinker", "../x", ""):
        error = api.post("/models/load", json={**SMALL, "identifier": taken}).json()["error"]
        assert error["param"] == "identifier"


def test_an_embedding_model_is_loaded_as_one(running: Running, api: httpx.Client) -> None:
    answer = api.post("/models/load", json={"model": "embedder", "identifier": "vectors"}).json()
    assert (answer["type"], answer["instance_id"]) == ("embedding", "vectors")
    found = httpx.post(f"{running.openai}/embeddings", json={"model": "vectors", "input": "the cat"})
    assert found.status_code == 200
    assert loaded(running) == ["vectors"]


@pytest.mark.parametrize(
    ("changes", "kind", "param"),
    [
        ({"gpu": "max"}, "invalid_request", "gpu"),
        ({"context_length": "long"}, "invalid_request", "context_length"),
        ({"context_length": -5}, "invalid_request", "context_length"),
        ({"num_experts": 4}, "invalid_request", "num_experts"),
        ({"eval_batch_size": 0}, "invalid_request", "eval_batch_size"),
        ({"key_cache_type": "q9"}, "invalid_request", "key_cache_type"),
        ({"ttl": 0}, "invalid_request", "ttl"),
        ({"lora": [["/etc/passwd", 1.0]]}, "invalid_request", "lora.0"),
        ({"projector": "../../secret.gguf"}, "invalid_request", "projector"),
        ({"draft_model": "/etc/passwd", "speculation": "draft"}, "model_not_found", "model"),
        ({"model": "missing"}, "model_not_found", "model"),
        ({"model": "./talker.gguf"}, "model_not_found", "model"),
    ],
)
def test_mistakes_name_the_field_and_load_nothing(
    running: Running, api: httpx.Client, changes: dict[str, Any], kind: str, param: str
) -> None:
    answer = api.post("/models/load", json={**SMALL, **changes})
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == (kind, param), error
    assert answer.status_code in (400, 404)
    assert loaded(running) == []


def test_a_load_that_nobody_waits_for_any_more_is_given_up(running: Running) -> None:
    services = Services(running.workbench, running.server.log, running.server.tokens, lambda: running.server.options)
    with pytest.raises(Cancelled):
        loading.load(services, LoadRequest.model_validate(SMALL), lambda: False)
    assert loaded(running) == []


def test_what_is_not_loaded_cannot_be_unloaded(api: httpx.Client) -> None:
    answer = api.post("/models/unload", json={"instance_id": "talker"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "model_not_found")
    assert api.post("/models/unload", json={"model": "talker"}).json()["error"]["param"] == "instance_id"


def test_numbers_of_weights() -> None:
    sizes = {0: None, 512: "512", 265_000: "265K", 137_000_000: "137M", 1_720_000_000: "1.7B", 70_600_000_000: "71B"}
    assert {size: params_string(size) for size in sizes} == sizes
