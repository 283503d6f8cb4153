"""Who may come in, and what the refused are told."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from tests.server.conftest import Running
from tui.domain import ServerOptions

CHAT = {"model": "talker", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2}


@pytest.fixture
def changed(running: Running) -> Iterator[Running]:
    """The server, whose options are put back afterwards."""
    before = running.server.options
    yield running
    running.server.change(before)


def options(running: Running, **changes: object) -> ServerOptions:
    changed = replace(running.server.options, **changes)  # type: ignore[arg-type]
    running.server.change(changed)
    return changed


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "app.localhost", socket.gethostname()])
def test_own_names_and_addresses_are_served(running: Running, host: str) -> None:
    answer = httpx.get(f"{running.url}/health", headers={"Host": f"{host}:1234"})
    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io"])
def test_rebound_names_are_not(running: Running, host: str) -> None:
    answer = httpx.post(f"{running.openai}/chat/completions", json=CHAT, headers={"Host": host})
    assert answer.status_code == 403
    assert "not called" in answer.json()["error"]["message"]


def test_a_name_can_be_allowed(changed: Running) -> None:
    options(changed, extra_hosts=("models.example",))
    assert httpx.get(f"{changed.url}/health", headers={"Host": "models.example"}).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1.evil.example", 403),
        ("http://localhost:3000", 200),
        ("vscode-webview://abc", 200),
        ("app://obsidian.md", 200),
    ],
)
def test_pages_of_other_origins_are_kept_out(running: Running, origin: str, status: int) -> None:
    answer = httpx.post(f"{running.openai}/chat/completions", json=CHAT, headers={"Origin": origin})
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers


def test_cors_lets_them_in(changed: Running) -> None:
    options(changed, cors=True)
    headers = {"Origin": "https://page.example"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,authorization"}
    preflight = httpx.options(f"{changed.openai}/chat/completions", headers=headers | asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    answer = httpx.post(f"{changed.openai}/chat/completions", json=CHAT, headers=headers)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


def test_tokens_open_every_path_and_nothing_else_does(changed: Running) -> None:
    text = changed.server.tokens.create("laptop")
    reading = changed.server.tokens.create("reader", ("generate",))
    options(changed, require_tokens=True)

    def status(path: str, **headers: str) -> int:
        return httpx.get(changed.url + path, headers=headers).status_code

    assert status("/lmstudio-greeting") == 200
    assert [status(path) for path in ("/v1/models", "/health", "/metrics", "/openapi.json", "/nothing")] == [401] * 5
    assert status("/v1/models", Authorization=f"Bearer {text}") == 200
    assert status("/v1/models", **{"x-api-key": text}) == 200
    assert status("/v1/models", Authorization=f"Bearer {text.swapcase()}") == 401
    assert status("/v1/models", Authorization="Bearer sk-lm-aaaaaaaa:" + "b" * 20) == 401
    refused = httpx.post(f"{changed.url}/api/v1/models/unload", json={}, headers={"Authorization": f"Bearer {reading}"})
    assert refused.status_code == 403
    assert text not in changed.workbench.paths.tokens.read_text()
    token_id = next(token.id for token in changed.server.tokens.list() if token.name == "laptop")
    changed.server.tokens.revoke(token_id)
    assert status("/v1/models", Authorization=f"Bearer {text}") == 401


def test_large_deep_and_broken_bodies_are_refused(changed: Running) -> None:
    path = f"{changed.openai}/chat/completions"
    assert httpx.post(path, content=b"{").status_code == 400
    assert httpx.post(path, content=b"[]").status_code == 400
    assert httpx.post(path, content=b"\xff\xfe").status_code == 400
    deep = b'{"messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert httpx.post(path, content=deep).status_code == 400
    assert httpx.post(path, json={"messages": [{"role": "user", "content": "x", "y": _nested(150)}]}).status_code == 400
    options(changed, largest_body=2048)
    assert httpx.post(path, content=b" " * 4096).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(10):
            yield b" " * 1024

    assert httpx.post(path, content=pieces()).status_code == 413


def _nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def test_unknown_paths_and_methods_say_so(running: Running) -> None:
    for method, path in (("GET", "/v1/nothing"), ("GET", "/v1/chat/completions"), ("POST", "/else"), ("GET", "/")):
        answer = httpx.request(method, running.url + path)
        assert answer.status_code in (404, 405), path
        assert method in answer.text
        assert path in answer.text


def test_no_path_of_this_machine_leaves(running: Running) -> None:
    folder = str(running.workbench.paths.data)
    for body in ({"model": f"{folder}/models/talker.gguf"}, {"model": "../talker"}, {"model": "~/x.gguf"}):
        answer = httpx.post(f"{running.openai}/chat/completions", json={**CHAT, **body})
        assert answer.status_code == 404
    told = [httpx.get(running.url + path).text for path in ("/v1/models", "/metrics", "/openapi.json", "/health")]
    assert not any(folder in text for text in told)
