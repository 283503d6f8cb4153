"""Asks how a model shall be loaded, says beforehand what that costs, fits it to memory, and loads it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui.app.actions import bindings_for
from tui.app.estimate_text import changes_text, differences_text, estimate_content, speed_text
from tui.app.figures import bar, one_line, problem_text
from tui.app.newest import Newest
from tui.app.screens.load_commands import LoadCommands
from tui.app.stylesheets import stylesheet
from tui.app.value_sources import below_of, keys_of
from tui.app.widgets.key_bar import KeyBar
from tui.app.widgets.load_form import LoadForm
from tui.app.widgets.parameter_form import ParameterForm
from tui.config import LM_STUDIO_LABELS, LOAD_PARAMETERS, LOAD_SECTIONS, Collapsed, Speed
from tui.domain import BadRequest, LmdeckError, LoadConfig, MemoryEstimate, ModelInfo, ModelWillNotFit

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.engine import LoadedModel
    from tui.workbench import Workbench

ESTIMATE_DELAY = 0.15
"""Seconds without a change after which the estimate is made: longer than between the repeats of a key held down."""

PROGRESS_INTERVAL = 0.1
PROGRESS_WIDTH = 40

LABELS = {parameter.name: parameter.label for parameter in LOAD_PARAMETERS}


class LoadDialog(LoadCommands):
    """Answers with the loaded model, or with nothing when it was cancelled."""

    BINDINGS = bindings_for("dialogs")
    CSS_PATH = stylesheet("dialogs")

    def __init__(
        self, workbench: Workbench, model: ModelInfo, config: LoadConfig, below: Collapsed | None = None
    ) -> None:
        """`below` is what the model is loaded with where nothing is changed."""
        super().__init__(workbench, model)
        self._config = config
        self._estimate: MemoryEstimate | None = None
        self._speed: Speed | None = None
        self._refused = False
        """Whether the guardrail refuses the parameters as they stand."""
        self._delay: Timer | None = None
        self._estimates = Newest(self._estimate_now)
        self._started = 0.0
        self._progress = 0.0
        self._stopping = False
        limits = {"context_length": model.context_length, "gpu_layers": model.layers}
        known = {name: limit for name, limit in limits.items() if limit}
        title, counts = f"Load {one_line(model.key)}", below_of(below or Collapsed(), keys_of("load", LOAD_PARAMETERS))
        self.form = LoadForm(title, LOAD_PARAMETERS, LOAD_SECTIONS, asdict(config), known, counts)
        self.outlook = Static("Estimating…", classes="estimate", markup=False)
        self.explanation = Static(classes="explanation", markup=False)

    def compose(self) -> ComposeResult:
        self.outlook.border_title = "Memory"
        with Vertical(classes="pile load"):
            yield self.form
            yield self.outlook
            yield self.explanation
        yield KeyBar(classes="keys")

    def on_mount(self) -> None:
        self.estimate_again()
        self._explain()

    def on_unmount(self) -> None:
        self._stopping = True

    @property
    def config(self) -> LoadConfig:
        """The parameters as they stand in the form."""
        return replace(self._config, **self.form.values)

    @on(ParameterForm.Highlighted)
    def _moved(self) -> None:
        self._notice = ""
        self._explain()

    def _explain(self) -> None:
        """What the parameter under the cursor does, or what is wrong."""
        problem = self.form.problem or self._problem
        parameter = self.form.current
        if problem:
            self.explanation.update(Content.styled(f"✗ {problem}", "$error"))
        elif self._notice:
            self.explanation.update(Content.styled(self._notice, "$success"))
        elif parameter is not None:
            theirs = LM_STUDIO_LABELS.get(parameter.name, "")
            also = f" LM Studio calls it {theirs}." if theirs.lower() != parameter.label.lower() and theirs else ""
            source = f"\nNow: {self.form.source_text}."
            text = Content.assemble(
                (parameter.label, "bold"), (f"  {parameter.help}{also}", "$foreground 75%"), (source, "$foreground 60%")
            )
            self.explanation.update(text)

    @on(ParameterForm.Changed)
    def _changed(self) -> None:
        self._problem = self._notice = ""
        self._explain()
        if self._delay is not None:
            self._delay.stop()
        self._delay = self.set_timer(ESTIMATE_DELAY, self.estimate_again)

    def estimate_again(self) -> None:
        """Find out what loading would need, and what the guardrail says to it, as things are now."""
        if not self._started and self._estimates.take(self.config):
            self._begin(self._estimates.run(), "estimate")

    async def _estimate_now(self, config: LoadConfig) -> None:
        if self._estimate is not None:
            self.outlook.update(estimate_content(self._estimate, stale=True))
        try:
            estimate = await asyncio.to_thread(self._workbench.estimate, self._model.key, config)
            self._speed = await asyncio.to_thread(self._workbench.expected_speed, self._model.key, config)
        except LmdeckError as error:
            self._estimate = None
            self._refuse(False)
            if not self._started:
                self.outlook.update(Content("No estimate."))
                self._show_problem(error)
        else:
            if not self._estimates.overtaken:
                self._show_estimate(estimate)

    def _show_estimate(self, estimate: MemoryEstimate) -> None:
        self._estimate = estimate
        self._refuse(estimate.shortage is not None)
        self.outlook.border_subtitle = speed_text(self._speed)
        if not self._started:
            self.outlook.update(estimate_content(estimate, stale=False))

    def _refuse(self, refused: bool) -> None:
        """Offer to load anyway where the guardrail is what stands in the way."""
        if refused != self._refused:
            self._refused = refused
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return self._refused if action == "load_anyway" else True

    def action_fit(self) -> None:
        """Choose what fits into the memory that is free, and say what that changes."""
        if not self._started:
            self._begin(self._fit_now(self.config), "estimate")

    async def _fit_now(self, config: LoadConfig) -> None:
        self.outlook.update(Content("Fitting to the memory that is free…"))
        try:
            fitted = await asyncio.to_thread(self._workbench.fit, self._model.key, config)
        except LmdeckError as error:
            self._show_problem(error)
            await self._estimate_now(config)
            return
        self.form.set_values(asdict(fitted.config))
        self._speed = await asyncio.to_thread(self._workbench.expected_speed, self._model.key, fitted.config)
        self._show_estimate(fitted.estimate)
        self.say(f"✓ {changes_text(fitted.changes, LABELS)}")

    def action_load_anyway(self) -> None:
        """Load what the guardrail refuses."""
        self._load(force=True)

    def _show_problem(self, error: LmdeckError) -> None:
        self._problem = problem_text(error)
        self.call_after_refresh(self._explain)

    @on(ParameterForm.Confirmed)
    def _confirmed(self) -> None:
        self._load()

    def _load(self, *, force: bool = False) -> None:
        if not self._started:
            self._started = time.monotonic()
            self._progress, self._problem, self._notice = 0.0, "", ""
            self.form.disabled = True
            self._begin(self._load_now(self.config, force=force), "load")

    async def _load_now(self, config: LoadConfig, *, force: bool) -> None:
        watch = self.set_interval(PROGRESS_INTERVAL, self._show_progress)
        loaded = None
        try:
            loaded = await asyncio.to_thread(self._workbench.load, self._model.key, config, self._report, force=force)
        except LmdeckError as error:
            if isinstance(error, BadRequest):
                self.form.point_at(error.field.rpartition(".")[2])
            self._refuse(isinstance(error, ModelWillNotFit))
            self._show_problem(error)
        finally:
            watch.stop()
            if loaded is None:
                self._take_up_again()
        if loaded is not None:
            self._tell_differences(loaded)
            self.dismiss(loaded)

    def _take_up_again(self) -> None:
        """Let the parameters be changed after a load that came to nothing."""
        self._started, self._stopping = 0.0, False
        self.form.disabled = False
        self.form.focus()
        if self._estimate is not None:
            self.outlook.update(estimate_content(self._estimate, stale=False))

    def _report(self, progress: float) -> bool:
        """Called by the engine's thread; false makes it give up."""
        self._progress = progress
        return not self._stopping

    def _show_progress(self) -> None:
        seconds = time.monotonic() - self._started
        what = "Stopping" if self._stopping else "Loading"
        line = f"{what} {bar(self._progress, PROGRESS_WIDTH)} {self._progress:4.0%}  {seconds:.1f} s"
        self.outlook.update(Content.styled(line, "$success"), layout=False)

    def _tell_differences(self, loaded: LoadedModel) -> None:
        """A number that was asked for is never changed in silence."""
        usual = LoadConfig()
        # What nobody chose is not asked for, such as batches that are longer than the context.
        chosen = [
            value for value in loaded.values
            if value.fitted or getattr(loaded.config, value.name) != getattr(usual, value.name)
        ]  # fmt: skip
        if changed := differences_text(chosen, LABELS):
            self.notify(changed, title="Loaded differently", severity="warning", markup=False)

    def action_close(self) -> None:
        if self._started:
            self._stopping = True
        else:
            self.dismiss(None)
