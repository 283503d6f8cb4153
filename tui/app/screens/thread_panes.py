"""Which threads the main screen shows: the list, opening one with its draft, two side by side, undoing."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from textual import on
from textual.widgets import TextArea

from tui.app.drafts import Drafts
from tui.app.screens.chat_panes import ChatPanes
from tui.app.thread_rows import read_rows
from tui.app.widgets.thread_list import ThreadList
from tui.domain import LmdeckError

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.threads import ThreadSummary, Undo
    from tui.workbench import Workbench

DRAFT_DELAY = 0.4
"""Seconds without a change after which the draft is put on disk."""

LAST_THREAD = "last_thread"
"""The setting that says which thread was open."""

SORT = "thread_sort"
"""The setting that says in which order the threads stand."""


class ThreadPanes(ChatPanes):
    """The panes with threads in them."""

    def __init__(self, workbench: Workbench, classes: str) -> None:
        super().__init__(workbench, classes)
        self.drafts = Drafts(workbench, lambda error: self.deck.report(error))
        self.threads: list[ThreadSummary] = []
        self.undos: list[Undo] = []
        self.redos: list[Undo] = []
        self.default_models: dict[str, str] = {}
        """The models that folders want for the open threads."""
        self._summaries: dict[str, ThreadSummary] = {}
        self._draft_timer: Timer | None = None
        self._draft_of = ""
        """The thread whose draft the composer holds; while a thread is being opened, not yet the open one."""
        self._moving = asyncio.Lock()

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
        sort = str(self.workbench.settings.get(SORT, ""))
        opened = [conversation.thread_id for conversation in self.conversations if conversation.thread_id]
        read = await self.conversation.store(lambda threads: read_rows(threads, sort, opened))
        self.threads = [row.thread for row in read.rows if row.thread]
        self._summaries = {thread.id: thread for thread in [*self.threads, *read.opened]}
        self.default_models = read.models
        self.thread_list.show_threads(read.rows, tuple(opened))
        self.show_titles()

    def show_titles(self) -> None:
        """Put the titles of the open threads over their messages."""
        for number, conversation in enumerate(self.conversations, start=1):
            summary = self.summary_of(conversation.thread_id)
            title = f"{summary.title}{_state(summary)}" if summary else ""
            pane = f"{'▸' if number - 1 == self.active else ''}{number}/{len(self.conversations)}" if self.split else ""
            self.transcript_of(number - 1).show_title(title, pane)

    def summary_of(self, thread_id: str) -> ThreadSummary | None:
        """A thread of the list, or an open one, if it is on disk."""
        return self._summaries.get(thread_id)

    @property
    def summary(self) -> ThreadSummary | None:
        """The thread that the composer writes to, if it is on disk."""
        return self.summary_of(self.conversation.thread_id)

    async def open_thread(self, thread_id: str, message_id: str = "", folder_id: str | None = None) -> None:
        """Show a thread with its draft, at its end or at one of its messages; the empty id is a new one."""
        for number, conversation in enumerate(self.conversations):
            if thread_id and conversation.thread_id == thread_id and number != self.active:
                await self.activate(number)
        async with self._moving:
            left = await self.save_draft()
            if thread_id:
                await self.conversation.open(thread_id, message_id)
            else:
                self.conversation.open_new(folder_id)
            await self._take_draft(left)
        await self.refresh_threads()
        self.thread_list.highlight(thread_id)
        self.deck.remember(LAST_THREAD, thread_id)

    async def split_view(self) -> None:
        """Show an empty thread beside this one, unless there are two already, and write to the other one."""
        if self.split:
            await self.activate(1 - self.active)
            return
        async with self._moving:
            await self.open_beside()
        await self.activate(1)

    async def activate(self, number: int) -> None:
        """Write to another transcript; the draft goes and comes with it."""
        async with self._moving:
            left = await self.save_draft()
            await super().activate(min(number, len(self.conversations) - 1))
            await self._take_draft(left)
        self.show_titles()
        self.conversation_changed()

    async def _take_draft(self, left: str) -> None:
        """Let the composer hold the draft of the open thread; `left` is what it held when the other one was left."""
        thread_id = self.conversation.thread_id
        if thread_id and thread_id == self._draft_of:
            return
        draft = await self.drafts.load(thread_id)
        if left.strip():
            await self.save_draft()
        elif typed := self.composer.message_text.strip():
            # Whoever types at once into what was empty means the thread that is being opened.
            draft = f"{draft}\n{typed}" if draft.strip() else typed
        self._draft_of = thread_id
        self.composer.load_message(draft)

    async def send(self, text: str, attached: frozenset[str]) -> tuple[str, str] | None:
        """Put what the composer holds on disk and into the open thread; returns the ids of both.

        Nothing is sent where another thread was opened meanwhile, with which the text has left the composer. Raises
        LmdeckError.
        """
        from tui.app.attachments import parts_of
        from tui.domain import Message

        # Held from the first moment on, so that whoever goes to another thread right behind enter waits for this.
        async with self._moving:
            if not self.composer.message_text.startswith(text):
                return None
            message = Message("user", await asyncio.to_thread(parts_of, text, attached))
            thread_id, message_id = await self.conversation.send(message)
            # Only now that the message is on disk may its text leave the composer.
            self.composer.load_message(self.composer.message_text.removeprefix(text))
            await self.drafts.save(self._draft_of, "")
            self._draft_of = thread_id
        await self.refresh_threads()
        self.thread_list.highlight(thread_id)
        self.deck.remember(LAST_THREAD, thread_id)
        return thread_id, message_id

    async def save_draft(self) -> str:
        """Put what is in the composer on disk; returns it."""
        text = self.composer.message_text
        await self.drafts.save(self._draft_of, text)
        return text

    def on_unmount(self) -> None:
        with contextlib.suppress(LmdeckError):
            self.drafts.save_now(self._draft_of, self.composer.message_text)

    @on(TextArea.Changed)
    def _draft_changed(self) -> None:
        if self._draft_timer is not None:
            self._draft_timer.stop()
        self._draft_timer = self.set_timer(DRAFT_DELAY, lambda: self.begin(self.draft_rests()))

    async def draft_rests(self) -> None:
        """Nobody has typed for a moment."""
        await self.save_draft()

    @on(ThreadList.Chosen)
    def _thread_chosen(self, event: ThreadList.Chosen) -> None:
        self.action_leave_threads()
        self.begin(self.open_thread(event.key))

    @on(ThreadList.FolderToggled)
    def _folder_toggled(self, event: ThreadList.FolderToggled) -> None:
        self.begin(self.conversation.store(lambda t: t.folders.set_collapsed(event.folder_id, event.collapsed)))

    def action_new_thread(self) -> None:
        self.begin(self.open_thread(""))
        self.action_focus_composer()

    def can_undo(self, undo: Undo | None, said: str = "") -> None:
        """Remember how to undo what was just done, and say so."""
        if undo is None:
            return
        self.undos.append(undo)
        self.redos.clear()
        self.refresh_bindings()
        # Outside the composer u undoes it; inside, where letters are text, the go overlay does.
        self.notify(f"{said or undo.title}. u undoes it (ctrl+g u anywhere).", markup=False)

    async def undo(self, *, again: bool = False) -> None:
        """Undo what was done last, or do again what was undone last."""
        source, target = (self.redos, self.undos) if again else (self.undos, self.redos)
        if not source:
            return
        done = source[-1]
        target.append(await self.conversation.store(lambda threads: threads.undo(done)))
        source.pop()
        self.notify(f"{'Done again' if again else 'Undone'}: {done.title}.", markup=False)
        await self.refresh_threads()
        await self.show_undone(done.thread_id)
        self.refresh_bindings()

    async def show_undone(self, thread_id: str) -> None:
        """Show what an undo has brought back, and close what it has taken away."""
        for number, conversation in enumerate(self.conversations):
            shown = self.summary_of(conversation.thread_id)
            if conversation.thread_id == thread_id:
                await conversation.reload()
            elif shown is not None and shown.trashed and number == self.active:
                await self.open_thread("")
        thread = await self.conversation.store(lambda threads: threads.thread(thread_id) if thread_id else None)
        if thread is not None and not thread.trashed and not self.conversation.thread_id:
            await self.open_thread(thread_id)


def _state(thread: ThreadSummary) -> str:
    """Why an open thread is not in the list."""
    return " · in the trash" if thread.trashed else " · archived" if thread.archived else ""
