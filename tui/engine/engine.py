"""The engine as the rest of the program sees it: models go in and out, everything else is behind them."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, count
from pathlib import Path

from tui.domain import EngineFault, LoadConfig, MemoryEstimate, ModelInfo, ModelUnusable, ModelWillNotFit
from tui.engine.idle import IdleWatch
from tui.engine.images import choose_projector
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
        self._progress: dict[str, float] = {}
        self._idle = IdleWatch(self.loaded, self._expire)
        self._tested: SelfTest | None = None
        self._log_routed = False
        self.auto_evict = True
        """Whether a model that a request loads takes the place of the one that another request loaded before."""
        self.on_change: Callable[[], None] | None = None
        """Hears, from any thread, that a model came or went."""

    def loaded(self) -> tuple[LoadedModel, ...]:
        """The models in memory, in the order they were loaded."""
        return tuple(self._models.values())

    def loading(self) -> tuple[tuple[str, float], ...]:
        """The models that are being loaded, and how far they are, 0 to 1."""
        return tuple(self._progress.items())

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

    def load(
        self,
        model: ModelInfo,
        config: LoadConfig,
        on_progress: LoadProgress | None = None,
        *,
        force: bool = False,
        ttl: float | None = None,
        just_in_time: bool = False,
        identifier: str = "",
    ) -> LoadedModel:
        """Load a model, in place of one with the same key, or give the one that is loaded just so already.

        `force` loads even what will not fit. `ttl` is how many seconds without work it stays; `just_in_time` says that
        a request needs it, so that it may go again when others need its room. `identifier` loads one more under this
        name, with a number behind it if it is taken (`name:2`), rather than replace anything. Raises ModelUnusable,
        ModelWillNotFit, BadRequest, EngineFault or Cancelled. What was loaded before stays loaded when the new one is
        refused.
        """
        with self._loading:
            if identifier:
                model = replace(model, key=self._free_key(identifier))
            present = self._models.get(model.key)
            if present is not None and present.config == config:
                if not just_in_time:
                    # What a request had loaded is wanted by a person from now on.
                    present.ttl, present.just_in_time = ttl, False
                    self._idle.look()
                return present
            kernels = self.self_test().kernels
            estimate = self._make_room(model, config, present, force=force, just_in_time=just_in_time)
            self._route_log()
            projector = choose_projector(model, config, kernels, self._store, self._warn)
            started = time.perf_counter()
            opened = self._open(model, config, kernels, on_progress)
            seconds = time.perf_counter() - started
            loaded = LoadedModel(
                model, config, kernels, opened, estimate, seconds, self._forget, self._states, projector=projector
            )
            loaded.ttl, loaded.just_in_time = ttl, just_in_time
            self._models[model.key] = loaded
            self._log.write("engine", "info", f"loaded {model.key} in {seconds:.2f} s")
        self._idle.look()
        self._tell()
        return loaded

    def unload(self, key: str) -> None:
        """Free a model; its running answers end and keep what they have. Unknown keys are ignored."""
        model = self._models.get(key)
        if model is not None:
            model.close()
            _return_memory()
            self._log.write("engine", "info", f"unloaded {key}")

    def close(self) -> None:
        """Free everything."""
        self._idle.stop()
        for model in self.loaded():
            model.close()
        if self._states is not None:
            self._states.close()

    def _make_room(
        self, model: ModelInfo, config: LoadConfig, present: LoadedModel | None, *, force: bool, just_in_time: bool
    ) -> MemoryEstimate:
        """See to it that the model fits: what it replaces goes, then idle models that requests had loaded."""
        estimate = self.estimate(model, config)
        if present is not None:
            present.close()
            _return_memory()
        spare = [other for other in self.loaded() if other.just_in_time and not other.running]
        if just_in_time and self.auto_evict:
            for other in spare:
                self._evict(other, model.key)
            spare = []
        spare.sort(key=lambda other: other.last_used)
        while not force:
            estimate = self.estimate(model, config)
            try:
                check_fit(estimate, model, config)
                break
            except ModelWillNotFit:
                if not spare:
                    raise
                self._evict(spare.pop(0), model.key)
        return estimate

    def _free_key(self, wanted: str) -> str:
        """The name, or the first number behind it that no loaded model has."""
        names = chain([wanted], (f"{wanted}:{number}" for number in count(2)))
        return next(name for name in names if name not in self._models)

    def _evict(self, model: LoadedModel, newcomer: str) -> None:
        self._log.write("engine", "info", f"{model.key} makes room for {newcomer}")
        self.unload(model.key)

    def _expire(self, model: LoadedModel) -> None:
        self._log.write("engine", "info", f"{model.key} was not used for {model.ttl:,.0f} s")
        self.unload(model.key)

    def _forget(self, model: LoadedModel) -> None:
        if self._models.get(model.key) is model:
            del self._models[model.key]
        self._tell()

    def _tell(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def _route_log(self) -> None:
        if not self._log_routed:
            route_log(self._write_native)
            self._log_routed = True

    def _warn(self, text: str) -> None:
        self._log.write("engine", "warning", text)

    def _write_native(self, level: str, text: str) -> None:
        # llama.cpp's debug lines run to hundreds for each context and say nothing to a person.
        if level != "debug":
            self._log.write("llama.cpp", level, text)

    def _open(
        self, model: ModelInfo, config: LoadConfig, kernels: Kernels, on_progress: LoadProgress | None
    ) -> OpenModel:
        """Open the model, and add llama.cpp's own words to the error if that fails."""
        before = self._log.written

        def report(progress: float) -> bool | None:
            self._progress[model.key] = progress
            return on_progress(progress) if on_progress is not None else None

        self._progress[model.key] = 0.0
        try:
            return open_model(model.path, config, kernels, on_progress=report)
        except (ModelUnusable, EngineFault) as problem:
            reasons = [line.text for line in self._log.lines(before) if line.level == "error"]
            if reasons:
                raise type(problem)(f"{problem.message} {reasons[0].strip()}.", problem.advice) from problem
            raise
        finally:
            self._progress.pop(model.key, None)


def _return_memory() -> None:
    """Give freed memory back to the system, which glibc otherwise keeps for later."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
