"""Chooses the model that answers: a loaded one at once, any other by way of the load dialog."""

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
from tui.app.screens.dialogs import ConfirmDialog
from tui.app.screens.load_dialog import LABELS, LoadDialog
from tui.app.stylesheets import stylesheet
from tui.app.widgets.key_bar import KeyBar
from tui.app.widgets.model_list import ModelList, details
from tui.domain import LoadConfig

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp
    from tui.engine import LoadedModel
    from tui.workbench import Workbench

LOOK_EVERY = 2.0
"""Seconds between two looks into the models folder while the picker is open."""


class ModelPicker(ModalScreen[str | None]):
    """The catalogue. Answers with the key of a loaded model, or with nothing."""

    BINDINGS = bindings_for("dialogs")
    CSS_PATH = stylesheet("dialogs")
    model_list = getters.query_one(ModelList)
    facts = getters.query_one(".details", Static)

    def __init__(self, workbench: Workbench, in_use: str) -> None:
        super().__init__()
        self._workbench = workbench
        self._in_use = in_use
        self._loaded: dict[str, LoadedModel] = {}

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
        """Read the folder and the loaded models again."""
        catalogue = await asyncio.to_thread(lambda: self._workbench.catalogue)
        await asyncio.to_thread(catalogue.refresh)
        models = sorted(await asyncio.to_thread(catalogue.models), key=lambda model: not model.usable)
        self._loaded = {model.key: model for model in await asyncio.to_thread(self._workbench.loaded)}
        rows = self.model_list
        first = not rows.items
        loaded = frozenset(self._loaded)
        if (loaded, models) == (rows.loaded, rows.items) and models:
            return
        rows.loaded = loaded
        rows.empty_text = (
            "No models yet.\n\nPut a GGUF file into this folder, or into a folder below it:\n"
            f"{self._workbench.paths.models}\n\nThis list refreshes by itself."
        )
        rows.set_items(models)
        if first:
            rows.highlight(self._in_use)
        rows.border_subtitle = f"{len(models)} on disk" if models else ""
        self._show_details()

    @on(ModelList.Highlighted)
    def _show_details(self) -> None:
        model = self.model_list.current
        present = self._loaded.get(model.key) if model else None
        self.facts.update(details(model, values_text(present.values, LABELS) if present else ""))

    @on(ModelList.Chosen)
    def _chosen(self, event: ModelList.Chosen) -> None:
        if event.key in self._loaded:
            self.dismiss(event.key)
        else:
            self.action_reload()

    def action_reload(self) -> None:
        """Ask for load parameters; those of a loaded model are the ones it has."""
        model = self.model_list.current
        if model is None:
            return
        if not model.usable:
            self.notify(f"{model.key} cannot be loaded. The reason stands below the list.", markup=False)
            return
        present = self._loaded.get(model.key)
        config = present.config if present else LoadConfig()
        self.app.push_screen(LoadDialog(self._workbench, model, config), self._load_ended)

    def _load_ended(self, loaded: LoadedModel | None) -> None:
        if loaded is not None:
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

    def action_close(self) -> None:
        self.dismiss(None)
