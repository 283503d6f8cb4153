"""A fresh machine: the guide answers on the screen, on the command line and to clients, without anything being set."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import openai
import pytest
from textual.pilot import Pilot

from tests.builtin.conftest import GUIDE_SAYS
from tests.support.model_maker import make_scripted_model
from tui.__main__ import make_server
from tui.app.app import LmdeckApp
from tui.app.screens.model_picker import ModelPicker
from tui.builtin import EMBEDDING, GUIDE
from tui.config import BUILT_IN_SETTING
from tui.domain import BUILT_IN, ServerOptions
from tui.paths import find_paths
from tui.server import Server
from tui.workbench import Workbench

PATIENCE = 60.0


class Screen:
    """The program in front of somebody who has just installed it."""

    def __init__(self, app: LmdeckApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    def text(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def until(self, condition: str | Callable[[], bool]) -> None:
        shown = (lambda: condition in self.text()) if isinstance(condition, str) else condition
        async with asyncio.timeout(PATIENCE):
            while not shown():
                await self.pilot.pause(0.02)

    async def ask(self, text: str) -> None:
        # The composer takes up a draft while a thread is being opened.
        await self.until(lambda: not any(worker.is_running for worker in self.app.workers))
        await self.pilot.press(*("space" if letter == " " else letter for letter in text), "enter")


@asynccontextmanager
async def opened(size: tuple[int, int] = (80, 24)) -> AsyncIterator[Screen]:
    workbench = Workbench(find_paths())
    app = LmdeckApp(workbench, lambda: make_server(workbench, "screen"))
    async with app.run_test(size=size, notifications=True) as pilot:
        yield Screen(app, pilot)


def threads() -> list[list[str]]:
    """What is on disk: the texts of each thread's messages."""
    workbench = Workbench(find_paths())
    store = workbench.threads
    found = [[stored.message.text for stored in store.messages(thread.id)] for thread in store.list_threads()]
    workbench.close()
    return found


@pytest.mark.usefixtures("built_in")
@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_it_is_loaded_unasked_and_says_who_it_is(size: tuple[int, int]) -> None:
    async with opened(size) as screen:
        await screen.until("Welcome to lmdeck")
        await screen.until(f"● {GUIDE}")
        text = " ".join(screen.text().split())
        for said in ("tiny model", "ctrl+o", "ctrl+p", "F1"):
            assert said in text
        await screen.ask("hi")
        await screen.until(GUIDE_SAYS)
        assert "Welcome to lmdeck" in screen.text(), "it stays above what follows"
    assert threads() == [["hi", GUIDE_SAYS]], "the welcome is no part of the thread, and not sent"


@pytest.mark.usefixtures("built_in")
async def test_a_question_that_comes_before_the_guide_waits_for_it() -> None:
    async with opened() as screen:
        await screen.pilot.press("h", "i", "enter")
        await screen.until(GUIDE_SAYS)
        assert not isinstance(screen.app.screen, ModelPicker)


@pytest.mark.usefixtures("built_in")
async def test_the_welcome_stands_above_empty_threads_only() -> None:
    async with opened() as screen:
        await screen.until("Welcome to lmdeck")
        await screen.ask("hi")
        await screen.until(GUIDE_SAYS)
        await screen.pilot.press("ctrl+n")
        await screen.until(lambda: "Welcome to lmdeck" in screen.text() and GUIDE_SAYS not in screen.text())
        await screen.pilot.press("ctrl+t", "down", "enter")
        await screen.until(lambda: GUIDE_SAYS in screen.text() and "Welcome to lmdeck" not in screen.text())


async def test_it_is_not_loaded_where_there_is_another_model(built_in: Path) -> None:
    make_scripted_model(built_in / "models" / "real.gguf", "I am real.")
    async with opened() as screen:
        await screen.until("No model is loaded")
        assert not screen.app.workbench.loaded()


async def test_a_model_that_was_loaded_answers_instead_of_it(built_in: Path) -> None:
    async with opened() as screen:
        await screen.until("Welcome to lmdeck")
        make_scripted_model(built_in / "models" / "real.gguf", "I am real.")
        await screen.ask("hi")
        await screen.until(GUIDE_SAYS)
        await screen.pilot.press("ctrl+o")
        await screen.until("real")
        await screen.pilot.press("g", "enter")
        await screen.until("Fits")
        await screen.pilot.press("enter")
        await screen.until("● real")
        await screen.ask("who")
        await screen.until("I am real.")


