"""The thread that is shown: opening it, writing in it, and what models say in it meanwhile.

It joins the store, the bridge and the transcript, and knows nothing of keys and layout.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from tui.app.bridge import Bridge
from tui.app.running_answer import RunningAnswer
from tui.app.transcript_messages import from_answer, from_stored, live_note
from tui.domain import GenerationStats, LmdeckError, text_message

if TYPE_CHECKING:
    from tui.app.transcript import Transcript, TranscriptMessage
    from tui.threads import StoredMessage, ThreadStore
    from tui.workbench import Workbench

Result = TypeVar("Result")

WAITING_TEXT = "Message queued, will be sent when the model is loaded."
NOTE_INTERVAL = 0.2
"""Seconds between two updates of the figures that people watch."""


class Conversation:
    """The open thread, and the watcher of all running answers."""

    def __init__(self, workbench: Workbench, transcript: Transcript, changed: Callable[[RunningAnswer | None], None]):
        self._workbench = workbench
        self._transcript = transcript
        self._changed = changed
        self._noted = 0.0
        self._below = ""
        self._greeting: TranscriptMessage | None = None
        self.bridge = Bridge(self)
        self.thread_id = ""
        """The open thread; empty while it has no message."""
        self.messages: list[StoredMessage] = []
        self.waiting: dict[str, str] = {}
        """Threads whose message waits for a model, with the message that is to be answered."""

    async def store(self, work: Callable[[ThreadStore], Result]) -> Result:
        """Do something with the threads off the event loop, since it reads or writes the disk."""
        return await asyncio.to_thread(lambda: work(self._workbench.threads))

    def open_new(self) -> None:
        """Show an empty thread. It comes to be with its first message."""
        self.thread_id, self.messages, self._greeting = "", [], None
        self._show([])
        self._changed(None)

    async def open(self, thread_id: str) -> None:
        """Show a thread with all its text, also that which is still coming."""
        self.thread_id = thread_id
        messages = await self.store(lambda threads: threads.messages(thread_id))
        if self.thread_id != thread_id:
            return
        self.messages, self._greeting = messages, None
        # The newest answer's text lies here up to the last drain; the disk may be half a second behind.
        answer = self.bridge.answers.get(thread_id)
        held = answer.message_id if answer else ""
        running = self.bridge.running(thread_id)
        self._show(
            [
                from_answer(answer, self.bridge.speed(answer))
                if answer and message.id == held
                else from_stored(message)
                for message in messages
                if not (running and message.id == held)
            ]
        )
        self._say_below(WAITING_TEXT if thread_id in self.waiting else "")
        if running:
            self._transcript.start_answer(from_answer(running, self.bridge.speed(running)))
        self._changed(None)

    async def send(self, text: str) -> str:
        """Put a message on disk, in a new thread if none is open, and show it. Returns the thread's id."""
        thread_id = self.thread_id
        if not thread_id:
            thread_id = (await self.store(lambda threads: threads.create_thread())).id
            self.thread_id = thread_id
        stored = await self.store(lambda threads: threads.add_message(thread_id, text_message("user", text)))
        messages = await self.store(lambda threads: threads.messages(thread_id))
        self.waiting[thread_id] = stored.id
        if self.thread_id == thread_id:
            self.messages = messages
            self._say_below("")
            self._transcript.append(from_stored(stored))
        self._changed(None)
        return thread_id

    async def ask_again(self) -> bool:
        """Let the person's last message in the open thread wait for an answer; false if there is none."""
        thread_id = self.thread_id
        messages = await self.store(lambda threads: threads.messages(thread_id))
        if self.thread_id != thread_id:
            return False
        self.messages = messages
        question = self.last_question()
        if question is None or self.bridge.running(thread_id):
            return False
        self.waiting[thread_id] = question.id
        return True

    def last_question(self) -> StoredMessage | None:
        """The last message of the person in the open thread, as of the last send."""
        return next((message for message in reversed(self.messages) if message.message.role == "user"), None)

    def show_waiting(self) -> None:
        """Say that the message waits for a model."""
        self._say_below(WAITING_TEXT)

    def hint(self, text: str) -> None:
        """What an empty thread tells a newcomer."""
        if not self._transcript.message_count:
            self._say_below(text)

    def greet(self, message: TranscriptMessage | None) -> None:
        """What stands above an empty thread, and stays there while it grows. It is no part of the thread."""
        if not self.thread_id and message != self._greeting:
            self._greeting = message
            self._show([])

    def _show(self, messages: list[TranscriptMessage]) -> None:
        self._below = ""
        self._transcript.show([self._greeting, *messages] if self._greeting else messages)

    def _say_below(self, text: str) -> None:
        """Put a line below the last message; saying the same again costs nothing."""
        if text != self._below:
            self._below = text
            self._transcript.waiting(text)

    async def answer(self, thread_id: str, model: str) -> None:
        """Let a model answer what waits in a thread."""
        question = self.waiting.pop(thread_id, None)
        if question is None or self.bridge.running(thread_id):
            return
        if thread_id == self.thread_id:
            self._say_below("")
        try:
            await self.bridge.start(
                thread_id, model, lambda: self._workbench.answer(thread_id, model, parent_id=question)
            )
        except LmdeckError:
            self.waiting[thread_id] = question
            raise

    def answer_started(self, answer: RunningAnswer) -> None:
        if answer.thread_id == self.thread_id:
            question = self.last_question()
            above = self.messages[: self.messages.index(question) + 1] if question else []
            # Answering again takes the earlier answer off the screen; it stays in the thread as a branch.
            if self._transcript.message_count != len(above) + bool(self._greeting):
                self._show([from_stored(message) for message in above])
            self.messages = above
            self._transcript.start_answer(from_answer(answer, self.bridge.speed(answer)))
        self._changed(None)

    def answer_grew(self, answer: RunningAnswer, text: str, reasoning: str) -> None:
        if answer.thread_id != self.thread_id:
            return
        if text or reasoning:
            self._transcript.stream(text, reasoning)
        now = time.monotonic()
        if now - self._noted >= NOTE_INTERVAL and not answer.ended:
            self._noted = now
            self._transcript.set_note(answer.message_id, live_note(answer, self.bridge.speed(answer)))
            self._changed(None)

    def answer_ended(self, answer: RunningAnswer) -> None:
        if answer.thread_id == self.thread_id:
            self._transcript.end_answer(from_answer(answer, self.bridge.speed(answer)))
        self._changed(answer)

    def last_stats(self) -> GenerationStats:
        """The figures of the newest answer in the open thread that has ended."""
        answer = self.bridge.answers.get(self.thread_id)
        found = answer.stats if answer else next((m.stats for m in reversed(self.messages) if m.stats), None)
        return found or GenerationStats()
