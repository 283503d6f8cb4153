"""The server view over a real server with scripted models: what comes in over HTTP is seen as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from tests.app.driving import PATIENCE, Person, person_at
from tests.app.fake_workbench import FakeWorkbench
from tests.support.model_maker import make_scripted_model
from tests.support.scripts import long_script
from tui.app.screens.server import ServerScreen
from tui.config import Settings
from tui.domain import LocalServer
from tui.paths import Paths
from tui.server import Server
from tui.workbench import Workbench

ANSWER = "Hello! Grüße aus München."


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    paths = Paths(tmp_path, tmp_path / "cache", tmp_path / "logs")
    paths.models.mkdir(parents=True)
    make_scripted_model(paths.models / "talker.gguf", ANSWER)
    slow = {"layers": 16, "feed_forward": 2048, "quantization": "q8_0", "extra_tokens": 5000}
    make_scripted_model(paths.models / "novelist.gguf", long_script(4000), context_length=16_384, **slow)
    Settings(paths.settings).set("server", {"port": 0})
    made = Workbench(paths)
    yield made
    made.close()


@pytest.fixture
async def person(workbench: Workbench) -> AsyncIterator[Person]:
    """Someone who has opened the server view and turned the server on."""
    server: LocalServer = Server(workbench)
    async with person_at(cast(FakeWorkbench, workbench), server=server) as somebody:
        await somebody.press("ctrl+s", "s")
        await somebody.until(lambda: server.state.running)
        yield somebody


def question(model: str, **more: object) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Say hello."}], **more}


def address(person: Person) -> str:
    server = person.app.desk.made
    assert server is not None
    return server.state.address


async def seen(condition: Callable[[], bool]) -> None:
    """Wait for something on the screen. The pilot would wait for an idle processor, which a model does not leave."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


async def test_requests_from_outside_appear_with_their_figures(person: Person) -> None:
    async with httpx.AsyncClient(base_url=address(person), timeout=60) as client:
        answer = await client.post("/v1/chat/completions", json=question("talker"))
    tokens = answer.json()["usage"]["completion_tokens"]
    await person.until(lambda: f"{tokens} tok" in person.text())
    for part in ("✓ 200", "/v1/chat/completions", "talker", "tok/s", "1 req", ANSWER):
        assert part in person.text()
    await person.until(lambda: "○ talker" in person.text())
    await person.press("enter", "left")
    assert "Say hello.<|im_end|>" in person.text()
    await person.press("left")
    assert '"content": "Say hello."' in person.text()


async def test_replay_shows_up_as_a_new_request(person: Person) -> None:
    screen = cast(ServerScreen, person.app.screen)
    async with httpx.AsyncClient(base_url=address(person), timeout=60) as client:
        await client.post("/v1/chat/completions", json=question("talker", max_tokens=2))
    await person.until(lambda: len(screen.requests.items) == 1)
    await person.press("o")
    screen.options.highlight("require_tokens")
    await person.press("enter", "escape", "r")
    await person.until(lambda: [record.status for record in screen.requests.items] == [200, 200])
    new, old = screen.requests.items
    assert new.body == old.body
    assert "lmdeck-replay" in new.client


async def test_turning_it_off_ends_a_running_stream_properly(person: Person) -> None:
    lines: list[str] = []

    async def listen() -> None:
        async with (
            httpx.AsyncClient(base_url=address(person), timeout=60) as client,
            client.stream("POST", "/v1/chat/completions", json=question("novelist", stream=True)) as answer,
        ):
            lines.extend([line async for line in answer.aiter_lines()])

    listener = asyncio.create_task(listen())
    screen = cast(ServerScreen, person.app.screen)
    await seen(lambda: "1 running" in person.top and " tok/s" in person.text())
    assert not screen.requests.items[0].over
    person.app.simulate_key("s")
    await seen(lambda: "is being answered" in person.text())
    person.app.simulate_key("y")
    await seen(lambda: "○ server off" in person.top)
    await asyncio.wait_for(listener, 10)
    assert any(line.startswith("data: ") for line in lines)
    await person.until(lambda: screen.requests.items[0].over)


async def test_a_running_server_comes_back_and_old_requests_with_it(workbench: Workbench) -> None:
    first = Server(workbench)
    async with person_at(cast(FakeWorkbench, workbench), server=first) as person:
        await person.press("f9")
        await person.until(lambda: first.state.running)
        async with httpx.AsyncClient(base_url=first.state.address) as client:
            await client.post("/v1/chat/completions", json=question("nobody"))
    again = Workbench(workbench.paths)
    second = Server(again)
    async with person_at(cast(FakeWorkbench, again), (80, 24), server=second) as person:
        await person.until(lambda: second.state.running and "● :" in person.top)
        await person.press("ctrl+s")
        await person.until(lambda: "✗ 404" in person.text())
        await person.press("enter")
        await person.until(lambda: "There is no model 'nobody'" in person.text())
