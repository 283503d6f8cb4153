"""The main screen: what is sent, which model answers it, and the figures of both."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import on

from tui.app.actions import bindings_for
from tui.app.ready_models import ReadyModel, ReadyModels
from tui.app.screens.thread_panes import ThreadPanes
from tui.app.server_desk import LOOK_EVERY
from tui.app.widgets.composer import Composer
from tui.app.widgets.status_line import Status

if TYPE_CHECKING:
    from tui.app.running_answer import RunningAnswer
    from tui.workbench import Workbench

READ_ONLY = "A newer lmdeck has written these threads: they can be read here, not changed. Update this one."
WELCOME = "No model is loaded. ctrl+o shows the models, F1 the keys."


class ChatScreen(ThreadPanes):
    """Chat with models that are loaded or elsewhere, in many threads at once."""

    BINDINGS = bindings_for("chat")

    def __init__(self, workbench: Workbench, classes: str) -> None:
        super().__init__(workbench, classes)
        self.models = ReadyModels(workbench)
        self._sending = False
        self._opened = False
        self._possible: tuple[bool, ...] = ()

    def on_mount(self) -> None:
        self.call_after_refresh(lambda: self.begin(self._open_workbench()))

    async def _open_workbench(self) -> None:
        """Begin with everything that need not be there for the first paint."""
        await self.fill_frame()
        self._opened = True
        self.begin(self.open_last_thread())
        self.begin(self._open_models())
        self.begin(self.deck.desk.restore())
        self.begin(self._resume_downloads())
        self.set_interval(LOOK_EVERY, self._look_at_server)

    def _look_at_server(self) -> None:
        """Show how the server is. A request may have loaded or evicted a model, so look at those too when one ends."""
        shown, figures = self.status_line.status.server, self.deck.desk.figures()
        if self.is_current and figures != shown:
            self.show_status()
            if figures.requests != shown.requests:
                self.begin(self._use_model(None))

    async def _open_models(self) -> None:
        await self.models.refresh()
        self.show_status()
        if self.workbench.settings.problem:
            self.deck.warn(self.workbench.settings.problem)
        if await self.conversation.store(lambda threads: threads.read_only):
            self.deck.warn(READ_ONLY)

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        if self.conversation.bridge.running(self.conversation.thread_id):
            self.notify("The answer above is still coming. ctrl+c stops it.", severity="warning", markup=False)
        elif not self._sending:
            self._sending = True
            self.begin(self._send_and_answer(event.text))

    async def _send_and_answer(self, text: str) -> None:
        try:
            thread_id = await self.send(text)
        finally:
            self._sending = False
        await self.answer_waiting(thread_id)

    def _model_of(self, thread_id: str) -> ReadyModel | None:
        """The model that answers in a thread."""
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

    def conversation_changed(self, ended: RunningAnswer | None) -> None:
        self.show_status()
        self.thread_list.show_running(self.conversation.bridge.running_threads)
        possible = tuple(bool(self.check_action(name, ())) for name in ("stop", "answer_again", "undo_delete"))
        # Drawing the keys again costs a slow line some hundred bytes each time.
        if possible != self._possible:
            self._possible = possible
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
        stats = self.conversation.last_stats()
        self.conversation.hint("" if model else WELCOME)
        self.status_line.show(
            Status(
                model=model.key if model else "",
                context_used=answer.context_used if answer else stats.context_used,
                context_length=model.context_length if model else 0,
                speed=self.conversation.bridge.speed(answer) if answer else stats.generation_speed,
                first_token=answer.first_token if answer else stats.time_to_first_token,
                memory=model.memory_bytes if model else 0,
                server=self.deck.desk.figures(),
            )
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "stop":
            return self._opened and self.conversation.bridge.running(self.conversation.thread_id) is not None
        if action == "undo_delete":
            return bool(self.deleted)
        if action == "answer_again":
            return self._opened and bool(self.transcript.message_count)
        return super().check_action(action, parameters)

    def action_stop(self) -> None:
        self.conversation.bridge.stop(self.conversation.thread_id)

    def action_answer_again(self) -> None:
        self.begin(self._answer_again())

    async def _answer_again(self) -> None:
        if await self.conversation.ask_again():
            await self.answer_waiting(self.conversation.thread_id)

    def action_show_server(self) -> None:
        from tui.app.screens.server import ServerScreen

        self.app.push_screen(ServerScreen(self.workbench, self.deck.desk), lambda _: self.begin(self._use_model(None)))

    def action_discover(self) -> None:
        from tui.app.screens.discover import DiscoverScreen

        self.app.push_screen(DiscoverScreen(self.workbench), self._load_arrived)

    def action_show_downloads(self) -> None:
        from tui.app.screens.downloads import DownloadsScreen

        self.app.push_screen(DownloadsScreen(self.workbench), self._load_arrived)

    def _load_arrived(self, path: str | None) -> None:
        if path:
            self.begin(self._load_file(path))

    async def _load_file(self, path: str) -> None:
        """Ask how to load a model that was downloaded."""
        from tui.app.screens.load_dialog import LoadDialog
        from tui.domain import LoadConfig

        model = await asyncio.to_thread(lambda: self.workbench.catalogue.find(path))
        self.app.push_screen(
            LoadDialog(self.workbench, model, LoadConfig()), lambda loaded: self._model_chosen(loaded and loaded.key)
        )

    async def _resume_downloads(self) -> None:
        """Let downloads go on that were going on when the program ended."""
        if await asyncio.to_thread(self.workbench.paths.downloads.exists):
            await asyncio.to_thread(lambda: self.workbench.downloads.go_on())

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
