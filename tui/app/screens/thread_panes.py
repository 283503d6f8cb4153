"""Which thread the main screen shows: the list, opening one with its draft, rename, delete and undo."""

from __future__ import annotations

import asyncio
import contextlib
from functools import cached_property
from typing import TYPE_CHECKING

from textual import on
from textual.widgets import TextArea

from tui.app.drafts import Drafts
from tui.app.screens import thread_commands
from tui.app.screens.chat_panes import ChatPanes
from tui.app.widgets.thread_list import ThreadList
from tui.domain import LmdeckError

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.app.conversation import Conversation
    from tui.app.running_answer import RunningAnswer
    from tui.threads import ThreadSummary
    from tui.workbench import Workbench

DRAFT_DELAY = 0.4
"""Seconds without a change after which the draft is put on disk."""

LAST_THREAD = "last_thread"
"""The setting that says which thread was open."""


class ThreadPanes(ChatPanes):
    """The panes with a thread in them."""

    def __init__(self, workbench: Workbench, classes: str) -> None:
        super().__init__(workbench, classes)
        self.drafts = Drafts(workbench, lambda error: self.deck.report(error))
        self.threads: list[ThreadSummary] = []
        self.deleted: list[ThreadSummary] = []
        self._draft_timer: Timer | None = None
        self._draft_of = ""
        """The thread whose draft the composer holds; while a thread is being opened, not yet the open one."""
        self._moving = asyncio.Lock()

    @cached_property
    def conversation(self) -> Conversation:
        """The open thread. Made after the first paint, since half of our types come along with it."""
        from tui.app.bridge import INTERVAL
        from tui.app.conversation import Conversation

        conversation = Conversation(self.workbench, self.transcript, self.conversation_changed)
        conversation.bridge.use_timer(self.set_interval(INTERVAL, conversation.bridge.drain, pause=True))
        return conversation

    def conversation_changed(self, ended: RunningAnswer | None) -> None:
        """Something was said, or an answer has ended."""

    async def open_last_thread(self) -> None:
        """Show the threads, and the one that was open when lmdeck ended."""
        await self.refresh_threads()
        last = str(self.workbench.settings.get(LAST_THREAD, ""))
        known = [thread.id for thread in self.threads]
        # Someone may have begun to write before the disk had answered.
        if not self.conversation.thread_id and not self.composer.text:
            await self.open_thread(last if last in known else known[0] if known and last else "")

    async def refresh_threads(self) -> None:
        """Read the list of threads again."""
        self.threads = await self.conversation.store(lambda threads: threads.list_threads())
        self._show_threads()

    def _show_threads(self) -> None:
        self.thread_list.show_threads(self.threads, self.conversation.thread_id)
        self.transcript.show_title(self.summary.title if self.summary else "")

    @property
    def summary(self) -> ThreadSummary | None:
        """The open thread, if it is on disk."""
        return next((thread for thread in self.threads if thread.id == self.conversation.thread_id), None)

    async def open_thread(self, thread_id: str) -> None:
        """Show a thread with its draft; the empty id is a new one."""
        async with self._moving:
            await self.save_draft()
            if thread_id:
                await self.conversation.open(thread_id)
            else:
                self.conversation.open_new()
            draft = await self.drafts.load(thread_id)
            await self.save_draft()
            self._draft_of = thread_id
            self.composer.load_message(draft)
        self._show_threads()
        self.thread_list.highlight(thread_id)
        self.deck.remember(LAST_THREAD, thread_id)

    async def send(self, text: str) -> str:
        """Put a message on disk and into the open thread, whose id is returned."""
        async with self._moving:
            thread_id = await self.conversation.send(text)
            # Only now that the message is on disk may its text leave the composer.
            self.composer.load_message(self.composer.message_text.removeprefix(text))
            await self.drafts.save(self._draft_of, "")
            self._draft_of = thread_id
        await self.refresh_threads()
        self.thread_list.highlight(thread_id)
        self.deck.remember(LAST_THREAD, thread_id)
        return thread_id

    async def save_draft(self) -> None:
        """Put what is in the composer on disk."""
        await self.drafts.save(self._draft_of, self.composer.message_text)

    def on_unmount(self) -> None:
        with contextlib.suppress(LmdeckError):
            self.drafts.save_now(self._draft_of, self.composer.message_text)

    @on(TextArea.Changed)
    def _draft_changed(self) -> None:
        if self._draft_timer is not None:
            self._draft_timer.stop()
        self._draft_timer = self.set_timer(DRAFT_DELAY, lambda: self.begin(self.save_draft()))

    @on(ThreadList.Chosen)
    def _thread_chosen(self, event: ThreadList.Chosen) -> None:
        self.action_leave_threads()
        self.begin(self.open_thread(event.key))

    def action_new_thread(self) -> None:
        self.begin(self.open_thread(""))
        self.action_focus_composer()

    def action_rename_thread(self) -> None:
        thread_commands.rename(self)

    def action_delete_thread(self) -> None:
        self.begin(thread_commands.delete(self))

    def action_undo_delete(self) -> None:
        self.begin(thread_commands.undo_delete(self))
