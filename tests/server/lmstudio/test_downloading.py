"""Downloading through LM Studio's REST interface."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.models.fake_hub import FakeHub, fake_hub
from tests.models.hub_models import noise, publish_tiny
from tui.domain import ServerOptions
from tui.paths import Paths
from tui.server import Server
from tui.workbench import Workbench

NAME = "maker/tiny-GGUF"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with fake_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        publish_tiny(hub, tmp_path)
        yield hub


@pytest.fixture
def api(hub: FakeHub, tmp_path: Path) -> Iterator[httpx.Client]:  # noqa: ARG001
    workbench = Workbench(Paths(tmp_path / "data", tmp_path / "cache", tmp_path / "logs"))
    server = Server(workbench)
    server.start(ServerOptions(port=0), remember=False)
    with httpx.Client(base_url=f"{server.state.address}/api/v1", timeout=60) as client:
        yield client
    server.close()
    workbench.close()


def until_done(api: httpx.Client, job: str) -> dict[str, Any]:
    end = time.monotonic() + 20
    while True:
        body: dict[str, Any] = api.get(f"/models/download/status/{job}").json()
        if body["status"] != "downloading":
            return body
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_download_from_beginning_to_end(api: httpx.Client, hub: FakeHub) -> None:
    hub.chunk, hub.delay = 20_000, 0.1
    begun = api.post("/models/download", json={"model": NAME, "quantization": "Q8_0"}).json()
    assert set(begun) == {"job_id", "status", "total_size_bytes", "started_at"}
    assert begun["status"] == "downloading"
    assert begun["total_size_bytes"] == len(hub.repositories[NAME].data("tiny-Q8_0.gguf"))
    going = api.get(f"/models/download/status/{begun['job_id']}").json()
    assert {"job_id", "status", "total_size_bytes", "downloaded_bytes", "started_at", "bytes_per_second"} <= set(going)
    assert (
        api.post("/models/download", json={"model": NAME, "quantization": "q8_0"}).json()["job_id"] == begun["job_id"]
    )
    done = until_done(api, begun["job_id"])
    assert done["status"] == "completed"
    assert done["downloaded_bytes"] == done["total_size_bytes"]
    assert datetime.fromisoformat(done["completed_at"]) >= datetime.fromisoformat(done["started_at"])
    assert done["started_at"].endswith("Z")
    again = api.post("/models/download", json={"model": f"{hub.url}/{NAME}", "quantization": "Q8_0"}).json()
    assert again == {"status": "already_downloaded"}
    assert [model["key"] for model in api.get("/models").json()["models"]] == ["tiny-q8_0"]


def test_without_a_quantisation_the_recommended_one_comes(api: httpx.Client) -> None:
    begun = api.post("/models/download", json={"model": NAME}).json()
    assert until_done(api, begun["job_id"])["status"] == "completed"
    assert [model["quantization"]["name"] for model in api.get("/models").json()["models"]] == ["Q4_0"]


def test_a_download_that_fails_says_why(api: httpx.Client, hub: FakeHub) -> None:
    hub.add("maker/gated", {"x-Q8_0.gguf": noise("x", 1000)}, gated="auto")
    begun = api.post("/models/download", json={"model": "maker/gated"}).json()
    failed = until_done(api, begun["job_id"])
    assert failed["status"] == "failed"
    assert "accept its terms" in failed["problem"]


@pytest.mark.parametrize(
    ("body", "status", "kind", "said"),
    [
        ({}, 400, "invalid_request", "required"),
        ({"model": "some words"}, 400, "invalid_request", "names no repository"),
        ({"model": "maker/none"}, 404, "model_not_found", "no repository"),
        ({"model": NAME, "quantization": "Q5_K_M"}, 404, "model_not_found", "It has: Q4_0"),
        ({"model": NAME, "folder": "/tmp"}, 400, "invalid_request", "folder"),
    ],
)
def test_what_cannot_be_downloaded(api: httpx.Client, body: dict[str, str], status: int, kind: str, said: str) -> None:
    answer = api.post("/models/download", json=body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["type"] == kind
    assert said in error["message"]


def test_an_unknown_job(api: httpx.Client) -> None:
    answer = api.get("/models/download/status/job_493c7c9ded")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "job_not_found"


def test_a_hub_that_is_away(api: httpx.Client, hub: FakeHub) -> None:
    hub.close()
    answer = api.post("/models/download", json={"model": NAME})
    assert answer.status_code == 502
    assert "cannot be reached" in answer.json()["error"]["message"]
