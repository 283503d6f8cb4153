"""The engine as the rest of the program sees it: models go in and out, everything else is behind them."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from tui.domain import EngineFault, LoadConfig, MemoryEstimate, ModelInfo, ModelUnusable
from tui.engine.library import route_log
from tui.engine.loaded import LoadedModel
from tui.engine.loading import Kernels, LoadProgress, OpenModel, open_model
from tui.engine.log import LogRing
from tui.engine.memory import check_fit, estimate_memory
from tui.engine.self_test import SelfTest, self_test
from tui.engine.states import StateFolder
from tui.engine.verdicts import VerdictStore


class Engine:
    """Loads models into this process and keeps track of them. Safe to use from any thread; loading blocks."""

    def __init__(self, verdicts: Path, log: LogRing, *, states: Path | None = None) -> None:
        self._states = StateFolder(states) if states is not None else None
        self._store = VerdictStore(verdicts)
        self._log = log
        self._models: dict[str, LoadedModel] = {}
        self._loading = threading.Lock()
        self._tested: SelfTest | None = None
        self._log_routed = False

    def loaded(self) -> tuple[LoadedModel, ...]:
        """The models in memory, in the order they were loaded."""
        return tuple(self._models.values())

    def get(self, key: str) -> LoadedModel | None:
        """The loaded model of that key, if there is one."""
        return self._models.get(key)

    def self_test(self) -> SelfTest:
        """What this machine's kernels are good for; a second of work the first time. Raises EngineFault."""
        if self._tested is None:
            self._tested = self_test(self._store)
            level = "info" if self._tested.kernels == Kernels() else "warning"
            self._log.write("engine", level, f"self-test: {self._tested.summary}")
        return self._tested

    def estimate(self, model: ModelInfo, config: LoadConfig) -> MemoryEstimate:
        """What the model would need, from the probe. Blocks for half a second at first; raises LmdeckError."""
        return estimate_memory(model, config, self.self_test().kernels, self._store)

    def load(self, model: ModelInfo, config: LoadConfig, on_progress: LoadProgress | None = None) -> LoadedModel:
        """Load a model, in place of one with the same key, or give the one that is loaded just so already.

        Raises ModelUnusable, ModelWillNotFit, BadRequest, EngineFault or Cancelled. What was loaded before
        stays loaded when the new one is refused.
        """
        with self._loading:
            present = self._models.get(model.key)
            if present is not None and present.config == config:
                return present
            kernels = self.self_test().kernels
            estimate = estimate_memory(model, config, kernels, self._store)
            if present is not None:
                present.close()
                estimate = estimate_memory(model, config, kernels, self._store)
            check_fit(estimate, model, config)
            self._route_log()
            started = time.perf_counter()
            opened = self._open(model, config, kernels, on_progress)
            seconds = time.perf_counter() - started
            loaded = LoadedModel(model, config, kernels, opened, estimate, seconds, self._forget, self._states)
            self._models[model.key] = loaded
            self._log.write("engine", "info", f"loaded {model.key} in {seconds:.2f} s")
            return loaded

    def unload(self, key: str) -> None:
        """Free a model; its running answers end and keep what they have. Unknown keys are ignored."""
        model = self._models.get(key)
        if model is not None:
            model.close()
            self._log.write("engine", "info", f"unloaded {key}")

    def close(self) -> None:
        """Free everything."""
        for model in self.loaded():
            model.close()
        if self._states is not None:
            self._states.close()

    def _forget(self, model: LoadedModel) -> None:
        if self._models.get(model.key) is model:
            del self._models[model.key]

    def _route_log(self) -> None:
        if not self._log_routed:
            route_log(self._write_native)
            self._log_routed = True

    def _write_native(self, level: str, text: str) -> None:
        # llama.cpp's debug lines run to hundreds for each context and say nothing to a person.
        if level != "debug":
            self._log.write("llama.cpp", level, text)

    def _open(
        self, model: ModelInfo, config: LoadConfig, kernels: Kernels, on_progress: LoadProgress | None
    ) -> OpenModel:
        """Open the model, and add llama.cpp's own words to the error if that fails."""
        before = self._log.written
        try:
            return open_model(model.path, config, kernels, on_progress=on_progress)
        except (ModelUnusable, EngineFault) as problem:
            reasons = [line.text for line in self._log.lines(before) if line.level == "error"]
            if reasons:
                raise type(problem)(f"{problem.message} {reasons[0].strip()}.", problem.advice) from problem
            raise
