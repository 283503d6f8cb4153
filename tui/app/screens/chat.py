"""The main screen: what is written in threads, which model answers, and what is shown of both."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from textual import on
from textual.widgets import TextArea

from tui.app.actions import bindings_for
from tui.app.bridge import INTERVAL
from tui.app.conversation import Conversation
from tui.app.drafts import Drafts
from tui.app.loaded_models import LoadedModels
from tui.app.running_answer import RunningAnswer
from tui.app.screens import thread_commands
from tui.app.screens.chat_panes import ERROR_SECONDS, ChatPanes
from tui.app.widgets.composer import Composer
from tui.app.widgets.status_line import Status
from tui.app.widgets.thread_list import ThreadList
from tui.domain import GenerationStats, LmdeckError

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.engine import LoadedModel
    from tui.threads import ThreadSummary
    from tui.workbench import Workbench

DRAFT_DELAY = 0.4
"""Seconds without a change after which the draft is put on disk."""

LAST_THREAD = "last_thread"
"""The setting that says which thread was open."""

READ_ONLY = "A newer lmdeck has written these threads: they can be read here, not changed. Update this one."
WELCOME = "No model is loaded. ctrl+o shows the models on disk, F1 the keys."


class ChatScreen(ChatPanes):
    """Chat with loaded models, in many threads at once."""

    BINDINGS = bindings_for("chat")

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self.models = LoadedModels(workbench)
        self.drafts = Drafts(workbench)
        self.threads: list[ThreadSummary] = []
        self.deleted: list[ThreadSummary] = []
        self.conversation = Conversation(workbench, self.transcript, self._conversation_changed)
        self._draft_timer: Timer | None = None
        self._draft_of = ""
        """The thread whose draft the composer holds; while a thread is being opened, not yet the open one."""
        self._sending = False
        self._moving = asyncio.Lock()

    def on_mount(self) -> None:
        bridge = self.conversation.bridge
        bridge.use_timer(self.set_interval(INTERVAL, bridge.drain, pause=True))
        self.transcript.show_title("")
        self.call_after_refresh(lambda: self.begin(self._open_workbench()))

    async def _open_workbench(self) -> None:
        """Everything that need not be there for the first paint."""
        await self.refresh_threads()
        last = str(self.workbench.settings.get(LAST_THREAD, ""))
        known = [thread.id for thread in self.threads]
        # Someone may have begun to write before the disk had answered.
        if not self.conversation.thread_id and not self.composer.text:
            await self.open_thread(last if last in known else known[0] if known and last else "")
        await self.models.refresh()
        self.show_status()
        if await self.conversation.store(lambda threads: threads.read_only):
            self.notify(READ_ONLY, severity="warning", timeout=ERROR_SECONDS, markup=False)
        if self.workbench.settings.problem:
            self.notify(self.workbench.settings.problem, severity="warning", timeout=ERROR_SECONDS, markup=False)

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
        self.show_status()
        self.deck.remember(LAST_THREAD, thread_id)

    async def save_draft(self) -> None:
        """Put what is in the composer on disk."""
        await self.drafts.save(self._draft_of, self.composer.message_text)

    def on_unmount(self) -> None:
        with contextlib.suppress(LmdeckError):
            self.drafts.save_now(self._draft_of, self.composer.message_text)

    @on(TextArea.Changed, "#composer")
    def _draft_changed(self) -> None:
        if self._draft_timer is not None:
            self._draft_timer.stop()
        self._draft_timer = self.set_timer(DRAFT_DELAY, lambda: self.begin(self.save_draft()))

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        if self.conversation.bridge.running(self.conversation.thread_id):
            self.notify("The answer above is still coming. ctrl+c stops it.", severity="warning", markup=False)
        elif not self._sending:
            self._sending = True
            self.begin(self._send(event.text))

    async def _send(self, text: str) -> None:
        try:
            async with self._moving:
                thread_id = await self.conversation.send(text)
                # Only now that the message is on disk may its text leave the composer.
                self.composer.load_message(self.composer.message_text.removeprefix(text))
                await self.drafts.save(self._draft_of, "")
                self._draft_of = thread_id
        finally:
            self._sending = False
        await self.refresh_threads()
        self.thread_list.highlight(thread_id)
        self.deck.remember(LAST_THREAD, thread_id)
        await self.answer_waiting(thread_id)

    def _model_of(self, thread_id: str) -> LoadedModel | None:
        """The loaded model that answers in a thread."""
        last_used = next((thread.model for thread in self.threads if thread.id == thread_id), "")
        return self.models.pick(thread_id, last_used)

    async def answer_waiting(self, thread_id: str) -> None:
        """Let the thread's model answer what waits there, or ask for a model."""
        model = self._model_of(thread_id)
        if model is not None:
            await self.conversation.answer(thread_id, model.key)
            await self.refresh_threads()
        elif thread_id == self.conversation.thread_id:
            self.conversation.show_waiting()
            self.action_choose_model()

    @on(ThreadList.Chosen)
    def _thread_chosen(self, event: ThreadList.Chosen) -> None:
        self.action_leave_threads()
        self.begin(self.open_thread(event.key))

    def _conversation_changed(self, ended: RunningAnswer | None) -> None:
        self.show_status()
        self.thread_list.show_running(self.conversation.bridge.running_threads)
        self.refresh_bindings()
        if ended is not None:
            self.begin(self._after_answer(ended))

    async def _after_answer(self, answer: RunningAnswer) -> None:
        await self.refresh_threads()
        if answer.error and answer.thread_id != self.conversation.thread_id:
            title = next((thread.title for thread in self.threads if thread.id == answer.thread_id), "a thread")
            self.notify(f"The answer in “{title}” failed. {answer.error}", severity="error", markup=False)

    def show_status(self) -> None:
        """Bring the top row up to date."""
        thread_id = self.conversation.thread_id
        model = self._model_of(thread_id)
        answer = self.conversation.bridge.answers.get(thread_id)
        stats = self.conversation.last_stats() or GenerationStats()
        self.conversation.hint("" if model else WELCOME)
        self.status_line.show(
            Status(
                model=model.key if model else "",
                context_used=answer.context_used if answer else stats.context_used,
                context_length=model.context_length if model else 0,
                speed=self.conversation.bridge.speed(answer) if answer else stats.generation_speed,
                first_token=answer.first_token if answer else stats.time_to_first_token,
                memory=model.memory_bytes if model else 0,
            )
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "stop":
            return self.conversation.bridge.running(self.conversation.thread_id) is not None
        if action == "undo_delete":
            return bool(self.deleted)
        if action == "answer_again":
            return bool(self.transcript.message_count)
        return super().check_action(action, parameters)

    def action_stop(self) -> None:
        self.conversation.bridge.stop(self.conversation.thread_id)

    def action_new_thread(self) -> None:
        self.begin(self.open_thread(""))
        self.action_focus_composer()

    def action_answer_again(self) -> None:
        self.begin(self._answer_again())

    async def _answer_again(self) -> None:
        if await self.conversation.ask_again():
            await self.answer_waiting(self.conversation.thread_id)

    def action_choose_model(self) -> None:
        from tui.app.screens.model_picker import ModelPicker

        if isinstance(self.app.screen, ModelPicker):
            return
        model = self._model_of(self.conversation.thread_id)
        self.app.push_screen(ModelPicker(self.workbench, model.key if model else ""), self._model_chosen)

    def _model_chosen(self, key: str | None) -> None:
        self.begin(self._use_model(key))

    async def _use_model(self, key: str | None) -> None:
        await self.models.refresh()
        if key:
            self.models.choose(self.conversation.thread_id, key)
            for thread_id in list(self.conversation.waiting):
                await self.answer_waiting(thread_id)
        self.show_status()

    def action_rename_thread(self) -> None:
        thread_commands.rename(self)

    def action_delete_thread(self) -> None:
        self.begin(thread_commands.delete(self))

    def action_undo_delete(self) -> None:
        self.begin(thread_commands.undo_delete(self))
