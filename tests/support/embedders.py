"""Opening a made model for embeddings, without the engine around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tui.domain import LoadConfig
from tui.engine.embedding import EmbeddingWorker
from tui.engine.embedding_text import RankForm, rank_form
from tui.engine.library import load_llama
from tui.engine.lifetime import Lifetime
from tui.engine.loading import Kernels, OpenModel, open_model
from tui.engine.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Embedder:
    """A running worker and what belongs to it."""

    worker: EmbeddingWorker
    vocabulary: Vocabulary
    form: RankForm


def open_embedder(path: Path, config: LoadConfig) -> OpenModel:
    """The model and its context, with one thread.

    Weights are used without llama.cpp's extra buffer types: their AMX kernels crash on some virtual machines.
    """
    return open_model(path, replace(config, threads=1), Kernels(extra_buffers=False))


@contextmanager
def embedder(path: Path, config: LoadConfig | None = None) -> Iterator[Embedder]:
    """A worker for the model, stopped at the end."""
    opened = open_embedder(path, config or LoadConfig())
    llama, lifetime = load_llama(), Lifetime()
    vocabulary = Vocabulary(llama, opened.model, lifetime)
    form = rank_form(llama, opened.model)
    worker = EmbeddingWorker(opened, vocabulary, lifetime, lambda: None)
    try:
        yield Embedder(worker, vocabulary, form)
    finally:
        worker.stop()
