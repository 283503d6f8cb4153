"""The server's life: started, stopped, moved, and found again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.support.model_maker import make_scripted_model
from tui.domain import BadRequest, Busy, ServerOptions
from tui.paths import Paths
from tui.server import Server
from tui.workbench import Workbench


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    workbench = Workbench(Paths(tmp_path, tmp_path / "cache", tmp_path / "logs"))
    yield workbench
    workbench.close()


@pytest.fixture
def server(workbench: Workbench) -> Iterator[Server]:
    server = Server(workbench)
    yield server
    server.close()


def alive(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def test_it_comes_and_goes(server: Server) -> None:
    assert server.state.address == ""
    for _ in range(3):
        server.start(ServerOptions(port=0))
        address = server.state.address
        assert alive(address)
        server.stop()
        assert not alive(address)
        assert not server.state.running


def test_a_taken_port_is_explained(server: Server, tmp_path: Path) -> None:
    server.start(ServerOptions(port=0))
    port = int(server.state.address.rpartition(":")[2])
    other = Server(Workbench(Paths(tmp_path / "o", tmp_path / "oc", tmp_path / "ol")))
    with pytest.raises(Busy, match=f"Port {port} is taken by another lmdeck"):
        other.start(ServerOptions(port=port))
    assert not other.state.running
    other.close()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (ServerOptions(port=70000), "server.port"),
        (ServerOptions(port=0, bind="no such host.invalid"), "server.bind"),
        (ServerOptions(port=0, bind="8.8.8.8"), "server.bind"),
        (ServerOptions(port=0, just_in_time_ttl=0), "server.ttl"),
    ],
)
def test_options_that_cannot_be_name_their_field(server: Server, options: ServerOptions, field: str) -> None:
    with pytest.raises(BadRequest) as problem:
        server.start(options)
    assert problem.value.field == field
    assert not server.state.running


def test_it_moves_to_another_port_and_stays_where_that_fails(server: Server) -> None:
    server.start(ServerOptions(port=0))
    first = server.state.address
    server.change(replace(server.options, port=_free_port()))
    second = server.state.address
    assert alive(second)
    assert not alive(first)
    with pytest.raises(BadRequest):
        server.change(replace(server.options, bind="8.8.8.8"))
    assert server.state.address == second
    assert alive(second)
    assert server.options.bind == "127.0.0.1"


def test_the_last_state_is_restored(workbench: Workbench, server: Server) -> None:
    server.start(ServerOptions(port=_free_port(), cors=True))
    address = server.state.address
    server.close()
    again = Server(workbench)
    again.restore()
    assert (again.state.address, again.options.cors) == (address, True)
    again.stop()
    last = Server(workbench)
    last.restore()
    assert not last.state.running


def test_a_port_that_is_gone_when_it_is_restored_is_told(workbench: Workbench, server: Server) -> None:
    server.start(ServerOptions(port=_free_port()))
    second = Server(workbench)
    second.restore()
    assert not second.state.running
    assert "taken by another lmdeck" in second.state.problem
    second.close()


def test_stopping_ends_streams_properly(workbench: Workbench, server: Server) -> None:
    workbench.paths.models.mkdir()
    make_scripted_model(workbench.paths.models / "endless.gguf", "On and on. ", loop=True, context_length=65536)
    server.start(ServerOptions(port=0))
    lines: list[str] = []
    begun = threading.Event()

    def read() -> None:
        body = {"model": "endless", "messages": [{"role": "user", "content": "Hi"}], "stream": True, "num_ctx": 65536}
        with httpx.stream("POST", f"{server.state.address}/v1/chat/completions", json=body, timeout=60) as answer:
            for line in answer.iter_lines():
                lines.append(line)
                begun.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(60)
    started = time.perf_counter()
    server.stop()
    reader.join(10)
    assert time.perf_counter() - started < 8
    said = [line for line in lines if line]
    assert said[-1] == "data: [DONE]"
    assert '"finish_reason":"stop"' in said[-2]


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
