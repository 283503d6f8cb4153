"""Requests that name no model: the answer names the one that gave it, in every dialect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.conftest import ANSWER, ASKING
from tui.domain import ServerOptions
from tui.paths import Paths
from tui.server import Server
from tui.workbench import Workbench

NAMING = tuple(path for path in ASKING if path != "/api/v1/chat")
"""The dialects whose answers have a field for the model's name."""


@pytest.fixture(scope="module")
def client(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    root = tmp_path_factory.mktemp("unnamed")
    (root / "models").mkdir()
    (root / "models" / "talker.gguf").symlink_to(models_folder / "talker.gguf")
    workbench = Workbench(Paths(root, root / "cache", root / "logs"))
    server = Server(workbench)
    server.start(ServerOptions(port=0))
    with httpx.Client(base_url=server.state.address, timeout=60) as client:
        yield client
    server.close()
    workbench.close()


@pytest.mark.parametrize("named", [{}, {"model": ""}])
@pytest.mark.parametrize("path", NAMING)
def test_the_answer_names_its_model(client: httpx.Client, path: str, named: dict[str, str]) -> None:
    answer = client.post(path, json={**ASKING[path], **named}).json()
    assert answer["model"] == "talker"
    assert ANSWER in json.dumps(answer, ensure_ascii=False) or "completions" in path


@pytest.mark.parametrize("path", NAMING)
def test_so_does_every_chunk(client: httpx.Client, path: str) -> None:
    text = client.post(path, json={**ASKING[path], "stream": True}).text
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    models = [event["model"] for event in events if "model" in event]
    models += [event["response"]["model"] for event in events if "response" in event]
    assert models
    assert set(models) == {"talker"}
