"""The thread that a pane shows: opening it, writing in it, and what models say in it meanwhile.

It joins the store, the bridge and the transcript, and knows nothing of keys and layout.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from tui.app.bridge import Bridge
from tui.app.pictures import has_pictures, pictures_of
from tui.app.running_answer import RunningAnswer
from tui.app.transcript_messages import from_answer, from_stored, live_note
from tui.domain import GenerationStats, Message

if TYPE_CHECKING:
    from tui.app.transcript import Transcript, TranscriptMessage
    from tui.threads import StoredMessage, ThreadStore
    from tui.workbench import Workbench

Result = TypeVar("Result")

WAITING_TEXT = "Message queued, will be sent when the model is loaded."
BRANCH_TEXT = "What you send now begins another branch here. Open the thread again to go back to the old one."
NOTE_INTERVAL = 0.2
"""Seconds between two updates of the figures that people watch."""

FIRST_SCREENFUL = 40
"""Messages that are read and shown before the rest of a thread."""

DRAWING_PATIENCE = 1.0
"""Seconds."""


class Conversation:
    """One open thread."""

    def __init__(
        self, workbench: Workbench, transcript: Transcript, bridge: Bridge, changed: Callable[[], None]
    ) -> None:
        self._workbench = workbench
        self._changed = changed
        self._noted = 0.0
        self._below = ""
        self._greeting: TranscriptMessage | None = None
        self._moves = 0
        self._untaken: RunningAnswer | None = None
        self.transcript = transcript
        self.bridge = bridge
        self.bridge.watchers.append(self)
        self.thread_id = ""
        """The open thread; empty while it has no message."""
        self.folder_id: str | None = None
        """The folder in which a thread that does not exist yet will come to be."""
        self.messages: list[StoredMessage] = []
        """What is shown, but for an answer that is coming."""

    async def store(self, work: Callable[[ThreadStore], Result]) -> Result:
        """Do something with the threads off the event loop, since it reads or writes the disk."""
        return await asyncio.to_thread(lambda: work(self._workbench.threads))

    def open_new(self, folder_id: str | None = None) -> None:
        """Show an empty thread. It comes to be with its first message."""
        self._moves += 1
        self.thread_id, self.messages, self.folder_id = "", [], folder_id
        self._untaken = self._greeting = None
        self._show([])
        self._changed()

    async def open(self, thread_id: str, message_id: str = "") -> None:
        """Show a thread with all its text, also that which is still coming: its end, or one message of it."""
        self.thread_id = thread_id
        self._untaken = self._greeting = None
        self._moves += 1
        move = self._moves
        messages = await self.store(lambda threads: threads.last_messages(thread_id, FIRST_SCREENFUL))
        if self._moves != move:
            return
        self.messages = messages
        self._show(self._drawn(messages))
        self._show_running()
        if len(messages) == FIRST_SCREENFUL:
            await self._seen()
            await self.reload()
        if message_id:
            self.transcript.go_to(message_id)
        await self._draw_pictures(move)

    async def _seen(self) -> None:
        """Wait until what is shown is drawn; reading thousands of messages would hold that up."""
        drawn = asyncio.Event()
        if self.transcript.call_after_refresh(drawn.set):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(drawn.wait(), DRAWING_PATIENCE)

    async def reload(self, cursor_id: str = "") -> None:
        """Read the branch again that is shown, and stay where the person looks."""
        thread_id, move = self.thread_id, self._moves
        messages = await self.store(lambda threads: threads.messages(thread_id))
        if self._moves != move or not thread_id:
            return
        self.messages = messages
        self._below = ""
        self.transcript.show_again(self._drawn(messages), cursor_id)
        self._show_running()
        await self._draw_pictures(move)

    async def send(self, message: Message) -> tuple[str, str]:
        """Put a message on disk behind what is shown, in a new thread if none is open. Returns the ids of both."""
        thread_id = self.thread_id
        if not thread_id:
            folder_id = self.folder_id
            thread_id = (await self.store(lambda threads: threads.create_thread(folder_id=folder_id))).id
            self.thread_id = thread_id
        await self.take_ended()
        above = self.messages[-1].id if self.messages else None
        stored = await self.store(lambda threads: threads.add_message(thread_id, message, parent_id=above))
        if self.thread_id == thread_id:
            self.messages.append(stored)
            self._say_below("")
            self.transcript.append(from_stored(stored))
            # Who had scrolled up wants to see what is said to the new message.
            self.transcript.action_last()
            await self._draw_pictures(self._moves)
        self._changed()
        return thread_id, stored.id

    def branch_at(self, message_id: str) -> bool:
        """Show the thread up to a message, behind which the next one shall stand; false if an answer is coming."""
        place = self._index(message_id)
        if place is None or self.bridge.running(self.thread_id):
            return False
        self._moves += 1
        self.messages = self.messages[: place + 1]
        self.transcript.show_again(self._drawn(self.messages), message_id)
        self._below = ""
        self._say_below(BRANCH_TEXT)
        return True

    def stored(self, message_id: str) -> StoredMessage | None:
        """A message that is shown, as it lies on disk; `None` for an answer that is coming."""
        place = self._index(message_id)
        return None if place is None else self.messages[place]

    def last_question(self) -> StoredMessage | None:
        """The last message of the person that is shown."""
        return next((message for message in reversed(self.messages) if message.message.role == "user"), None)

    def show_waiting(self) -> None:
        """Say that the message waits for a model."""
        self._say_below(WAITING_TEXT)

    def hint(self, text: str) -> None:
        """What an empty thread tells a newcomer."""
        if not self.transcript.message_count:
            self._say_below(text)

    def greet(self, message: TranscriptMessage | None) -> None:
        """What stands above an empty thread, and stays there while it grows. It is no part of the thread."""
        if not self.thread_id and message != self._greeting:
            self._greeting = message
            self._say_below("")
            self._show(self._drawn([]))

    def answer_started(self, answer: RunningAnswer) -> None:
        if answer.thread_id == self.thread_id:
            self._moves += 1
            going_on, question = self._index(answer.message_id), self._index(answer.parent_id)
            above = self.messages[: going_on if going_on is not None else len(self.messages)]
            if going_on is None and question is not None:
                above = self.messages[: question + 1]
            # Answering again takes the earlier answer off the screen; it stays in the thread as a version.
            if self.transcript.message_count != len(self._drawn(above)):
                self.transcript.show_again(self._drawn(above), above[-1].id if above else "")
                self.transcript.action_last()
                self._below = ""
            self.messages = above
            self._show_running()
        self._changed()

    def answer_grew(self, answer: RunningAnswer, text: str, reasoning: str) -> None:
        if answer.thread_id != self.thread_id:
            return
        if text or reasoning:
            self.transcript.stream(text, reasoning)
        now = time.monotonic()
        if now - self._noted >= NOTE_INTERVAL and not answer.ended:
            self._noted = now
            self.transcript.set_note(answer.message_id, live_note(answer, self.bridge.speed(answer)))
            self._changed()

    def answer_ended(self, answer: RunningAnswer) -> None:
        if answer.thread_id == self.thread_id:
            self._untaken = answer
            self.transcript.end_answer(from_answer(answer, self.bridge.speed(answer)))
        self._changed()

    async def take_ended(self) -> None:
        """Take the answer that has ended among the messages, as it lies on disk."""
        answer = self._untaken
        if answer is None:
            return
        stored = await self.store(lambda threads: threads.message(answer.message_id))
        if stored is not None and answer.thread_id == self.thread_id and self._index(stored.id) is None:
            if stored.parent_id == (self.messages[-1].id if self.messages else None):
                self.messages.append(stored)
                self.transcript.change(self._drawn([stored])[-1])
            else:
                await self.reload()
        if self._untaken is answer:
            self._untaken = None

    def last_stats(self) -> GenerationStats:
        """The figures of the last answer on disk that has some."""
        return next((message.stats for message in reversed(self.messages) if message.stats), GenerationStats())

    def _index(self, message_id: str) -> int | None:
        places = range(len(self.messages) - 1, -1, -1)
        return next((place for place in places if self.messages[place].id == message_id), None)

    def _drawn(self, messages: list[StoredMessage]) -> list[TranscriptMessage]:
        """Messages as the transcript shows them, but for the one that is coming."""
        # The text of an answer lies here up to the last drain; the disk may be half a second behind.
        answer = self.bridge.answers.get(self.thread_id)
        held = answer.message_id if answer else ""
        coming = self.bridge.running(self.thread_id)
        drawn = [
            from_answer(answer, self.bridge.speed(answer), message)
            if answer and message.id == held and message.status == "streaming"
            else from_stored(message)
            for message in messages
            if not (coming and message.id == held)
        ]
        return [self._greeting, *drawn] if self._greeting else drawn

    def _show_running(self) -> None:
        """Show what is coming or waiting in the thread."""
        self._say_below(WAITING_TEXT if self.thread_id in self.bridge.waiting else "")
        if running := self.bridge.running(self.thread_id):
            self.messages = [message for message in self.messages if message.id != running.message_id]
            self.transcript.start_answer(from_answer(running, self.bridge.speed(running)))
        self._changed()

    async def _draw_pictures(self, move: int) -> None:
        """Draw the images that messages came with, one after another, the last one first."""
        for message in reversed([message for message in self.messages if has_pictures(message.message)]):
            drawn = await asyncio.to_thread(pictures_of, message.message)
            if self._moves != move:
                return
            self.transcript.attach(message.id, drawn)

    def _show(self, messages: list[TranscriptMessage]) -> None:
        self._below = ""
        self.transcript.show(messages)

    def _say_below(self, text: str) -> None:
        """Put a line below the last message; saying the same again costs nothing."""
        if text != self._below:
            self._below = text
            self.transcript.waiting(text)
