"""Chooses the model that answers: a loaded or a remote one at once, any other by way of the load dialog."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.app.actions import bindings_for
from tui.app.estimate_text import values_text
from tui.app.library_watch import LOOK_EVERY, LibraryWatch
from tui.app.remote_rows import remote_details, remote_rows
from tui.app.screens.asking_load import ask_how_to_load
from tui.app.screens.dialogs import ConfirmDialog
from tui.app.screens.load_dialog import LABELS
from tui.app.stylesheets import stylesheet
from tui.app.widgets.key_bar import KeyBar
from tui.app.widgets.model_list import ModelList, details
from tui.config import BUILT_IN_SETTING
from tui.domain import LmdeckError

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.app.app import LmdeckApp
    from tui.engine import LoadedModel
    from tui.engine.remote import RemoteState
    from tui.workbench import Workbench

ASK_EVERY = 10.0
"""Seconds between two questions to a remote engine meanwhile."""

ANSWER_SOON = 0.25
"""Seconds until the next look while a remote engine has not answered yet, or files are still being read."""


class ModelPicker(ModalScreen[str | None]):
    """The catalogue. Answers with the key of a loaded or remote model, or with nothing."""

    BINDINGS = bindings_for("dialogs")
    CSS_PATH = stylesheet("dialogs")
    model_list = getters.query_one(ModelList)
    facts = getters.query_one(".details", Static)

    def __init__(self, workbench: Workbench, in_use: str) -> None:
        super().__init__()
        self._workbench = workbench
        self._in_use = in_use
        self._loaded: dict[str, LoadedModel] = {}
        self._states: dict[str, RemoteState] = {}
        self._told = ""
        self._removing = ""
        self._on_remote = False
        self._soon: Timer | None = None
        self._watch = LibraryWatch(workbench)

    @property
    def deck(self) -> LmdeckApp:
        """The application, with what it offers beyond Textual's."""
        return cast("LmdeckApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical(classes="pile models"):
            yield ModelList()
            yield Static(classes="details", markup=False)
        yield KeyBar(classes="keys")

    def on_mount(self) -> None:
        self._look()
        self.set_interval(LOOK_EVERY, self._look)

    def _look(self) -> None:
        self.run_worker(self.deck.attempt(self._show_models()), group="look", exclusive=True)

    async def _show_models(self) -> None:
        """Read the folder, the loaded models and what is known of remote engines again."""
        so_far = await self._watch.look()
        files = list(so_far.models)
        states = await self._remote_states()
        if not so_far.done:
            self._look_soon()
        models = [model for model in files if model.usable and not model.builtin] + remote_rows(states)
        models += [model for model in files if model.usable and model.builtin]
        models += [model for model in files if not model.usable]
        self._loaded = {model.key: model for model in await asyncio.to_thread(self._workbench.loaded)}
        if not self.is_attached:  # closed meanwhile
            return
        rows = self.model_list
        first = not rows.items
        loaded, before = frozenset(self._loaded), self._states
        self._states = {state.endpoint.name: state for state in states}
        if (loaded, models, self._states) == (rows.loaded, rows.items, before) and models and so_far.done:
            return
        rows.loaded = loaded
        rows.empty_text = (
            "Looking for models…"
            if not so_far.done
            else (
                "No models yet.\n\nPut a GGUF file into this folder, or into a folder below it:\n"
                f"{self._workbench.paths.models}\n\nThis list refreshes by itself.\n\n"
                "Or press f to find and download one, a to use the models of another machine, B for the built-in ones."
            )
        )
        rows.set_items(models)
        if first:
            rows.highlight(self._in_use)
        remote = sum(len(state.models) for state in states)
        reading = f"reading {so_far.read:,} of {so_far.files:,} files" if not so_far.done else ""
        own = sum(not model.builtin for model in files)
        counts = [reading, f"{own} on disk" if own else "", f"{remote} remote" if remote else ""]
        rows.border_subtitle = " · ".join(filter(None, counts))
        self._show_details()

    async def _remote_states(self) -> tuple[RemoteState, ...]:
        """How the remote engines are. Asks them now and then, waits for none, and looks again soon if need be."""
        try:
            remotes = await asyncio.to_thread(lambda: self._workbench.remotes)
            await asyncio.to_thread(lambda: remotes.refresh(max_age=ASK_EVERY))
            states = await asyncio.to_thread(remotes.states)
        except LmdeckError as error:
            if str(error) != self._told:
                self._told = str(error)
                self.deck.report(error)
            return ()
        if not all(state.asked for state in states):
            self._look_soon()
        return states

    def _look_soon(self) -> None:
        if self._soon is not None:
            self._soon.stop()
        self._soon = self.set_timer(ANSWER_SOON, self._look)

    @on(ModelList.Highlighted)
    def _show_details(self) -> None:
        model = self.model_list.current
        on_remote = model is not None and bool(model.remote)
        if on_remote != self._on_remote:
            self._on_remote = on_remote
            self.refresh_bindings()
        state = self._states.get(model.remote) if model is not None else None
        if model is not None and state is not None:
            self.facts.update(remote_details(model, state))
            return
        present = self._loaded.get(model.key) if model else None
        values = values_text(present.values, LABELS) if present else ""
        self.facts.update(details(model, values, str(self._workbench.paths.models)))

    @on(ModelList.Chosen)
    def _chosen(self, event: ModelList.Chosen) -> None:
        model = self.model_list.current
        if event.key in self._loaded and self._loaded[event.key].info.embeds:
            self.notify(f"{event.key} is loaded. It makes vectors of texts; it cannot answer here.", markup=False)
        elif event.key in self._loaded or (model is not None and model.remote and model.name):
            self.dismiss(event.key)
        elif model is not None and model.remote:
            self.notify(f"{model.remote} shows no models. The reason stands below the list.", markup=False)
        else:
            self.action_reload()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return not (self._on_remote and action in ("reload", "unload"))

    def action_reload(self) -> None:
        """Ask for load parameters; those of a loaded model are the ones it has."""
        model = self.model_list.current
        if model is None:
            return
        if not model.usable:
            self.notify(f"{model.key} cannot be loaded. The reason stands below the list.", markup=False)
            return
        asking = ask_how_to_load(self.deck, model, self._loaded.get(model.key), self._load_ended)
        self.run_worker(self.deck.attempt(asking), group="parameters", exclusive=True)

    def _load_ended(self, loaded: LoadedModel | None) -> None:
        if loaded is not None and not loaded.info.embeds:
            self.dismiss(loaded.key)
        else:
            self._look()

    def action_unload(self) -> None:
        """Free a loaded model, asking first while it answers."""
        model = self.model_list.current
        present = self._loaded.get(model.key) if model else None
        if present is None:
            return
        if not present.running:
            self._unload_if(True)
            return
        question = f"{present.key} is answering. What has come so far is kept."
        self.app.push_screen(ConfirmDialog("Unload?", question, "unload"), self._unload_if)

    def _unload_if(self, confirmed: bool | None) -> None:
        if confirmed and self.model_list.current is not None:
            self.run_worker(self.deck.attempt(self._unload(self.model_list.current.key)))

    async def _unload(self, key: str) -> None:
        await asyncio.to_thread(self._workbench.unload, key)
        self._look()

    def action_discover(self) -> None:
        """Look for models on the Hub; what is to be loaded then comes back here."""
        from tui.app.screens.discover import DiscoverScreen

        self.app.push_screen(DiscoverScreen(self._workbench), self._arrived)

    def _arrived(self, path: str | None) -> None:
        self.run_worker(self.deck.attempt(self._load_file(path)) if path else self._show_models())

    async def _load_file(self, path: str) -> None:
        model = await asyncio.to_thread(self._workbench.catalogue.find, path)
        await ask_how_to_load(self.deck, model, self._loaded.get(model.key), self._load_ended)

    def action_add_remote(self) -> None:
        """Ask for another remote engine."""
        from tui.app.screens.remote_dialog import RemoteDialog

        self.app.push_screen(RemoteDialog(self._workbench), self._remote_added)

    def _remote_added(self, name: str | None) -> None:
        if name is not None:
            self._look()

    def action_remove_remote(self) -> None:
        """Forget the remote engine under the cursor, asking first."""
        model = self.model_list.current
        if model is None or not model.remote:
            self.notify("The cursor is not on a remote engine.", markup=False)
            return
        question = f"The address and the key of {model.remote} are forgotten. Threads stay as they are."
        self._removing = model.remote
        self.app.push_screen(ConfirmDialog("Remove?", question, "remove"), self._remove_if)

    def _remove_if(self, confirmed: bool | None) -> None:
        if confirmed:
            self.run_worker(self.deck.attempt(self._remove(self._removing)))

    async def _remove(self, name: str) -> None:
        await asyncio.to_thread(self._workbench.remove_remote, name)
        self._look()

    def action_toggle_builtin(self) -> None:
        """List the models that came with the program, or take them out."""
        shown = not self._workbench.settings.get(BUILT_IN_SETTING, True)
        self.run_worker(self.deck.attempt(self._show_builtin(shown)))

    async def _show_builtin(self, shown: bool) -> None:
        await asyncio.to_thread(self._workbench.settings.set, BUILT_IN_SETTING, shown)
        self.notify(f"Built-in models are {'listed' if shown else 'not listed any more'}.", markup=False)
        self._look()

    def action_close(self) -> None:
        self.dismiss(None)
