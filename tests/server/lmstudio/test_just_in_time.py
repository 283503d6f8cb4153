"""Models that requests load: when that may be, how long they stay, and who goes for whom."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.conftest import Running
from tests.support.model_maker import make_scripted_model
from tui.domain import ServerOptions
from tui.engine import LoadedModel
from tui.paths import Paths
from tui.server import Server
from tui.workbench import Workbench

MESSAGES = [{"role": "user", "content": "Hi"}]
ASKING: dict[str, dict[str, Any]] = {
    "/api/v1/chat": {"input": "Hi"},
    "/api/v0/chat/completions": {"messages": MESSAGES},
    "/v1/chat/completions": {"messages": MESSAGES},
    "/v1/completions": {"prompt": "Hi"},
}


@pytest.fixture(scope="module")
def alone(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of its own, as its options change."""
    root = tmp_path_factory.mktemp("alone")
    (root / "models").mkdir()
    for file in models_folder.iterdir():
        (root / "models" / file.name).symlink_to(file)
    make_scripted_model(root / "models" / "endless.gguf", "On and on. ", loop=True, context_length=65536)
    workbench = Workbench(Paths(root, root / "cache", root / "logs"))
    server = Server(workbench)
    server.start(ServerOptions(port=0))
    yield Running(server, workbench)
    server.close()
    workbench.close()


@pytest.fixture(autouse=True)
def _usual(alone: Running) -> None:
    alone.server.change(ServerOptions(port=0))
    for model in alone.workbench.loaded():
        alone.workbench.unload(model.key)


@pytest.fixture
def client(alone: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=alone.url, timeout=60) as client:
        yield client


def ask(client: httpx.Client, model: str, path: str = "/api/v1/chat", **more: Any) -> httpx.Response:
    limit = "max_output_tokens" if path == "/api/v1/chat" else "max_tokens"
    return client.post(path, json={"model": model, **ASKING[path], limit: 4, **more})


def keys(alone: Running) -> list[str]:
    return [model.key for model in alone.workbench.loaded()]


def the(alone: Running, key: str) -> LoadedModel:
    return next(model for model in alone.workbench.loaded() if model.key == key)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("path", ASKING)
def test_a_request_loads_its_model_for_an_hour(alone: Running, client: httpx.Client, path: str) -> None:
    assert ask(client, "talker", path).status_code == 200
    model = the(alone, "talker")
    assert (model.ttl, model.just_in_time) == (3600.0, True)


@pytest.mark.parametrize("path", ASKING)
def test_the_time_of_a_request_counts_only_if_it_loads(alone: Running, client: httpx.Client, path: str) -> None:
    assert ask(client, "talker", path, ttl=300).status_code == 200
    assert the(alone, "talker").ttl == 300
    assert ask(client, "talker", path, ttl=5).status_code == 200
    assert the(alone, "talker").ttl == 300


def test_vectors_load_their_model_as_well(alone: Running, client: httpx.Client) -> None:
    for path, ttl in (("/v1/embeddings", 60), ("/api/v0/embeddings", 5)):
        assert client.post(path, json={"model": "embedder", "input": "x", "ttl": ttl}).status_code == 200
    assert (the(alone, "embedder").ttl, the(alone, "embedder").just_in_time) == (60, True)


def test_the_servers_own_time_is_for_requests_that_name_none(alone: Running, client: httpx.Client) -> None:
    alone.server.change(replace(alone.server.options, just_in_time_ttl=None))
    ask(client, "talker")
    assert the(alone, "talker").ttl is None
    alone.server.change(replace(alone.server.options, just_in_time_ttl=77.0))
    ask(client, "thinker")
    assert the(alone, "thinker").ttl == 77.0


def test_a_second_model_takes_the_place_of_the_first(alone: Running, client: httpx.Client) -> None:
    for model in ("talker", "thinker", "random"):
        assert ask(client, model).status_code == 200
        assert keys(alone) == [model]
    alone.server.change(replace(alone.server.options, auto_evict=False))
    ask(client, "talker")
    assert keys(alone) == ["random", "talker"]


