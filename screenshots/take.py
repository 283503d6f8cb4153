"""Takes the README's pictures: `python -m screenshots.take`. The program and the guide that answers are the real ones.

`--guide FILE` takes another model for the guide, to try the pictures where none has been trained yet.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
from textual.pilot import Pilot

from tui.__main__ import make_server
from tui.app.app import LmdeckApp
from tui.app.screens.server import ServerScreen
from tui.builtin import EMBEDDING, GUIDE, BuiltInModels
from tui.builtin.files import FOLDER_VARIABLE
from tui.config import Settings
from tui.domain import Busy, ServerOptions, text_message
from tui.paths import Paths
from tui.workbench import Workbench

FOLDER = Path(__file__).parent
SIZES = {"wide": (120, 36), "narrow": (80, 24)}
PATIENCE = 60.0
"""Seconds for the guide to load or to answer."""

EARLIER = ("How do I download a model?", "Which key stops an answer?", "Can other programs use my models?")
QUESTION = "What does context length cost?"
REQUESTS = (
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Say hello to Bob the Builder."}]}),
    ("/v1/embeddings", {"model": EMBEDDING, "input": "The cat sleeps on the warm keyboard."}),
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": EARLIER[0]}], "model": GUIDE}),
)


class Camera:
    """The running program, and what a person does before a picture is taken."""

    def __init__(self, workbench: Workbench, app: LmdeckApp, pilot: Pilot[None]) -> None:
        self.workbench = workbench
        self.app = app
        self.pilot = pilot

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await self.pilot.pause(0.05)
        await self.pilot.pause(0.3)

    def text(self) -> str:
        """What the screen shows."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def shows(self, text: str) -> None:
        await self.until(lambda: text in self.text())

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause(0.3)

    def take(self, name: str, size: str) -> None:
        picture = self.app.export_screenshot(title="lmdeck")
        (FOLDER / f"{name}-{size}.svg").write_text(picture, encoding="utf-8")


@asynccontextmanager
async def program(size: str) -> AsyncIterator[Camera]:
    """A fresh machine on which a few things were asked already, and the guide is loaded."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="lmdeck-picture-") as folder:
        # A path from here on, so that pictures do not show where they were taken.
        os.chdir(folder)
        try:
            home = Path("lmdeck")
            workbench = Workbench(Paths(home, home / "cache", home / "logs"))
            ask_earlier(workbench)
            app = LmdeckApp(workbench, lambda: make_server(workbench, "screen"))
            async with app.run_test(size=SIZES[size]) as pilot:
                camera = Camera(workbench, app, pilot)
                await camera.shows(f"● {GUIDE}")
                yield camera
        finally:
            os.chdir(before)


def ask_earlier(workbench: Workbench) -> None:
    for question in EARLIER:
        thread = workbench.threads.create_thread()
        workbench.threads.add_message(thread.id, text_message("user", question))
        workbench.answer(thread.id, GUIDE).generation.wait(PATIENCE)
    workbench.unload(GUIDE)
    Settings(workbench.paths.settings).set("last_thread", "")


async def chat(size: str) -> None:
    async with program(size) as camera:
        await camera.press(*("space" if letter == " " else letter for letter in QUESTION), "enter")
        await camera.until(lambda: bool(camera.app.screen_stack[0].conversation.last_stats().generated_tokens))  # type: ignore[attr-defined]
        camera.take("chat", size)


async def models(size: str) -> None:
    async with program(size) as camera:
        await camera.press("ctrl+o")
        await camera.shows(EMBEDDING)
        camera.take("models", size)
        await camera.press("e")
        await camera.shows("Fits")
        camera.take("load", size)


async def server(size: str) -> None:
    async with program(size) as camera:
        await camera.press("ctrl+s")
        await camera.until(lambda: isinstance(camera.app.screen, ServerScreen))
        server = await camera.app.desk.server()
        assert server is not None
        with suppress(Busy):  # somebody serves here already: any other port will do
            server.start(ServerOptions(), remember=False)
        if not server.state.address:
            server.start(ServerOptions(port=0), remember=False)
        async with httpx.AsyncClient(base_url=server.state.address, timeout=PATIENCE) as client:
            for path, body in REQUESTS:
                (await client.post(path, json=body)).raise_for_status()
        await camera.shows(REQUESTS[1][0])
        if size == "wide":  # in a narrow terminal the details lie over the list
            await camera.press("enter")
        camera.take("server", size)


async def take_all() -> None:
    for size in SIZES:
        for scene in (chat, models, server):
            await scene(size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guide", type=Path)
    guide = parser.parse_args().guide
    with tempfile.TemporaryDirectory(prefix="lmdeck-picture-") as folder:
        if guide is not None:
            shipped = BuiltInModels().files()
            shutil.copy(shipped[EMBEDDING], Path(folder, "embedding.gguf"))
            shutil.copy(guide, Path(folder, "guide.gguf"))
            os.environ[FOLDER_VARIABLE] = folder
        elif GUIDE not in BuiltInModels().files():
            parser.error("tui/builtin/guide.gguf is not there. Train it, or name another model with --guide.")
        asyncio.run(take_all())


if __name__ == "__main__":
    main()
