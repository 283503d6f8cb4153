"""Tries load parameters of a model one after the other, shows what comes of it, and saves the best."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.app.actions import bindings_for
from tui.app.figures import one_line, problem_text
from tui.app.stylesheets import stylesheet
from tui.app.widgets.key_bar import KeyBar
from tui.config import changed_values, label_of, parameters_by_key, value_text
from tui.domain import Cancelled, LmdeckError, LoadConfig, ModelInfo

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp
    from tui.engine import BenchOutcome
    from tui.workbench import Workbench

DRAW_EVERY = 0.25


class BenchScreen(ModalScreen[LoadConfig | None]):
    """Answers with the best configuration if it is to be kept, or with nothing."""

    BINDINGS = [*bindings_for("bench"), *bindings_for("dialogs")]
    CSS_PATH = stylesheet("dialogs")

    def __init__(self, workbench: Workbench, model: ModelInfo, config: LoadConfig) -> None:
        super().__init__()
        self._workbench = workbench
        self._model = model
        self._config = config
        self._stopped = threading.Event()
        self._done: list[BenchOutcome] = []
        self._drawn = -1
        self.best: LoadConfig | None = None
        """What came out, once it has ended."""
        self.table = Static(classes="bench-table", markup=False)
        self.note = Static(classes="explanation", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(classes="pile bench"):
            with VerticalScroll(classes="dialog") as pane:
                pane.border_title = Content(f"Bench {one_line(self._model.key)}")
                yield self.table
            yield self.note
        yield KeyBar(classes="keys")

    def on_mount(self) -> None:
        self.note.update(Content("Measuring. It takes some minutes, and wants the machine for itself. esc stops it."))
        self.set_interval(DRAW_EVERY, self._draw)
        self.run_worker(cast("LmdeckApp", self.app).attempt(self._run()), group="load")

    def on_unmount(self) -> None:
        self._stopped.set()

    async def _run(self) -> None:
        bench = self._workbench.bench
        try:
            result = await asyncio.to_thread(
                bench, self._model.key, self._config, self._done.append, self._stopped.is_set
            )
        except Cancelled:
            self.dismiss(None)
            return
        except LmdeckError as problem:
            self._stopped.set()
            self.note.update(Content.styled(f"✗ {problem_text(problem)}", "$error"))
            return
        self.best = result.best
        self._draw()
        better = changed_values(result.best, self._config)
        if not better:
            self.note.update(Content("Nothing was clearly faster than what there is. esc goes back."))
            return
        words = ", ".join(
            f"{label_of(key)} {value_text(parameters_by_key()[key], value)}" for key, value in better.items()
        )
        self.note.update(Content.styled(f"✓ Best: {words}. s puts it into the form and saves it.", "$success"))
        self.refresh_bindings()

    def _draw(self) -> None:
        from tui.engine import bench_rows

        if len(self._done) != self._drawn:
            self._drawn = len(self._done)
            rows = bench_rows(tuple(self._done))
            self.table.update(
                Content("\n").join(Content.styled(row, "" if row.startswith(" ") else "bold") for row in rows)
            )
            self.query_one(VerticalScroll).scroll_end(animate=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "keep":
            return self.best is not None and self.best != self._config
        return super().check_action(action, parameters)

    def action_keep(self) -> None:
        self.dismiss(self.best)

    def action_close(self) -> None:
        """Stop what runs, which unloads its model; otherwise go back."""
        running = self.best is None and not self._stopped.is_set()
        self._stopped.set()
        if running:
            self.note.update(Content("Stopping…"))
        else:
            self.dismiss(None)
