"""A sequence table with a real model and the least loop around it, so that tests see every step of the cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.domain import LoadConfig, SamplingConfig
from tui.engine.batch import Batch, Share
from tui.engine.library import load_llama, route_log
from tui.engine.loading import Kernels, OpenModel, open_model
from tui.engine.sequences import Sequence, SequenceTable
from tui.engine.state_identity import model_identity, state_parameters
from tui.engine.states import StateFolder
from tui.engine.task import GenerationTask

EXACT = {"threads": 1, "flash_attention": "off", "key_cache_type": "f32", "value_cache_type": "f32"}
"""Load parameters with which a prompt gives the same values however it is cut into steps: the CPU's flash attention
and a cache of 16 bits round differently then."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Greedy tokens, and what the cache spared."""

    tokens: list[int]
    cached: int
    miss: str
    history: list[int]


class TableDriver:
    """Reads prompts and answers greedily, one decode at a time, in the caller's thread."""

    def __init__(self, opened: OpenModel, table: SequenceTable) -> None:
        self._llama = load_llama()
        self._opened = opened
        self._batch = Batch(self._llama.llama_n_batch(opened.context))
        self._vocabulary_size = self._llama.llama_vocab_n_tokens(self._llama.llama_model_get_vocab(opened.model))
        self.table = table
        self.chunk = 512

    def task(self, prompt: list[int], *, priority: int = 0, keep_state: bool = False) -> GenerationTask:
        """A task that no engine knows of."""
        sampler: Any = None
        return GenerationTask(
            list(prompt), SamplingConfig(), sampler, lambda _: None, priority=priority, keep_state=keep_state
        )

    def start(self, task: GenerationTask) -> Sequence:
        """The task's sequence, which must be had at once."""
        sequence = self.table.assign(task)
        assert sequence is not None
        task.admitted_at = 1.0
        task.cached = len(sequence.tokens)
        return sequence

    def step(self, sequence: Sequence) -> bool:
        """Decode the next piece of the history; whether all of it is read."""
        assert sequence.task is not None
        history = sequence.task.history
        left = len(history) - len(sequence.tokens)
        count = self.table.chunk_limit(sequence, min(left, self.chunk))
        assert self._batch.decode(self._opened.context, [Share(sequence, count, int(count == left))]) == 0
        start = len(sequence.tokens)
        sequence.tokens.extend(history[start : start + count])
        if count > 1:
            self.table.decoded(sequence)
        return count == left

    def generate(self, sequence: Sequence, tokens: int) -> list[int]:
        """Read what is left of the history, then answer greedily and release the sequence."""
        task = sequence.task
        assert task is not None
        said = []
        for _ in range(tokens):
            while not self.step(sequence):
                pass
            logits = self._llama.llama_get_logits_ith(self._opened.context, -1)
            said.append(max(range(self._vocabulary_size), key=logits.__getitem__))
            task.history.append(said[-1])
        self.table.release(sequence)
        return said

    def answer(self, prompt: list[int], tokens: int = 4, *, keep_state: bool = False) -> Answer:
        """One whole turn."""
        task = self.task(prompt, keep_state=keep_state)
        said = self.generate(self.start(task), tokens)
        return Answer(said, task.cached, task.cache_miss, task.history)

    def fresh(self, prompt: list[int], tokens: int = 4) -> list[int]:
        """The answer without anything cached, not even on disk; forgets all conversations."""
        shelf = self.table._shelf
        states, shelf._states = shelf._states, None
        self.table.forget_idle()
        answer = self.answer(prompt, tokens)
        assert answer.cached == 0
        self.table.forget_idle()
        shelf._states = states
        return answer.tokens

    def close(self) -> None:
        """Save what is to be saved and free the model."""
        self.table.save()
        self._batch.close()
        self._opened.close()


@contextmanager
def driven(path: Path, states: StateFolder | None = None, **config: Any) -> Iterator[TableDriver]:
    """A driver for the model, closed at the end."""
    load = LoadConfig(**{**EXACT, "context_length": 1024, "parallel": 3, **config})
    route_log(lambda *_: None)
    opened = open_model(path, load, Kernels(extra_buffers=False, gpu=False))
    saved = states.for_model(model_identity([path]), state_parameters(opened, load)) if states else None
    driver = TableDriver(opened, SequenceTable(opened, load, saved))
    try:
        yield driver
    finally:
        driver.close()
