"""The engine as the rest of the program sees it: models go in and out, everything else is behind them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tui.domain import (
    EngineFault,
    FittedLoad,
    Guardrail,
    LoadConfig,
    MemoryEstimate,
    ModelInfo,
    ModelUnusable,
)
from tui.engine.fit import fit_load
from tui.engine.free_memory import held_memory, with_free_memory
from tui.engine.guardrail import judge, refusal
from tui.engine.idle import IdleWatch
from tui.engine.images import choose_projector, likely_projector
from tui.engine.library import route_log
from tui.engine.loaded import LoadedModel
from tui.engine.loading import Kernels, LoadProgress, OpenModel, open_model
from tui.engine.log import LogRing
from tui.engine.machine import Machine
from tui.engine.memory import lay_out
from tui.engine.native_memory import keep_one_arena, return_memory
from tui.engine.registry import Registry
from tui.engine.self_test import SelfTest
from tui.engine.states import StateFolder


class Engine:
    """Loads models into this process and keeps track of them. Safe to use from any thread; loading blocks."""

    def __init__(
        self,
        verdicts: Path,
        log: LogRing,
        *,
        states: Path | None = None,
        guardrail: Callable[[], Guardrail] = Guardrail,
        machine: Machine | None = None,
    ) -> None:
        """`guardrail` is asked at each load, so that a changed setting counts at once.

        `machine`, whose self-test may be going on already, is closed with the engine.
        """
        keep_one_arena()
        self._guardrail = guardrail
        self._states = StateFolder(states) if states is not None else None
        self._machine = machine or Machine(verdicts, log)
        self._store = self._machine.verdicts
        self._log = log
        self._registry = Registry()
        self._loading = threading.Lock()
        self._progress: dict[str, float] = {}
        self._idle = IdleWatch(self.loaded, self._expire)
        self._log_routed = False
        self.auto_evict = True
        """Whether a model that a request loads takes the place of the one that another request loaded before."""
        self.on_change: Callable[[], None] | None = None
        """Hears, from any thread, that a model came or went."""

    def loaded(self) -> tuple[LoadedModel, ...]:
        """The models in memory, in the order they were loaded."""
        return self._registry.all()

    def loading(self) -> tuple[tuple[str, float], ...]:
        """The models that are being loaded, and how far they are, 0 to 1."""
        return tuple(self._progress.items())

    def get(self, key: str) -> LoadedModel | None:
        """The loaded model of that key, if there is one."""
        return self._registry.get(key)

    def reserve(self, key: str) -> LoadedModel | None:
        """The same, for somebody who is about to ask it something: it does not go by itself before `release`."""
        return self._registry.reserve(key)

    def self_test(self) -> SelfTest:
        """What this machine's kernels are good for; half a second of work the first time. Raises EngineFault, and
        Cancelled if the engine is closed meanwhile."""
        return self._machine.test.outcome()

    def estimate(self, model: ModelInfo, config: LoadConfig) -> MemoryEstimate:
        """What the model would need, from the probe, and what the guardrail says to it. With `fit`, after fitting.

        What models hold that would go counts as free. Blocks for half a second at first; raises LmdeckError.
        """
        return self._planned(model, config, likely_projector(model, config), self._replaceable(model)).estimate

    def fit(self, model: ModelInfo, config: LoadConfig, *, alone: bool = False) -> FittedLoad:
        """The configuration with the context length and the GPU layers that go into the memory that is free.

        `alone` counts as free what loaded models hold. Blocks for some estimates; raises ModelWillNotFit if nothing
        fits, and as `estimate` does.
        """
        going = self.loaded() if alone else self._replaceable(model)
        fitted = self._planned(model, replace(config, fit=True), likely_projector(model, config), going)
        if fitted.estimate.shortage is not None:
            raise refusal(model, fitted.config, fitted.estimate)
        return replace(fitted, config=replace(fitted.config, fit=config.fit))

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
        a request needs it: it takes what is there, reserves the model as `reserve` does, and the model may go again
        when others need its room. `identifier` loads one more under this name, with a number behind it if it is taken
        (`name:2`). Raises ModelUnusable, ModelWillNotFit, BadRequest, EngineFault or Cancelled. What was loaded before
        stays loaded when the new one is refused.
        """
        with self._loading:
            if identifier:
                model = replace(model, key=self._registry.free_key(identifier))
            present = self._registry.reserve(model.key)
            # A request takes what is there; only a person has it replaced.
            if present is not None and (just_in_time or present.config == config):
                if not just_in_time:
                    # What a request had loaded is wanted by a person from now on.
                    present.ttl, present.just_in_time = ttl, False
                    self._idle.look()
                    present.release()
                return present
            if present is not None:
                present.release()
            kernels = self.self_test().kernels
            # Parameters are checked before a projector is blamed.
            lay_out(model, config, kernels, self._store, self._machine.child.run)
            projector = choose_projector(model, config, kernels, self._store, self._warn)
            plan = self._make_room(model, config, projector, force=force, just_in_time=just_in_time)
            self._route_log()
            started = time.perf_counter()
            opened = self._open(model, plan.config, kernels, on_progress)
            seconds = time.perf_counter() - started
            loaded = LoadedModel(
                model,
                plan.config,
                kernels,
                opened,
                plan.estimate,
                seconds,
                self._forget,
                self._states,
                asked=config,
                projector=projector,
            )
            loaded.ttl, loaded.just_in_time = ttl, just_in_time
            if just_in_time:
                loaded.reserve()
            self._registry.add(loaded)
            self._log.write("engine", "info", f"loaded {model.key} in {seconds:.2f} s")
        self._idle.look()
        self._tell()
        return loaded

    def unload(self, key: str) -> None:
        """Free a model; its running answers end and keep what they have. Unknown keys are ignored."""
        model = self._registry.get(key)
        if model is not None:
            model.close()
            del model  # what it still holds shall be freed before memory is returned
            return_memory()
            self._log.write("engine", "info", f"unloaded {key}")

    def unload_idle(self, key: str) -> bool:
        """Free a model that nobody uses just now; False where there is no such model."""
        model = self._registry.get(key)
        return model is not None and self._free_idle(model, "as nobody used it")

    def close(self) -> None:
        """Free everything."""
        self._idle.stop()
        self._machine.close()
        for model in self._registry.every():
            model.close()
        if self._states is not None:
            self._states.close()

    def _make_room(
        self, model: ModelInfo, config: LoadConfig, projector: Path | None, *, force: bool, just_in_time: bool
    ) -> FittedLoad:
        """See to it that the model fits: what it replaces goes, then idle models that requests had loaded.

        Raises ModelWillNotFit before anything goes, if that would not help.
        """
        going = self._replaceable(model)
        wanted = self._planned(model, config, projector, going)
        if wanted.estimate.shortage is not None and not force:
            raise refusal(model, wanted.config, wanted.estimate)
        if self._registry.get(model.key) is not None:
            self.unload(model.key)
        spare = sorted((other for other in going if other.key != model.key), key=lambda other: other.last_used)
        if just_in_time and self.auto_evict:
            for other in self._registry.all():
                if other.just_in_time and not self._evict(other, model.key):
                    other.ttl = 0.0  # it goes as soon as it has done its work
            spare = []
        plan = self._planned(model, config, projector, ())
        while spare and not force and (plan.estimate.shortage is not None or plan.config != wanted.config):
            self._evict(spare.pop(0), model.key)
            plan = self._planned(model, config, projector, ())
        if plan.estimate.shortage is not None and not force:
            raise refusal(model, plan.config, plan.estimate)
        return plan

    def _replaceable(self, model: ModelInfo) -> tuple[LoadedModel, ...]:
        """What may go when a model comes: the one of the same key, and idle ones that requests had loaded."""
        return tuple(
            other for other in self.loaded() if other.key == model.key or (other.just_in_time and not other.in_use)
        )

    def _planned(
        self, model: ModelInfo, config: LoadConfig, projector: Path | None, going: tuple[LoadedModel, ...]
    ) -> FittedLoad:
        """The configuration to load, fitted if that is wanted, and its estimate for when these models have gone."""
        kernels = self.self_test().kernels
        guardrail = self._guardrail()
        leaving = [device for other in going for device in other.memory.devices]
        held = sum(other.memory_bytes for other in self.loaded() if other not in going)
        freed = sum(held_memory(leaving).values())

        def estimate(tried: LoadConfig) -> MemoryEstimate:
            layout = lay_out(model, tried, kernels, self._store, self._machine.child.run, projector)
            devices = with_free_memory(layout.devices, leaving)
            return judge(devices, guardrail, held=held, freed=freed, parks=not layout.embeds)

        if not config.fit:
            return FittedLoad(config, estimate(config))
        layout = lay_out(model, config, kernels, self._store, self._machine.child.run, projector)
        return fit_load(config, layout.trained, layout.layers, estimate)

    def _evict(self, model: LoadedModel, newcomer: str) -> bool:
        return self._free_idle(model, f"to make room for {newcomer}")

    def _expire(self, model: LoadedModel) -> None:
        self._free_idle(model, f"after {model.ttl or 0:,.0f} s without work")

    def _free_idle(self, model: LoadedModel, reason: str) -> bool:
        if not self._registry.take_out(model):
            return False
        model.close()
        return_memory()
        self._log.write("engine", "info", f"unloaded {model.key} {reason}")
        return True

    def _forget(self, model: LoadedModel) -> None:
        self._registry.forget(model)
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
