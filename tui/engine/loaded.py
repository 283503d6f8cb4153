"""A model in memory: its vocabulary, its figures, and the queue for its work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from tui.domain import (
    BadRequest,
    Constraint,
    ContextExceeded,
    LazyConstraint,
    LoadConfig,
    MemoryEstimate,
    ModelInfo,
    SamplingConfig,
)
from tui.engine.constraint import Constraints
from tui.engine.constraint_state import ConstraintState
from tui.engine.embedding import EmbeddingWorker
from tui.engine.embedding_text import rank_form, rank_prompts, tokenize_inputs
from tui.engine.images import ImageStep, MediaLayout, Projector, flatten
from tui.engine.lazy_state import LazyState
from tui.engine.library import load_llama
from tui.engine.lifetime import Lifetime
from tui.engine.loaded_values import loaded_values
from tui.engine.loading import Kernels, OpenModel
from tui.engine.sampling import Sampler
from tui.engine.sequences import CacheFigures, SequenceTable
from tui.engine.speculation import open_speculator
from tui.engine.state_identity import model_identity, state_parameters
from tui.engine.states import StateFolder
from tui.engine.task import GenerationTask
from tui.engine.vectors import Embeddings, Ranking
from tui.engine.vocabulary import Vocabulary
from tui.engine.worker import Worker


class LoadedModel:
    """One loaded model, for answers or for vectors. Safe to use from any thread until it is closed."""

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
        asked: LoadConfig | None = None,
        projector: Path | None = None,
    ) -> None:
        """Takes over the open model, and closes it if that fails.

        `asked` is the configuration before fitting. `projector` is a file that was tried before.
        """
        llama = load_llama()
        self.info = info
        self.key = info.key
        self.config = asked or config
        """What was asked for."""
        self.memory = memory
        self.load_time = load_time
        """Seconds."""
        self.ttl: float | None = None
        """Seconds without work after which it may be unloaded; `None` is never."""
        self.just_in_time = False
        """Whether a request had it loaded, rather than a person."""
        self.context_length = opened.context_length
        self.trained_context_length: int = llama.llama_model_n_ctx_train(opened.model)
        self.embeds = opened.embeds
        """Whether it makes vectors or scores instead of answers."""
        self._lifetime = Lifetime()
        self.vocabulary = Vocabulary(llama, opened.model, self._lifetime)
        self._constraints = Constraints(self.vocabulary)
        self._hidden: dict[tuple[str, ...], frozenset[int]] = {}
        self.chat_template = config.chat_template or _chat_template(llama, opened.model)
        self.values = loaded_values(self.config, config, kernels, opened)
        self._close = threading.Lock()
        self._reserving = threading.Lock()
        self._reserved = 0
        self._projector: Projector | None = None

        def closed() -> None:
            if self._projector is not None:
                self._projector.close()
            self._constraints.clear()
            on_closed(self)

        self._worker: Worker | EmbeddingWorker
        try:
            if opened.embeds:
                self._rank_form = rank_form(llama, opened.model)
                self._worker = EmbeddingWorker(opened, self.vocabulary, self._lifetime, closed)
                self.context_length = self._worker.input_limit
            else:
                speculator = open_speculator(opened, config, kernels)
                files = info.files or (info.path,)
                saved = states.for_model(model_identity(files), state_parameters(opened, config)) if states else None
                table = SequenceTable(opened, config, saved)
                images = self._open_projector(projector, opened, kernels) if projector is not None else None
                self._worker = Worker(
                    opened, self.vocabulary, table, speculator, images, config.parallel, self._lifetime, closed
                )
        except BaseException:
            if self._projector is not None:
                self._projector.close()
            opened.close()
            raise

    @property
    def memory_bytes(self) -> int:
        """What it takes, over all devices."""
        return self.memory.needed

    @property
    def closed(self) -> bool:
        """Whether it was unloaded."""
        return self._lifetime.ended

    @property
    def running(self) -> int:
        """Answers that are being generated or wait for their turn."""
        return self._worker.running

    @property
    def in_use(self) -> bool:
        """Whether it works, or somebody is about to ask it something."""
        return self._reserved > 0 or self.running > 0

    def reserve(self) -> None:
        """Count as in use until `release`, so that it does not go between being found and being asked."""
        with self._reserving:
            self._reserved += 1

    def release(self) -> None:
        """Whoever reserved it has asked, or never will. Without a reservation there is nothing to do."""
        with self._reserving:
            self._reserved = max(0, self._reserved - 1)

    @property
    def last_used(self) -> float:
        """When it had work last, on the monotonic clock; now, while it is in use."""
        return time.monotonic() if self.in_use else self._worker.last_used

    @property
    def image_marker(self) -> str | None:
        """What has to stand in a rendered prompt in the place of each image; `None` if it cannot see."""
        return None if self._projector is None else self._projector.marker

    def read_images(
        self, prompt: str, images: Sequence[bytes], should_stop: Callable[[], bool]
    ) -> tuple[list[int], MediaLayout]:
        """The tokens of a rendered prompt with images, and where those are; blocks while they are encoded.

        Raises BadRequest naming `images[n]`, EngineFault, and Cancelled when `should_stop` says so.
        """
        if self._projector is None:
            raise BadRequest(
                f"{self.key} cannot see images.",
                "Load it with its projector file (mmproj) beside it, or choose another model.",
                field="images",
            )
        side = self.config.largest_image_side
        tokens, layout = flatten(
            self._projector.prompt_chunks(prompt, images, largest_side=side, should_stop=should_stop)
        )
        if tokens and tokens[-1] < 0:
            raise BadRequest("The prompt ends with an image.", "Say something behind it.", field="messages")
        return tokens, layout

    def submit(
        self,
        prompt: list[int],
        sampling: SamplingConfig,
        *,
        constraint: Constraint | LazyConstraint | None = None,
        priority: int = 0,
        keep_state: bool = False,
        media: MediaLayout | None = None,
        markers: tuple[str, ...] = (),
    ) -> GenerationTask:
        """Queue a prompt; a lower `priority` is served first, `keep_state` lets the cache go to disk later.

        `media` says where it has images, as `read_images` gave it. Control tokens are part of the output only where
        they are part of one of the `markers`, which whoever reads it looks for.
        Raises ContextExceeded if it leaves no room for an answer, BadRequest for bad sampling or a bad constraint.
        """
        if not isinstance(self._worker, Worker):
            raise BadRequest(f"{self.key} makes vectors, not answers.", "Choose another model.", field="model")
        if len(prompt) >= self.context_length:
            raise ContextExceeded(
                f"The prompt has {len(prompt):,} tokens, but the context holds {self.context_length:,}.",
                "Load the model with a longer context, start a new thread, or send less.",
                prompt_tokens=len(prompt),
                context_length=self.context_length,
            )
        with self._lifetime.use():
            state: ConstraintState | LazyState | None = None
            if isinstance(constraint, LazyConstraint):
                state = self._constraints.start_lazy(constraint)
            elif constraint is not None:
                state = self._constraints.start(constraint)
            sampler = Sampler(sampling, self.vocabulary, self.trained_context_length, state, self.config.seed)
            # The numbers that stand for images are no tokens that could be repeated.
            sampler.prime(prompt if media is None else [token for token in prompt if token >= 0])
        task = GenerationTask(
            prompt,
            sampling,
            sampler,
            self._worker.nudge,
            priority=priority,
            keep_state=keep_state,
            media=media or None,
            hidden=self._hidden_tokens(markers),
        )
        self._worker.submit(task)
        return task

    def embed(
        self, inputs: Sequence[str | Sequence[int]], *, normalize: bool = True, truncate: bool = False
    ) -> Future[Embeddings]:
        """Queue texts, or lists of tokens, for their vectors; see `EmbeddingWorker.embed`.

        Raises BadRequest if it makes answers, or for an input that cannot be.
        """
        tokens = tokenize_inputs(self.vocabulary, inputs)
        return self._embedder().embed(tokens, normalize=normalize, truncate=truncate)

    def rank(self, query: str, documents: Sequence[str], *, truncate: bool = False) -> Future[Ranking]:
        """Queue documents for how well each of them answers the query; see `EmbeddingWorker.rank`."""
        worker = self._embedder()
        prompts = rank_prompts(
            self.vocabulary, self._rank_form, query, documents, limit=worker.input_limit, truncate=truncate
        )
        return worker.rank(prompts)

    def _hidden_tokens(self, markers: tuple[str, ...]) -> frozenset[int]:
        hidden = self._hidden.get(markers)
        if hidden is None:
            pieces = [marker.encode() for marker in markers]
            shown = {
                token
                for token in self.vocabulary.control_tokens()
                if (text := self.vocabulary.piece(token)) and any(text in piece for piece in pieces)
            }
            hidden = self._hidden[markers] = self.vocabulary.control_tokens() - shown
        return hidden

    def _open_projector(self, path: Path, opened: OpenModel, kernels: Kernels) -> ImageStep:
        self._projector = Projector(path, opened, self.config, kernels, self.vocabulary, self._lifetime)
        capacity = load_llama().llama_n_ubatch(opened.context)
        return ImageStep(capacity, width=self._projector.width, axes=self._projector.axes)

    def _embedder(self) -> EmbeddingWorker:
        if not isinstance(self._worker, EmbeddingWorker):
            raise BadRequest(
                f"{self.key} is loaded for answers, not for embeddings.",
                "Choose an embedding model, or load this one with the embedding parameter on.",
                field="model",
            )
        return self._worker

    def cache_figures(self) -> CacheFigures | None:
        """What the cache holds, counted between two steps; `None` for a model that keeps none."""
        return self._worker.cache_figures() if isinstance(self._worker, Worker) else None

    def close(self) -> None:
        """End what runs and free the memory; blocks until that is done."""
        with self._close:
            self._worker.stop()


def _chat_template(llama: Any, model: Any) -> str:
    template = llama.llama_model_chat_template(model, None)
    return template.decode("utf-8", "replace") if template else ""