async def test_they_can_be_taken_out_of_the_list_and_put_back(built_in: Path) -> None:
    async with opened() as screen:
        await screen.until(f"● {GUIDE}")
        await screen.pilot.press("ctrl+o")
        await screen.until("built-in")
        await screen.pilot.press("B")
        await screen.until("No models yet")
    async with opened() as screen:
        await screen.until("No model is loaded")
        await screen.pilot.press("ctrl+o")
        await screen.until("No models yet")
        await screen.pilot.press("B")
        await screen.until(EMBEDDING)
    assert json.loads((built_in / "settings.json").read_text())[BUILT_IN_SETTING] is True


@pytest.mark.usefixtures("lmdeck_home")
async def test_a_program_without_the_files_asks_for_a_model() -> None:
    async with opened() as screen:
        await screen.until("No model is loaded")
        await screen.ask("hi")
        await screen.until("No models yet")
    assert threads() == [["hi"]]


@pytest.mark.usefixtures("lmdeck_home")
async def test_a_guide_that_cannot_be_loaded_is_said_and_nothing_else_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shipped"
    whole = make_scripted_model(folder / "guide.gguf", "x").read_bytes()
    (folder / "guide.gguf").write_bytes(whole[:-5000])
    monkeypatch.setenv("LMDECK_BUILTIN", str(folder))
    async with opened() as screen:
        await screen.until("No model is loaded")
        await screen.pilot.press("ctrl+n")
        assert screen.app.is_running


def lmdeck(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=dict(os.environ, PYTHONUTF8="1"),
    )


def test_the_command_line_asks_it_where_there_is_no_other(built_in: Path) -> None:
    assert lmdeck("chat", "-p", "hi").stdout == f"{GUIDE_SAYS}\n"
    make_scripted_model(built_in / "models" / "real.gguf", "I am real.")
    assert lmdeck("chat", "-p", "hi").stdout == "I am real.\n"
    assert lmdeck("chat", GUIDE, "-p", "hi").stdout == f"{GUIDE_SAYS}\n"
    make_scripted_model(built_in / "models" / "other.gguf", "x")
    refused = lmdeck("chat", "-p", "hi")
    assert refused.returncode != 0
    assert "real" in refused.stderr
    assert GUIDE not in refused.stderr


@pytest.mark.usefixtures("built_in")
def test_the_list_tells_them_from_others() -> None:
    listed = lmdeck("ls")
    assert "No models yet but the built-in ones." in listed.stderr
    assert GUIDE in listed.stdout
    records = json.loads(lmdeck("ls", "--json").stdout)
    assert {record["modelKey"]: record["source"] for record in records} == dict.fromkeys((GUIDE, EMBEDDING), BUILT_IN)


@pytest.fixture
def server(built_in: Path) -> Iterator[Server]:  # noqa: ARG001
    workbench = Workbench(find_paths())
    server = Server(workbench)
    server.start(ServerOptions(port=0))
    yield server
    server.close()
    workbench.close()


def test_clients_reach_it_by_name_and_without_one(server: Server, built_in: Path) -> None:
    client = openai.OpenAI(base_url=f"{server.state.address}/v1", api_key="none", max_retries=0)

    def says(model: str) -> str | None:
        answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])
        return answer.choices[0].message.content

    assert {model.id for model in client.models.list()} == {GUIDE, EMBEDDING}
    assert says("") == GUIDE_SAYS
    assert says(GUIDE) == GUIDE_SAYS
    assert len(client.embeddings.create(model="", input="a text").data[0].embedding) == 32
    assert len(client.embeddings.create(model=EMBEDDING, input="a text").data[0].embedding) == 32
    with pytest.raises(openai.NotFoundError):
        says("gpt-5")
    make_scripted_model(built_in / "models" / "real.gguf", "I am real.")
    assert says("") == "I am real.", "a model of the person's own comes before the guide, even a loaded one"
