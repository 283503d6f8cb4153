"""Tries how a model is loaded best on this machine: one parameter after the other, each on top of the best so far."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tui.domain import Cancelled, GenerationStats, LmdeckError, LoadConfig, SamplingConfig
from tui.engine.devices import gpu_handles
from tui.engine.loaded import LoadedModel
from tui.engine.loading import default_threads
from tui.engine.task import GenerationTask

Aim = Literal["generation", "prompt"]
"""Which of the two speeds a parameter bears on."""

ROUNDS = 3
PROMPT_TOKENS = 256
TOKENS = 64
GAIN = 1.03
"""What is not faster by as much is taken for noise, and changes nothing."""

_PATIENCE = 0.1
"""Seconds between two looks whether somebody wants it to stop."""
_FILLER = "The quick brown fox jumps over the lazy dog and runs on through the wood until the evening comes. "


@dataclass(frozen=True, slots=True)
class BenchTrial:
    """One configuration to measure."""

    group: str
    """The parameter that is tried, as people call it."""
    label: str
    """Its value."""
    config: LoadConfig
    aim: Aim = "generation"
    adoptable: bool = True
    """Whether it may become the best; not so for what costs precision, which is for a person to decide."""


@dataclass(frozen=True, slots=True)
class BenchOutcome:
    """What one trial came to: medians in tokens per second, 0 with the reason where it could not be measured."""

    trial: BenchTrial
    generation: float = 0.0
    prompt: float = 0.0
    problem: str = ""
    slowest: float = 0.0
    fastest: float = 0.0
    """The rounds between which the median of the speed that the trial is about lies."""

    @property
    def stats(self) -> GenerationStats:
        """The same as the figures of an answer."""
        return GenerationStats(
            prompt_tokens=PROMPT_TOKENS,
            generated_tokens=TOKENS,
            generation_speed=self.generation,
            prompt_speed=self.prompt,
        )

    @property
    def speed(self) -> float:
        """The speed that the trial is about."""
        return self.generation if self.trial.aim == "generation" else self.prompt


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Everything that was measured, and the configuration that came out of it."""

    outcomes: tuple[BenchOutcome, ...]
    best: LoadConfig


Load = Callable[[LoadConfig], LoadedModel]


