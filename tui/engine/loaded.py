"""A model in memory: its vocabulary, its figures, and the queue for its work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from tui.domain import Constraint, ContextExceeded, LoadConfig, LoadedValue, MemoryEstimate, ModelInfo, SamplingConfig
from tui.engine.constraint import Constraints
from tui.engine.library import load_llama
from tui.engine.lifetime import Lifetime
from tui.engine.loading import Kernels, OpenModel
from tui.engine.sampling import Sampler
from tui.engine.sequences import SequenceTable
from tui.engine.speculation import open_speculator
from tui.engine.state_identity import model_identity, state_parameters
from tui.engine.states import StateFolder
from tui.engine.task import GenerationTask
from tui.engine.vocabulary import Vocabulary
from tui.engine.worker import Worker


class LoadedModel:
    """One loaded model. Safe to use from any thread until it is closed."""

    def __init__(
        self,
        info: ModelInfo,
        config: LoadConfig,
        kernels: Kernels,
        opened: OpenModel,
        memory: MemoryEstimate,
        load_time: float,
        on_closed: Callable[[LoadedModel], None],
        states: StateFolder | None = None,
    ) -> None:
        llama = load_llama()
        self.info = info
        self.key = info.key
        self.config = config
        """What was asked for."""
        self.memory = memory
        self.load_time = load_time
        """Seconds."""
        self.context_length = opened.context_length
        self.trained_context_length: int = llama.llama_model_n_ctx_train(opened.model)
        self._lifetime = Lifetime()
        self.vocabulary = Vocabulary(llama, opened.model, self._lifetime)
        self._constraints = Constraints(self.vocabulary)
        self.chat_template = _chat_template(llama, opened.model)
        self.values = _loaded_values(llama, config, kernels, opened)
        self._close = threading.Lock()
        try:
            speculator = open_speculator(opened, config, kernels)
        except BaseException:
            opened.close()
            raise
        saved = None
        if states is not None:
            saved = states.for_model(model_identity(info.files or (info.path,)), state_parameters(opened, config))
        self._worker = Worker(
            opened,
            self.vocabulary,
            SequenceTable(opened, config, saved),
            speculator,
            config.parallel,
            self._lifetime,
            lambda: on_closed(self),
        )

    @property
    def memory_bytes(self) -> int:
        """What it takes, over all devices."""
        return self.memory.needed

    @property
    def running(self) -> int:
        """Answers that are being generated or wait for their turn."""
        return self._worker.running

    @property
    def last_used(self) -> float:
        """When it had work last, on the monotonic clock; now, while it works."""
        return time.monotonic() if self.running else self._worker.last_used

    def submit(
        self,
        prompt: list[int],
        sampling: SamplingConfig,
        *,
        constraint: Constraint | None = None,
        priority: int = 0,
        keep_state: bool = False,
    ) -> GenerationTask:
        """Queue a prompt; a lower `priority` is served first, `keep_state` lets the cache go to disk later.

        Raises ContextExceeded if it leaves no room for an answer, BadRequest for bad sampling or a bad constraint.
        """
        if len(prompt) >= self.context_length:
            raise ContextExceeded(
                f"The prompt has {len(prompt):,} tokens, but the context holds {self.context_length:,}.",
                "Load the model with a longer context, start a new thread, or send less.",
                prompt_tokens=len(prompt),
                context_length=self.context_length,
            )
        with self._lifetime.use():
            state = self._constraints.start(constraint) if constraint is not None else None
            sampler = Sampler(sampling, self.vocabulary, self.trained_context_length, state, self.config.seed)
            sampler.prime(prompt)
        task = GenerationTask(prompt, sampling, sampler, self._worker.nudge, priority=priority, keep_state=keep_state)
        self._worker.submit(task)
        return task

    def close(self) -> None:
        """End what runs and free the memory; blocks until that is done."""
        with self._close:
            self._worker.stop()


def _chat_template(llama: Any, model: Any) -> str:
    template = llama.llama_model_chat_template(model, None)
    return template.decode("utf-8", "replace") if template else ""


def _loaded_values(llama: Any, config: LoadConfig, kernels: Kernels, opened: OpenModel) -> tuple[LoadedValue, ...]:
    """Asked and loaded, side by side, as llama.cpp itself reports it."""
    offloads = kernels.gpu and llama.llama_supports_gpu_offload()
    layers = min(opened.layers if config.gpu_layers is None else config.gpu_layers, opened.layers) if offloads else 0
    context = opened.context
    loaded: tuple[tuple[str, int], ...] = (
        ("context_length", opened.context_length),
        ("gpu_layers", layers),
        ("evaluation_batch_size", llama.llama_n_batch(context)),
        ("physical_batch_size", llama.llama_n_ubatch(context)),
        ("threads", llama.llama_n_threads(context)),
        ("batch_threads", llama.llama_n_threads_batch(context)),
    )
    return tuple(
        LoadedValue(name, "auto" if (asked := getattr(config, name)) is None else f"{asked:,}", f"{value:,}")
        for name, value in loaded
    )
