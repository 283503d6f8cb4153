"""The thread that owns an embedding or ranking model's context and serves every request for vectors or scores.

Inputs of all requests are packed into passes, each in a sequence of its own. It runs beside the models that generate.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from tui.domain import BadRequest, Cancelled, ContextExceeded, EngineFault, LmdeckError
from tui.engine.library import load_llama
from tui.engine.lifetime import Lifetime
from tui.engine.loading import OpenModel
from tui.engine.open_mp import let_helpers_go
from tui.engine.packing import Packer, Part, Request
from tui.engine.pooling import PoolingType, input_limit, output_bytes
from tui.engine.rows import Rows
from tui.engine.vectors import Embeddings, Ranking, unit_length
from tui.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

_LARGE_OUTPUT = 2**28
"""Bytes. The system is asked whether it has as much before llama.cpp takes more than this for its results."""


class EmbeddingWorker:
    """Computes vectors or scores. Everything but `embed`, `rank` and `stop` happens on its own thread."""

    def __init__(
        self, opened: OpenModel, vocabulary: Vocabulary, lifetime: Lifetime, on_closed: Callable[[], None]
    ) -> None:
        self._llama = llama = load_llama()
        self._opened = opened
        self._vocabulary = vocabulary
        self._lifetime = lifetime
        self._on_closed = on_closed
        self._memory = llama.llama_get_memory(opened.context)
        self._encodes = self._memory is None or not llama.llama_model_has_decoder(opened.model)
        self.pooling = PoolingType(llama.llama_pooling_type(opened.context))
        room = llama.llama_n_batch(opened.context)
        cells = llama.llama_n_ctx(opened.context)
        self.input_limit = input_limit(llama, opened.model, opened.context)
        """Most tokens that an input may have."""
        self.width: int = llama.llama_model_n_embd_out(opened.model)
        """Numbers in a vector."""
        self._packer = Packer(room, llama.llama_n_seq_max(opened.context), cells)
        self._rows = Rows(room)
        self._most_tokens = 0
        self._changed = threading.Condition()
        self._arrived: deque[Request] = deque()
        self._open: dict[int, Request] = {}
        self._stopping = False
        self.last_used = time.monotonic()
        """When the last request ended, on the monotonic clock."""
        self._thread = threading.Thread(target=self._run, name="lmdeck-embedding", daemon=True)
        self._thread.start()

    @property
    def running(self) -> int:
        """Requests that are served or wait."""
        return len(self._arrived) + len(self._open)

    def embed(
        self, inputs: Sequence[list[int]], *, normalize: bool = True, truncate: bool = False
    ) -> Future[Embeddings]:
        """Queue inputs for their vectors, of length 1 if `normalize`; the future can be cancelled at any time.

        Raises BadRequest, naming the input, and ContextExceeded unless `truncate` says to cut what is too long. The
        future raises EngineFault, or Cancelled when the model was unloaded.
        """
        if self.pooling == PoolingType.RANK:
            raise BadRequest(
                "This model ranks documents; it makes no vectors.", "Choose an embedding model.", field="model"
            )
        inputs = self._checked(inputs, "input", truncate)
        tokens = tuple(map(len, inputs))

        def finish(arrays: list[Any]) -> Embeddings:
            return Embeddings(tuple(map(unit_length, arrays) if normalize else arrays), tokens)

        future: Future[Embeddings] = Future()
        self._submit(Request(inputs, future, finish))
        return future

    def rank(self, prompts: Sequence[list[int]]) -> Future[Ranking]:
        """Queue prompts of a query and a document each, as `rank_prompts` makes them, for their scores.

        Raises and fails as `embed` does.
        """
        if self.pooling != PoolingType.RANK:
            raise BadRequest("This model cannot rank documents.", "Choose a reranker.", field="model")
        prompts = self._checked(prompts, "documents", truncate=False)
        tokens = tuple(map(len, prompts))

        def finish(arrays: list[Any]) -> Ranking:
            return Ranking(tuple(float(array[0]) for array in arrays), tokens)

        future: Future[Ranking] = Future()
        self._submit(Request(prompts, future, finish))
        return future

    def stop(self) -> None:
        """End every request, free the model and wait until that is done."""
        with self._changed:
            self._stopping = True
            self._opened.abort_flag[0] = b"x"
            self._changed.notify()
        self._thread.join()

    def _checked(self, inputs: Sequence[list[int]], field: str, truncate: bool) -> list[list[int]]:
        checked = []
        for index, tokens in enumerate(inputs):
            place = f"{field}[{index}]"
            if not tokens:
                raise BadRequest("There is nothing to compute here.", "Give it some text.", field=place)
            if min(tokens) < 0 or max(tokens) >= self._vocabulary.size:
                raise BadRequest("It has tokens that the model does not know.", field=place)
            if len(tokens) > self.input_limit:
                if not truncate:
                    raise ContextExceeded(
                        f"{place} has {len(tokens):,} tokens, but the model is loaded for {self.input_limit:,}.",
                        "Split it, ask for truncation, or load the model with a longer context.",
                        prompt_tokens=len(tokens),
                        context_length=self.input_limit,
                    )
                tokens = self._cut(tokens)
            checked.append(tokens)
        return checked

    def _cut(self, tokens: list[int]) -> list[int]:
        """The beginning of an input, still closed by the marker that closed it."""
        with self._lifetime.use():
            closed = self._llama.llama_vocab_is_control(self._vocabulary.handle, tokens[-1])
        return tokens[: self.input_limit - 1] + tokens[-1:] if closed else tokens[: self.input_limit]

    def _submit(self, request: Request) -> None:
        if not request.inputs:
            request.future.set_result(request.finish([]))
            return
        with self._changed:
            if not self._stopping:
                self._arrived.append(request)
                self._changed.notify()
                return
        _fail(request, _unloaded())

    def _run(self) -> None:
        problem: LmdeckError = _unloaded()
        try:
            while self._wait_for_work():
                self._opened.abort_flag[0] = b"\0"
                self._take_in()
                if parts := self._packer.next_pass():
                    self._compute(parts)
        except Exception as defect:
            # Only a defect of ours gets here. Whoever waits must hear of it, and the program lives on.
            problem = EngineFault(f"The engine failed: {defect!r}", "Load the model again.")
        finally:
            with self._changed:
                self._stopping = True
                arrived = tuple(self._arrived)
                self._arrived.clear()
            for request in tuple(self._open.values()):
                self._end(request, problem)
            for request in arrived:
                _fail(request, problem)
            self._opened.abort_flag[0] = b"\0"
            self._lifetime.end()
            self._opened.close()
            self._on_closed()

    def _wait_for_work(self) -> bool:
        with self._changed:
            while not self._stopping and not self._arrived and not self._open:
                let_helpers_go()
                self._changed.wait()
            return not self._stopping

    def _take_in(self) -> None:
        """Begin what has arrived, and let go of what nobody waits for any more."""
        with self._changed:
            while self._arrived:
                request = self._arrived.popleft()
                self._open[id(request)] = request
                self._packer.add(request)
        for request in [request for request in self._open.values() if request.future.cancelled()]:
            self._end(request)

    def _compute(self, parts: list[Part]) -> None:
        parts = [part for part in parts if id(part.request) in self._open]
        tokens = sum(part.count for part in parts)
        if not tokens:
            return
        problem = self._too_large(tokens)
        if problem is None:
            self._rows.clear()
            for part in parts:
                positions = range(part.start, part.start + part.count)
                self._rows.add(part.tokens, positions, part.sequence, outputs=part.count)
            run = self._rows.encode if self._encodes else self._rows.decode
            result = run(self._opened.context)
            if result == 0:
                self._most_tokens = max(self._most_tokens, tokens)
                self._collect(parts)
                return
            if self._stopping:
                return
            problem = EngineFault(f"llama.cpp could not compute the input (code {result}).", "See the log.")
        self._clear(part.sequence for part in parts)
        if len(parts) > 1:
            # One of them may be to blame; the others shall not suffer from it.
            for part in parts:
                self._compute([part])
        else:
            self._end(parts[0].request, problem)

    def _too_large(self, tokens: int) -> EngineFault | None:
        """llama.cpp's buffer for results only ever grows; the system kills who takes more than there is."""
        import psutil

        needed = output_bytes(self._llama, self._opened.model, tokens)
        if tokens <= self._most_tokens or needed < _LARGE_OUTPUT or needed < psutil.virtual_memory().available:
            return None
        return EngineFault(
            f"An input of {tokens:,} tokens needs {needed / 2**30:.1f} GB for its results, which are not free.",
            "Split it, or unload other models.",
        )

    def _collect(self, parts: list[Part]) -> None:
        import numpy

        at = 0
        broken = []
        for part in parts:
            request, first = part.request, at
            at += part.count
            if not (part.last or self.pooling == PoolingType.NONE):  # what counts comes with the last piece
                continue
            array = self._result(part, first)
            if not numpy.isfinite(array).all():
                broken.append(part)
                continue
            request.results.setdefault(part.index, []).append(array)
            if part.last:
                request.done += 1
                if request.done == len(request.inputs):
                    self._end(request)
        self._clear(part.sequence for part in parts if part.last)
        for part in broken:
            if len(parts) > 1:  # numbers that are none spread to what shares their pass
                self._compute([part])
            else:
                problem = EngineFault(f"The model computed no numbers for input {part.index}.", "Try another model.")
                self._end(part.request, problem)

    def _result(self, part: Part, first: int) -> NDArray[float32]:
        """A copy of what came of a part, whose rows begin at `first`."""
        import numpy

        context = self._opened.context
        if self.pooling == PoolingType.NONE:
            rows = self._llama.llama_get_embeddings(context)
            return numpy.ctypeslib.as_array(rows, (first + part.count, self.width))[first:].copy()
        pooled = self._llama.llama_get_embeddings_seq(context, part.sequence)
        return numpy.ctypeslib.as_array(pooled, (1 if self.pooling == PoolingType.RANK else self.width,)).copy()

    def _clear(self, sequences: Any) -> None:
        """Forget what the context remembers of these sequences, if it remembers anything."""
        if self._memory is not None:
            for number in sequences:
                self._llama.llama_memory_seq_rm(self._memory, number, -1, -1)

    def _end(self, request: Request, problem: LmdeckError | None = None) -> None:
        """Answer a request, whatever state it is in, unless that is done."""
        if self._open.pop(id(request), None) is None:
            return
        if self._packer.drop(request):
            self._clear((0,))
        self.last_used = time.monotonic()
        if problem is not None:
            _fail(request, problem)
        elif request.future.set_running_or_notify_cancel():
            arrays = [_joined(request.results[index]) for index in range(len(request.inputs))]
            request.future.set_result(request.finish(arrays))


def _fail(request: Request, problem: LmdeckError) -> None:
    if request.future.set_running_or_notify_cancel():
        request.future.set_exception(problem)


def _unloaded() -> Cancelled:
    return Cancelled("The model was unloaded.", "Load it again.")


def _joined(arrays: list[Any]) -> Any:
    import numpy

    return arrays[0] if len(arrays) == 1 else numpy.concatenate(arrays)