class Bench:
    """One run. Blocks for minutes; `run` is called from a thread of its own."""

    def __init__(
        self,
        load: Load,
        unload: Callable[[LoadedModel], None],
        config: LoadConfig,
        *,
        rounds: int = ROUNDS,
        longest: int = 0,
    ) -> None:
        """`config` is where it begins. `load` may raise LmdeckError, which ends one trial only.

        `longest` is the context that the model was trained for, 0 where that is not known.
        """
        self._load = load
        self._unload = unload
        self._prompt_tokens = min(PROMPT_TOKENS, longest // 2) if longest else PROMPT_TOKENS
        self._tokens = min(TOKENS, longest // 8) if longest else TOKENS
        room = self._prompt_tokens + 2 * self._tokens
        self._config = config
        # Anything that guesses ahead would measure how well the filler can be guessed.
        self._plain = {"speculation": "off", "parallel": 1, "context_length": room, "seed": 1, "fit": False}
        self._rounds = rounds
        self._outcomes: list[BenchOutcome] = []

    def run(self, on_outcome: Callable[[BenchOutcome], None], cancelled: Callable[[], bool]) -> BenchResult:
        """Try all parameters. Raises Cancelled, and LmdeckError where not even the beginning can be measured."""
        best = self._config
        for group in _GROUPS:
            trials = group(best)
            outcomes = [self._measure(trial, on_outcome, cancelled) for trial in trials] if len(trials) > 1 else []
            if outcomes and outcomes[0].problem and best == self._config and not any(one.speed for one in outcomes):
                raise LmdeckError(f"Nothing could be measured. {outcomes[0].problem}", "Try a smaller model.")
            best = self._better(best, outcomes)
        return BenchResult(tuple(self._outcomes), best)

    def _better(self, best: LoadConfig, outcomes: Sequence[BenchOutcome]) -> LoadConfig:
        """The configuration of the fastest trial, if it is clearly faster than the one that there was.

        That is, if each of its rounds was faster than all of the other's: machines are not quiet for minutes.
        """
        if not outcomes:
            return best
        first, *others = outcomes
        fastest = max((one for one in others if one.trial.adoptable), key=lambda one: one.speed, default=first)
        clearly = fastest.speed > first.speed * GAIN and fastest.slowest > first.fastest
        return fastest.trial.config if clearly else best

    def _measure(
        self, trial: BenchTrial, on_outcome: Callable[[BenchOutcome], None], cancelled: Callable[[], bool]
    ) -> BenchOutcome:
        if cancelled():
            raise Cancelled("The bench was stopped.")
        try:
            model = self._load(replace(trial.config, **self._plain))  # type: ignore[arg-type]
        except Cancelled:
            raise
        except LmdeckError as problem:
            outcome = BenchOutcome(trial, problem=problem.message)
        else:
            try:
                outcome = self._measured(trial, model, cancelled)
            finally:
                self._unload(model)
        self._outcomes.append(outcome)
        on_outcome(outcome)
        return outcome

    def _measured(self, trial: BenchTrial, model: LoadedModel, cancelled: Callable[[], bool]) -> BenchOutcome:
        generation, prompt = [], []
        # The first round warms up: pages of the file are read, buffers are touched.
        for number in range(self._rounds + 1):
            try:
                stats = self._answered(self._ask(model, number), cancelled)
            except Cancelled:
                raise
            except LmdeckError as problem:
                return BenchOutcome(trial, problem=problem.message)
            if number:
                generation.append(stats[0])
                prompt.append(stats[1])
        rounds = generation if trial.aim == "generation" else prompt
        medians = statistics.median(generation), statistics.median(prompt)
        return BenchOutcome(trial, *medians, slowest=min(rounds), fastest=max(rounds))

    def _ask(self, model: LoadedModel, number: int) -> GenerationTask:
        # Another beginning each time, so that nothing comes from the cache.
        text = f"{number} {_FILLER}" * (self._prompt_tokens // 8)
        tokens = model.vocabulary.tokenize(text, parse_special=False)[: self._prompt_tokens]
        sampling = SamplingConfig(temperature=0.0, max_tokens=self._tokens, ignore_end_of_generation=True)
        return model.submit(tokens, sampling)

    def _answered(self, task: GenerationTask, cancelled: Callable[[], bool]) -> tuple[float, float]:
        """Speeds of generating and of reading the prompt."""
        while True:
            if cancelled():
                task.cancel()
                raise Cancelled("The bench was stopped.")
            delivery = task.mailbox.take(_PATIENCE)
            if delivery is not None and delivery.stats is not None:
                if delivery.error is not None:
                    raise delivery.error
                return delivery.stats.generation_speed, delivery.stats.prompt_speed


def _offloads(base: LoadConfig) -> list[BenchTrial]:
    if not gpu_handles():
        return []
    trials = [BenchTrial("GPU offload", "as it is", base)]
    for ratio in (1.0, 0.75, 0.5, 0.25, 0.0):
        config = replace(base, gpu_layers=None, gpu_offload_ratio=ratio)
        trials.append(BenchTrial("GPU offload", f"{ratio:.0%}", config))
    return trials


def _threads(base: LoadConfig) -> list[BenchTrial]:
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        allowed = os.cpu_count() or 1
    now = base.threads or default_threads()
    counts = sorted({max(1, default_threads() // 2), default_threads(), allowed} - {now})
    return [BenchTrial("CPU threads", str(now), base)] + [
        BenchTrial("CPU threads", str(count), replace(base, threads=count)) for count in counts
    ]


def _flash(base: LoadConfig) -> list[BenchTrial]:
    modes = [mode for mode in ("auto", "on", "off") if mode != base.flash_attention]
    return [BenchTrial("Flash attention", base.flash_attention, base)] + [
        BenchTrial("Flash attention", mode, replace(base, flash_attention=mode))  # type: ignore[arg-type]
        for mode in modes
    ]


def _batches(base: LoadConfig) -> list[BenchTrial]:
    sizes = [size for size in (128, 256, 512, 1024) if size != base.physical_batch_size]
    return [BenchTrial("Physical batch", str(base.physical_batch_size), base, "prompt")] + [
        BenchTrial(
            "Physical batch",
            str(size),
            replace(base, physical_batch_size=size, evaluation_batch_size=max(base.evaluation_batch_size, size)),
            "prompt",
        )
        for size in sizes
    ]


def _caches(base: LoadConfig) -> list[BenchTrial]:
    now = f"{base.key_cache_type}/{base.value_cache_type}"
    trials = [BenchTrial("Cache types (K/V)", now, base)]
    for kind in ("q8_0", "q4_0"):
        config = replace(base, key_cache_type=kind, value_cache_type=kind, flash_attention="on")
        trials.append(BenchTrial("Cache types (K/V)", f"{kind}/{kind}", config, adoptable=False))
    return trials


_GROUPS: tuple[Callable[[LoadConfig], list[BenchTrial]], ...] = (_offloads, _threads, _flash, _batches, _caches)
"""What bears most on speed comes first. The first trial of each is the best so far, measured again beside the others,
as a machine does not stay the same for minutes."""
