"""Drives the application in tests as a person would, and reads what it shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from textual.notifications import Notify
from textual.pilot import Pilot
from textual.worker import Worker

from tests.app.fake_server import FakeServer
from tests.app.fake_workbench import FakeWorkbench
from tui.app.app import LmdeckApp
from tui.app.screens.chat import ChatScreen
from tui.domain import LocalServer, text_message
from tui.workbench import Workbench

PATIENCE = 10.0


class Person:
    """Someone in front of the screen."""

    def __init__(self, pilot: Pilot[None], workbench: FakeWorkbench, notices: list[str]) -> None:
        self.pilot = pilot
        self.workbench = workbench
        self.notices = notices
        """Every notice so far, also those that are not on the screen any more."""

    @property
    def app(self) -> LmdeckApp:
        return cast(LmdeckApp, self.pilot.app)

    @property
    def chat(self) -> ChatScreen:
        return cast(ChatScreen, self.app.screen_stack[0])

    async def press(self, *keys: str) -> None:
        """Press keys and wait until what they start has ended."""
        await self.pilot.press(*keys)
        await self.settle()

    async def type(self, text: str) -> None:
        await self.press(*("space" if character == " " else character for character in text))

    async def ask(self, text: str) -> None:
        await self.type(text)
        await self.press("enter")

    async def settle(self) -> None:
        """Wait for the work that is under way, and for the screen to show it."""
        await self.pilot.pause()
        while any(self._busy(worker) for worker in self.app.workers):
            await asyncio.sleep(0.005)
        await self.pilot.pause()

    def _busy(self, worker: Worker[object]) -> bool:
        """Whether work will end by itself; what asks something in a dialog waits for the person."""
        asks = worker.group == "dialog" and len(self.app.screen_stack) > 1
        return worker.is_running and worker.group != "load" and not asks

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that a timer brings."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "it never came"
            await self.pilot.pause(0.01)
        await self.settle()

    async def hear(self) -> None:
        """Let the bridge take over what the models have said."""
        self.chat.conversation.bridge.drain()
        await self.settle()

    def rows(self) -> list[str]:
        """What the screen shows, row by row, as characters."""
        screen = self.app.screen
        strips = screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    def text(self) -> str:
        return "\n".join(self.rows())

    def toasts(self) -> str:
        """The text of every notice so far."""
        return "\n".join(self.notices)

    @property
    def top(self) -> str:
        return self.rows()[0]

    @property
    def bottom(self) -> str:
        return self.rows()[-1]


@asynccontextmanager
async def person_at(
    workbench: FakeWorkbench,
    size: tuple[int, int] = (120, 36),
    *,
    defects: bool = False,
    server: LocalServer | None = None,
) -> AsyncIterator[Person]:
    """Run the application without a terminal. A defect of ours that it reports fails the test, unless expected."""
    notices: list[str] = []

    class Watched(LmdeckApp):
        def on_notify(self, event: Notify) -> None:
            notices.append(event.notification.message)

    app = Watched(cast(Workbench, workbench), lambda: server or FakeServer())
    async with app.run_test(size=size, notifications=True) as pilot:
        person = Person(pilot, workbench, notices)
        await person.settle()
        yield person
    reported = [line.text for line in workbench.log.lines() if "Traceback" in line.text]
    assert bool(reported) == defects, "\n".join(line.text for line in workbench.log.lines())


def add_thread(workbench: FakeWorkbench, *texts: str) -> str:
    """A thread whose first message is the person's, and then in turn."""
    thread = workbench.threads.create_thread()
    for number, text in enumerate(texts):
        workbench.threads.add_message(thread.id, text_message("assistant" if number % 2 else "user", text))
    return thread.id
