"""What can be done with load parameters besides loading: saving them, taking a profile, changing the guardrail."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from textual.screen import ModalScreen

from tui.app.screens.dialogs import NumberDialog, TextDialog
from tui.app.value_sources import below_of, keys_of
from tui.config import LOAD_PARAMETERS, Collapsed, changed_values
from tui.domain import GuardrailLevel, LoadConfig, ModelInfo

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from tui.app.app import LmdeckApp
    from tui.app.widgets.load_form import LoadForm
    from tui.config import ModelDefaultsStore
    from tui.engine import LoadedModel  # noqa: F401 - the base class names it
    from tui.workbench import Workbench

_LEVELS: dict[GuardrailLevel, str] = {
    "off": "Off: load whatever is asked for",
    "relaxed": "Relaxed: refuse what will hardly go",
    "balanced": "Balanced: refuse what may slow the machine down",
    "strict": "Strict: refuse what does not fit into free memory",
    "custom": "Custom: a limit for all models together",
}


class LoadCommands(ModalScreen["LoadedModel | None"]):
    """The part of the load dialog that keeps parameters; the dialog itself shows and loads them."""

    form: LoadForm

    def __init__(self, workbench: Workbench, model: ModelInfo) -> None:
        super().__init__()
        self._workbench = workbench
        self._model = model
        self._problem = ""
        self._notice = ""
        """What was done, until something else is changed."""
        self._profiles: list[str] = []

    @property
    def config(self) -> LoadConfig:
        """The parameters as they stand in the form."""
        raise NotImplementedError

    def estimate_again(self) -> None:
        """Called when what the guardrail says may have changed."""
        raise NotImplementedError

    def say(self, notice: str) -> None:
        """Say what was done, below the form."""
        self._problem, self._notice = "", notice
        self._explain()

    def _explain(self) -> None:
        raise NotImplementedError

    @property
    def _defaults(self) -> ModelDefaultsStore:
        return self._workbench.decisions.defaults

    def _begin(self, work: Coroutine[Any, Any, None], group: str) -> None:
        self.run_worker(cast("LmdeckApp", self.app).attempt(work), group=group, exclusive=True)

    def action_save(self) -> None:
        """Ask as what the parameters shall be kept."""
        lines = [
            "as this model's defaults, for every way to load",
            "as a profile of this model, under a name",
            "forget this model's saved defaults",
        ]
        self.app.push_screen(NumberDialog("Save", lines), self._save_as)

    def _save_as(self, number: int | None) -> None:
        if number == 1:
            self._begin(self._save_defaults(), "save")
        elif number == 2:
            self.app.push_screen(TextDialog("Name of the profile", ""), self._save_profile_as)
        elif number == 3:
            self._begin(self._forget(), "save")

    def _save_profile_as(self, name: str | None) -> None:
        if name is not None:
            self._begin(self._save_profile(name), "save")

    def _asked(self) -> dict[str, Any]:
        """What to save: what is not so without it. Looks at the disk."""
        without = self._workbench.decisions.collapsed(self._model, preset="", saved=False)
        return changed_values(self.config, without.load)

    async def _save_defaults(self) -> None:
        def save() -> Collapsed:
            # How it is asked has nothing to do with loading, and stays as it is.
            saved = self._defaults.get(self._model.key).values
            kept = {key: value for key, value in saved.items() if not key.startswith("load.")}
            self._defaults.save(self._model.key, kept | self._asked())
            return self._workbench.defaults_of(self._model.key)

        self._show_below(await asyncio.to_thread(save), keep=True)
        self.say(f"✓ Saved: {self._model.key} is loaded so from now on, by whatever way.")

    async def _save_profile(self, name: str) -> None:
        await asyncio.to_thread(lambda: self._defaults.save_profile(self._model.key, name, self._asked()))
        self.say(f"✓ Saved as the profile “{name}”. p takes it again.")

    async def _forget(self) -> None:
        def forget() -> Collapsed:
            self._defaults.reset(self._model.key)
            return self._workbench.defaults_of(self._model.key)

        self._show_below(await asyncio.to_thread(forget), keep=False)
        self.say("✓ Forgotten: the program's defaults count again.")
        self.estimate_again()

    def _show_below(self, collapsed: Collapsed, *, keep: bool) -> None:
        self.form.put_below(below_of(collapsed, keys_of("load", LOAD_PARAMETERS)), keep=keep)

    def action_choose_profile(self) -> None:
        self._begin(self._ask_profile(), "save")

    async def _ask_profile(self) -> None:
        saved = await asyncio.to_thread(self._defaults.get, self._model.key)
        self._profiles = list(saved.profiles)
        if not self._profiles:
            self.say(f"{self._model.key} has no profile yet. s saves one.")
            return
        lines = [*self._profiles, "none: the defaults"]
        self.app.push_screen(NumberDialog("Profile", lines), self._profile_chosen)

    def _profile_chosen(self, number: int | None) -> None:
        if number is not None:
            name = self._profiles[number - 1] if number <= len(self._profiles) else ""
            self._begin(self._take_profile(name), "save")

    async def _take_profile(self, name: str) -> None:
        collapsed = await asyncio.to_thread(lambda: self._workbench.defaults_of(self._model.key, profile=name))
        self._show_below(collapsed, keep=False)
        self.say(f"✓ The values of “{name}”." if name else "✓ The defaults.")
        self.estimate_again()

    def action_bench(self) -> None:
        """Try which parameters are fastest, beginning with those of the form."""
        from tui.app.screens.bench_screen import BenchScreen

        self.app.push_screen(BenchScreen(self._workbench, self._model, self.config), self._benched)

    def _benched(self, best: LoadConfig | None) -> None:
        if best is not None:
            self.form.set_values(asdict(best))
            self._begin(self._save_defaults(), "save")
            self.estimate_again()

    def action_choose_guardrail(self) -> None:
        self.app.push_screen(NumberDialog("Guardrail", list(_LEVELS.values())), self._guardrail_chosen)

    def _guardrail_chosen(self, number: int | None) -> None:
        if number is None:
            return
        level = list(_LEVELS)[number - 1]
        if level == "custom":
            limit = self._workbench.settings.get("guardrail_limit", 8)
            self.app.push_screen(TextDialog("Most GB for all models together", f"{limit:g}"), self._limit_chosen)
        else:
            self._set_guardrail(level)

    def _limit_chosen(self, text: str | None) -> None:
        if text is None:
            return
        try:
            limit = float(text.replace(",", "."))
            if not 0 < limit < 1_000_000:
                raise ValueError
        except ValueError:
            self._problem = f"{text!r} is no number of GB."
            self._explain()
            return
        self._workbench.settings.set("guardrail_limit", limit)
        self._set_guardrail("custom")

    def _set_guardrail(self, level: GuardrailLevel) -> None:
        self._workbench.settings.set("guardrail", level)
        self.say(f"✓ {_LEVELS[level]}.")
        self.estimate_again()
