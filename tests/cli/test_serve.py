"""`lmdeck serve` and `lmdeck server` as a shell runs them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.test_cli import lmdeck
from tests.support.model_maker import make_scripted_model
from tui.domain import ServerOptions
from tui.paths import find_paths
from tui.presence import Presence, announce, present_servers
from tui.server import Server
from tui.workbench import Workbench

ANSWER = "Hello there."


@pytest.fixture
def home(lmdeck_home: Path) -> Path:
    (lmdeck_home / "models").mkdir()
    make_scripted_model(lmdeck_home / "models" / "talker.gguf", ANSWER)
    return lmdeck_home


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `lmdeck serve` and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "serve", "--port", "0", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=dict(os.environ, PYTHONUTF8="1"),
    )  # fmt: skip
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), process.communicate(timeout=10)
        yield process, address
    finally:
        process.kill()
        process.communicate()


def ask(address: str, token: str = "") -> httpx.Response:
    question = {"model": "talker", "messages": [{"role": "user", "content": "Hi"}]}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.post(f"{address}/v1/chat/completions", json=question, headers=headers, timeout=60)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_serve_answers_reports_and_ends_gracefully(home: Path, how: signal.Signals) -> None:
    with serving() as (process, address):
        assert ask(address).json()["choices"][0]["message"]["content"] == ANSWER
        process.send_signal(how)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    (line,) = said.splitlines()
    assert re.search(
        r"T\d\d:\d\d:\d\d  200  POST  /v1/chat/completions  talker  \d+ tok  [\d.]+ tok/s  [\d.]+ s  127", line
    )
    assert not present_servers(home / "servers")
    # What was chosen here is not what the screen starts with.
    assert not (home / "settings.json").exists()


@pytest.mark.usefixtures("home")
def test_flags_hold() -> None:
    with serving("--no-jit", "--require-tokens", "--cors", "--quiet") as (process, address):
        assert ask(address).status_code == 401
        token = lmdeck("server", "token", "create", "laptop", "--only-ask").stdout.strip()
        refused = ask(address, token)
        assert refused.status_code == 404
        assert "may not load models" in refused.text
        page = httpx.get(
            f"{address}/v1/models", headers={"Authorization": f"Bearer {token}", "Origin": "https://a.example"}
        )
        assert page.headers["access-control-allow-origin"] == "*"
        found = lmdeck("server", "token", "list").stdout
        assert "laptop" in found
        assert "generate " in found
        assert token.partition(":")[2] not in found
        lmdeck("server", "token", "revoke", found.split()[0])
        assert ask(address, token).status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[1] == ""


@pytest.mark.usefixtures("home")
def test_the_network_is_warned_of() -> None:
    with serving("--bind", "0.0.0.0") as (process, _):
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert "Other machines can reach this server" in said
    assert "--require-tokens" in said


@pytest.mark.usefixtures("home")
def test_a_taken_port_is_explained() -> None:
    with serving() as (_, address):
        port = address.rpartition(":")[2]
        done = lmdeck("serve", "--port", port, check=1)
        assert f"Port {port} is taken by another lmdeck." in done.stderr
        assert done.stdout == ""
        assert f"Port {port} is taken by another lmdeck." in lmdeck("server", "start", "--port", port, check=1).stderr


@pytest.mark.usefixtures("home")
def test_start_status_and_stop() -> None:
    assert "No server is running" in lmdeck("server", "status", check=1).stderr
    assert json.loads(lmdeck("server", "status", "--json", check=1).stdout) == []
    address = lmdeck("server", "start", "--port", "0", "--require-tokens").stdout.strip()
    try:
        assert ask(address).status_code == 401
        assert lmdeck("server", "start").stdout.strip() == address
        token = lmdeck("server", "token", "create", "laptop").stdout.strip()
        assert ask(address, token).status_code == 200
        (record,) = json.loads(lmdeck("server", "status", "--json").stdout)
        assert (record["address"], record["answers"], record["loaded"]) == (address, True, ["talker"])
        shown = lmdeck("server", "status").stdout
        assert f"{address}  in the background, process {record['pid']}" in shown
        assert "loaded: talker" in shown
    finally:
        assert lmdeck("server", "stop").stdout == f"stopped {address}\n"
    with pytest.raises(httpx.ConnectError):
        ask(address)
    assert "No server is running" in lmdeck("server", "stop").stderr


@pytest.mark.usefixtures("home")
def test_the_server_of_a_screen_is_left_alone() -> None:
    workbench = Workbench(find_paths())
    server = Server(workbench, "screen")
    server.start(ServerOptions(port=0))
    try:
        assert "of the screen" in lmdeck("server", "status").stdout
        done = lmdeck("server", "stop", check=1)
        assert "belongs to the screen" in done.stderr
        assert "F9" in done.stderr
        assert server.state.running
    finally:
        server.close()
        workbench.close()
    lmdeck("server", "status", check=1)


def test_what_a_killed_server_left_behind_is_no_server(home: Path) -> None:
    with serving() as (process, _):
        assert len(present_servers(home / "servers")) == 1
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        assert present_servers(home / "servers") == []
        assert not list((home / "servers").iterdir())


def test_a_process_that_has_the_number_of_a_dead_one_is_not_taken_for_it(tmp_path: Path) -> None:
    announce(tmp_path, holder="serve", address="http://127.0.0.1:1", bind="127.0.0.1", version="1", since=1.0, key="k")
    (present,) = present_servers(tmp_path)
    assert present.pid == os.getpid()
    file = tmp_path / f"{os.getpid()}.json"
    assert file.stat().st_mode & 0o777 == 0o600
    older = {**json.loads(file.read_text()), "born": present.born - 1000}
    assert Presence(**older)
    file.write_text(json.dumps(older))
    (tmp_path / "1.json").write_text("{}")
    assert present_servers(tmp_path) == []
    assert not file.exists()