def test_what_was_loaded_by_hand_stays(alone: Running, client: httpx.Client) -> None:
    assert client.post("/api/v1/models/load", json={"model": "talker"}).status_code == 200
    by_hand = the(alone, "talker")
    assert (by_hand.ttl, by_hand.just_in_time) == (None, False)
    ask(client, "talker", ttl=1)
    for model in ("thinker", "random"):
        ask(client, model)
        assert keys(alone) == ["talker", model]
    assert by_hand.ttl is None
    client.post("/api/v1/models/load", json={"model": "random", "ttl": 50, "reuse": True})
    assert (the(alone, "random").ttl, the(alone, "random").just_in_time) == (50, False)
    ask(client, "thinker")
    assert keys(alone) == ["talker", "random", "thinker"]


def test_a_model_at_work_goes_when_it_has_done_its_work(alone: Running, client: httpx.Client) -> None:
    body = {"model": "endless", "input": "Hi", "stream": True, "context_length": 65536}
    with client.stream("POST", "/api/v1/chat", json=body) as answer:
        lines = answer.iter_lines()
        while "message.delta" not in next(lines):
            continue
        assert ask(client, "talker").status_code == 200
        assert keys(alone) == ["endless", "talker"]
        assert "delta" in "".join(next(lines) for _ in range(8)), "it goes on answering"
    wait_until(lambda: keys(alone) == ["talker"])


def test_unused_models_go_and_each_request_begins_their_time_anew(alone: Running, client: httpx.Client) -> None:
    ask(client, "talker", ttl=1.2)
    model = the(alone, "talker")
    began = model.last_used
    until = time.monotonic() + 1.8
    while time.monotonic() < until:
        ask(client, "talker")
        time.sleep(0.1)
    assert the(alone, "talker") is model, "it was in use all the time"
    assert model.last_used > began
    wait_until(lambda: keys(alone) == [])


def test_without_loading_by_requests_only_what_is_loaded_can_be_asked(alone: Running, client: httpx.Client) -> None:
    client.post("/api/v1/models/load", json={"model": "talker"})
    alone.server.change(replace(alone.server.options, just_in_time=False))
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["talker"]
    for path in ASKING:
        assert ask(client, "talker", path).status_code == 200
        refused = ask(client, "thinker", path)
        assert refused.status_code == 404
        assert "not loaded" in refused.json()["error"]["message"]
    refused = client.post("/v1/embeddings", json={"model": "embedder", "input": "x"})
    assert refused.status_code == 404
    assert keys(alone) == ["talker"]
    native = {model["key"] for model in client.get("/api/v1/models").json()["models"]}
    assert {"talker", "thinker"} <= native, "somebody has to know what can be loaded"


def test_a_longer_context_is_made_where_a_request_had_the_model_loaded(alone: Running, client: httpx.Client) -> None:
    ask(client, "talker", context_length=512)
    assert the(alone, "talker").context_length == 512
    ask(client, "talker", context_length=256)
    assert the(alone, "talker").context_length == 512, "there is room enough"
    assert ask(client, "talker", context_length=1024).status_code == 200
    assert the(alone, "talker").context_length == 1024
    alone.workbench.unload("talker")
    client.post("/api/v1/models/load", json={"model": "talker", "context_length": 512})
    refused = ask(client, "talker", context_length=1024)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "context_length")
    assert the(alone, "talker").context_length == 512


def test_clients_of_two_models_at_once_all_get_their_answers(alone: Running) -> None:
    answers: list[int] = []

    def go(number: int) -> None:
        with httpx.Client(base_url=alone.url, timeout=120) as client:
            models = [("talker", "thinker")[(number + turn) % 2] for turn in range(6)]
            answers.extend(ask(client, model).status_code for model in models)

    clients = [threading.Thread(target=go, args=(number,)) for number in range(4)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert answers == [200] * 24
    wait_until(lambda: len(keys(alone)) == 1)
