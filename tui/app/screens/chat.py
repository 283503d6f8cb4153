"""The main screen: what is sent, which model answers it, and the figures of both."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import on

from tui.app.actions import bindings_for
from tui.app.guide import greeting, learn_abilities, load_guide
from tui.app.preset_warnings import PresetWarnings
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
NOT_SENT = "Not sent: you were already going to another thread. The text is a draft where you wrote it."
LOOKING = "Looking for a model…"

WATCHED = ("stop", "answer_again", "undo", "redo")
"""Actions that come and go while models answer."""


class ChatScreen(ThreadPanes):
    """Chat with models that are loaded or elsewhere, in many threads at once."""

    BINDINGS = [*bindings_for("chat"), *bindings_for("places")]

    def __init__(self, workbench: Workbench, classes: str) -> None:
        super().__init__(workbench, classes)
        self.models = ReadyModels(workbench)
        self._preset_warnings = PresetWarnings(workbench, lambda text: self.deck.warn(text))
        self._sending = False
        self._opened = False
        self._looking = True
        """Whether it is still open if a model comes by itself."""
        self._possible: tuple[bool, ...] = ()

    def on_mount(self) -> None:
        self.call_after_refresh(lambda: self.begin(self._open_workbench()))

    async def _open_workbench(self) -> None:
        """Begin with everything that need not be there for the first paint; first with what takes longest."""
        # `to_thread` would not begin before the frame is filled.
        guide = asyncio.get_running_loop().run_in_executor(None, load_guide, self.workbench)
        await self.fill_frame()
        self.bridge.watchers.append(self)
        self._opened = True
        self.begin(self.open_last_thread())
        self.begin(self._open_models())
        self.begin(self._use_guide(guide))
        self.begin(self.deck.desk.restore())
        self.begin(asyncio.to_thread(self.workbench.resume_downloads))
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
        self.composer.sent_before = await self.conversation.store(lambda threads: threads.input_history())

    async def _use_guide(self, loading: asyncio.Future[bool]) -> None:
        """Let the built-in model answer where there is no other, also what was asked meanwhile."""
        try:
            if await loading:
                await self.models.refresh()
        finally:
            self._looking = False
            self.show_status()
        self.begin(asyncio.to_thread(learn_abilities, self.workbench))
        await self._answer_all_waiting()

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        if self.bridge.running(self.conversation.thread_id):
            self.notify("The answer above is still coming. ctrl+c stops it.", severity="warning", markup=False)
        elif not self._sending:
            self._sending = True
            self.begin(self._send_and_answer(event))

    async def _send_and_answer(self, event: Composer.Submitted) -> None:
        from tui.app.bridge import Waiting

        try:
            sent = await self.send(event.text, event.attached)
        finally:
            self._sending = False
        if sent is None:
            self.deck.warn(NOT_SENT)
            return
        thread_id, message_id = sent
        self.composer.sent_before.insert(0, event.text)
        self.bridge.waiting[thread_id] = Waiting(message_id)
        await self.answer_waiting(thread_id)

    def model_of(self, thread_id: str) -> ReadyModel | None:
        """The model that answers in a thread."""
        thread = self.summary_of(thread_id)
        return self.models.pick(thread_id, thread.model if thread else "", self.default_models.get(thread_id, ""))

    async def answer_waiting(self, thread_id: str) -> None:
        """Let the thread's model answer or continue what waits there, or ask for a model."""
        from tui.app.answering import answer

        model = self.model_of(thread_id)
        if model is not None:
            await answer(self.workbench, self.bridge, thread_id, model.key)
            await self.refresh_threads()
            thread = self.summary_of(thread_id)
            await self._preset_warnings.look(thread_id, thread.title if thread else "", model.key)
        elif thread_id == self.conversation.thread_id:
            self.conversation.show_waiting()
            if not self._looking:
                self.action_choose_model()

    async def _answer_all_waiting(self) -> None:
        for thread_id in list(self.bridge.waiting):
            await self.answer_waiting(thread_id)

    def conversation_changed(self) -> None:
        self.show_status()
        self.thread_list.show_running(self.bridge.running_threads)
        possible = tuple(bool(self.check_action(name, ())) for name in WATCHED)
        # Drawing the keys again costs a slow line some hundred bytes each time.
        if possible != self._possible:
            self._possible = possible
            self.refresh_bindings()

    def answer_started(self, answer: RunningAnswer) -> None:
        """The transcripts show it."""

    def answer_grew(self, answer: RunningAnswer, text: str, reasoning: str) -> None:
        """The transcripts show it."""

    def answer_ended(self, answer: RunningAnswer) -> None:
        self.begin(self._after_answer(answer))

    async def _after_answer(self, answer: RunningAnswer) -> None:
        from tui.app.screens.titling import title_if_wanted

        for conversation in self.conversations:
            await conversation.take_ended()
        await self.refresh_threads()
        self.conversation_changed()
        shown = [conversation.thread_id for conversation in self.conversations]
        if answer.error and answer.thread_id not in shown:
            thread = self.summary_of(answer.thread_id)
            title = thread.title if thread else "a thread"
            self.notify(f"The answer in “{title}” failed. {answer.error}", severity="error", markup=False)
        await title_if_wanted(self, answer)

    def show_status(self) -> None:
        """Bring the top row up to date."""
        thread_id = self.conversation.thread_id
        model = self.model_of(thread_id)
        answer = self.bridge.answers.get(thread_id)
        self.conversation.greet(greeting(model.key, self.deck) if model and model.builtin else None)
        self.conversation.hint("" if model else LOOKING if self._looking else WELCOME)
        if answer is not None:
            figures = (answer.context_used, self.bridge.speed(answer), answer.first_token)
        else:
            stats = self.conversation.last_stats()
            figures = (stats.context_used, stats.generation_speed, stats.time_to_first_token)
        self.status_line.show(
            Status(
                model=model.key if model else "",
                context_used=figures[0],
                context_length=model.context_length if model else 0,
                speed=figures[1],
                first_token=figures[2],
                memory=model.memory_bytes if model else 0,
                server=self.deck.desk.figures(),
            )
        )

    async def draft_rests(self) -> None:
        from tui.app.screens.drafting import show_figures

        await super().draft_rests()
        await show_figures(self)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "stop":
            return self._opened and self.bridge.running(self.conversation.thread_id) is not None
        if action in ("undo", "redo"):
            return bool(self.undos if action == "undo" else self.redos)
        if action == "answer_again":
            return self._opened and bool(self.conversation.messages)
        if action == "other_pane":
            return self._opened and self.split
        return super().check_action(action, parameters)

    def action_stop(self) -> None:
        self.bridge.stop(self.conversation.thread_id)

    def action_undo(self) -> None:
        self.begin(self.undo())

    def action_redo(self) -> None:
        self.begin(self.undo(again=True))

    def action_answer_again(self) -> None:
        from tui.app.screens.message_commands import answer_again

        self.begin(answer_again(self))

    def action_thread(self, name: str) -> None:
        """Do something to the thread or folder in hand; see `thread_commands`."""
        from tui.app.screens.thread_commands import COMMANDS

        self.ask(COMMANDS[name](self))

    def action_message(self, name: str) -> None:
        """Do something to the message under the cursor; see `message_commands`."""
        from tui.app.screens.message_commands import COMMANDS

        self.ask(COMMANDS[name](self))

    def action_view(self, name: str) -> None:
        """Find, show or set something; see `view_commands`."""
        from tui.app.screens.view_commands import COMMANDS

        self.ask(COMMANDS[name](self))

    def action_other_pane(self) -> None:
        self.action_view("other_pane")

    def action_show_server(self) -> None:
        from tui.app.screens.server import ServerScreen

        self.app.push_screen(ServerScreen(self.workbench, self.deck.desk), lambda _: self.begin(self._use_model(None)))

    def action_show_library(self) -> None:
        from tui.app.screens.library import LibraryScreen

        self.app.push_screen(LibraryScreen(self.workbench), self._model_chosen)

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
        from tui.app.screens.asking_load import ask_how_to_load

        model = await asyncio.to_thread(lambda: self.workbench.catalogue.find(path))
        await ask_how_to_load(self.deck, model, None, lambda loaded: self._model_chosen(loaded.key if loaded else None))

    def action_choose_model(self) -> None:
        from tui.app.screens.model_picker import ModelPicker

        if isinstance(self.app.screen, ModelPicker):
            return
        model = self.model_of(self.conversation.thread_id)
        self.app.push_screen(ModelPicker(self.workbench, model.key if model else ""), self._model_chosen)

    def _model_chosen(self, key: str | None) -> None:
        self.begin(self._use_model(key))

    async def _use_model(self, key: str | None) -> None:
        await self.models.refresh()
        if key:
            self.models.choose(self.conversation.thread_id, key)
            await self._answer_all_waiting()
        self.show_status()
