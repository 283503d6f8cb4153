"""The thread that owns one loaded model's context and serves every conversation in it at once.

Each step first takes the next token of every running answer, then gives prompts what room is left, a bounded
chunk at a time, so that somebody's long prompt never stalls an answer that is being read. Nobody reserves cells
for text that may never come: when the cache is full, idle conversations go first, then the youngest answer waits
its turn again, and only an answer that fills the context alone ends.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from tui.domain import EngineFault, LmdeckError, StopReason
from tui.engine.batch import Batch, Share
from tui.engine.library import load_llama
from tui.engine.lifetime import Lifetime
from tui.engine.loading import OpenModel
from tui.engine.pace import Pace
from tui.engine.sequences import Sequence, SequenceTable
from tui.engine.task import GenerationTask
from tui.engine.vocabulary import Vocabulary

# What llama_decode returns (llama.h)
_DECODED, _NO_ROOM, _ABORTED = 0, 1, 2


class Worker:
    """Runs the tasks of one model. Everything but `submit`, `nudge` and `stop` happens on its own thread."""

    def __init__(
        self,
        opened: OpenModel,
        vocabulary: Vocabulary,
        parallel: int,
        lifetime: Lifetime,
        on_closed: Callable[[], None],
    ) -> None:
        self._llama = load_llama()
        self._opened = opened
        self._context = opened.context
        self._vocabulary = vocabulary
        self._parallel = parallel
        self._lifetime = lifetime
        self._on_closed = on_closed
        self._table = SequenceTable(opened.context, opened.context_length, opened.sequences, opened.can_trim)
        self._batch = Batch(self._llama.llama_n_batch(opened.context))
        self._pace = Pace(self._llama.llama_n_ubatch(opened.context))
        self._changed = threading.Condition()
        self._waiting: deque[GenerationTask] = deque()
        self._running: list[Sequence] = []
        self._reading: frozenset[GenerationTask] = frozenset()
        """Tasks whose prompt is in the step that runs now; cancelling one of them aborts the step."""
        self._full = False
        """An answer was put back because the cache is full; nobody is admitted until one ends."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="lmdeck-engine", daemon=True)
        self._thread.start()

    @property
    def running(self) -> int:
        """Tasks that are served or wait."""
        return len(self._running) + len(self._waiting)

    def submit(self, task: GenerationTask) -> None:
        """Queue a task. It is told its place, and ends by its mailbox whatever happens."""
        with self._changed:
            if not self._stopping:
                self._waiting.append(task)
                task.mailbox.queued(len(self._waiting))
                self._changed.notify()
                return
        self._finish(task, "modelUnloaded")

    def nudge(self, task: GenerationTask) -> None:
        """Look at a task's `cancelled` flag now, in the middle of reading a prompt if need be."""
        if task in self._reading:
            self._opened.abort_flag[0] = b"x"
        with self._changed:
            self._changed.notify()

    def stop(self) -> None:
        """End every task, free the model and wait until that is done."""
        with self._changed:
            self._stopping = True
            self._opened.abort_flag[0] = b"x"
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._wait_for_work():
                self._opened.abort_flag[0] = b"\0"
                self._drop_cancelled()
                self._admit()
                if self._running:
                    self._step()
        except Exception as problem:
            # Only a defect of ours gets here. Whoever waits must hear of it, and the program lives on.
            self._end_all("failed", EngineFault(f"The engine failed: {problem!r}", "Load the model again."))
        finally:
            with self._changed:
                self._stopping = True
            self._end_all("modelUnloaded")
            self._lifetime.end()
            self._batch.close()
            self._opened.close()
            self._on_closed()

    def _wait_for_work(self) -> bool:
        with self._changed:
            while not self._stopping and not self._waiting and not self._running:
                self._changed.wait()
            return not self._stopping

    def _drop_cancelled(self) -> None:
        for sequence in [s for s in self._running if s.task is not None and s.task.cancelled]:
            self._end(sequence, "userStopped")
        with self._changed:
            cancelled = [task for task in self._waiting if task.cancelled]
            if not cancelled:
                return
            self._waiting = deque(task for task in self._waiting if not task.cancelled)
        for task in cancelled:
            self._finish(task, "userStopped")
        self._tell_positions()

    def _admit(self) -> None:
        admitted = False
        while self._waiting and len(self._running) < self._parallel and not self._full:
            with self._changed:
                task = self._waiting.popleft()
            sequence = self._table.assign(task)
            if task.admitted_at is None:
                task.admitted_at = time.perf_counter()
                task.cached = len(sequence.tokens)
            self._running.append(sequence)
            task.mailbox.queued(0)
            task.mailbox.prompt_read(len(sequence.tokens), task.cached, task.prompt_tokens)
            admitted = True
        if admitted:
            self._tell_positions()

    def _tell_positions(self) -> None:
        with self._changed:
            for position, task in enumerate(self._waiting, start=1):
                task.mailbox.queued(position)

    def _plan(self) -> list[Share]:
        """What the next step computes: running answers first, then prompts in the order they came."""
        shares: list[Share] = []
        prompts: list[tuple[Sequence, int]] = []
        for sequence in self._running:
            assert sequence.task is not None
            left = len(sequence.task.history) - len(sequence.tokens)
            if left == 1:
                shares.append(Share(sequence, 1, True))
            else:
                prompts.append((sequence, left))
        room = min(self._pace.prompt_room(running=len(shares)), self._batch.capacity - len(shares))
        for sequence, left in prompts:
            count = min(left, room)
            if count <= 0:
                break
            shares.append(Share(sequence, count, count == left))
            room -= count
        return shares

    def _step(self) -> None:
        for sequence in list(self._running):
            assert sequence.task is not None
            if len(sequence.task.history) > self._opened.context_length:
                self._end(sequence, "contextLengthReached")
        shares = self._plan()
        if shares:
            self._decode(shares)

    def _decode(self, shares: list[Share]) -> None:
        prompt_tokens = sum(share.count for share in shares if share.count > 1)
        self._reading = frozenset(share.sequence.task for share in shares if share.count > 1 and share.sequence.task)
        started = time.perf_counter()
        result = self._batch.decode(self._context, shares)
        self._reading = frozenset()
        if result == _DECODED:
            self._take_results(shares)
            self._pace.measured(len(shares), prompt_tokens, time.perf_counter() - started)
            return
        for share in shares:  # parts of the batch may have been computed before it broke off
            self._table.trim(share.sequence, len(share.sequence.tokens))
        if result == _NO_ROOM:
            self._make_room(shares)
        elif result != _ABORTED:
            self._isolate(shares, result)

    def _take_results(self, shares: list[Share]) -> None:
        now = time.perf_counter()
        row = -1
        for share in shares:
            sequence, task = share.sequence, share.sequence.task
            assert task is not None
            row += share.count
            start = len(sequence.tokens)
            sequence.tokens.extend(task.history[start : start + share.count])
            if start < task.prompt_tokens and share.count > 1:
                task.mailbox.prompt_read(min(len(sequence.tokens), task.prompt_tokens), task.cached, task.prompt_tokens)
            if share.wants_logits:
                token = task.sampler.sample(self._context, row)
                if token is None:
                    self._table.clear(sequence)
                    self._end(sequence, "failed", _not_numbers())
                else:
                    self._take_token(sequence, task, token, now)

    def _take_token(self, sequence: Sequence, task: GenerationTask, token: int, now: float) -> None:
        task.count_token(now)
        if self._vocabulary.ends_generation(token):
            self._end(sequence, "eosFound")
            return
        task.history.append(token)
        data, stopped = task.stops.feed(self._vocabulary.piece(token))
        task.mailbox.output(data)
        if stopped:
            self._end(sequence, "stopStringFound")
        elif task.generated == task.sampling.max_tokens:
            self._end(sequence, "maxPredictedTokensReached")

    def _make_room(self, shares: list[Share]) -> None:
        """The cache is full: idle conversations go, then prompts wait, then the youngest answer does."""
        if self._table.drop_oldest_idle():
            return
        running = [share for share in shares if share.count == 1]
        if running and len(running) < len(shares):
            self._decode(running)
        elif len(self._running) > 1:
            self._suspend(self._running[-1])
        elif shares[0].count > 1:
            half = shares[0].count // 2
            self._decode([Share(shares[0].sequence, half, False)])
        else:
            self._end(shares[0].sequence, "contextLengthReached")

    def _suspend(self, sequence: Sequence) -> None:
        """Put an answer back to the head of the queue. It goes on from where it was when there is room again."""
        task = sequence.task
        assert task is not None
        self._running.remove(sequence)
        self._table.release(sequence)
        self._table.clear(sequence)
        self._full = True
        with self._changed:
            self._waiting.appendleft(task)
        self._tell_positions()

    def _isolate(self, shares: list[Share], result: int) -> None:
        """A step failed. Try its parts one by one, so that only the one at fault ends."""
        if len(shares) > 1:
            for share in shares:
                self._decode([share])
            return
        fault = EngineFault(
            f"llama.cpp could not compute the answer (code {result}).",
            "See the log for its reason; a smaller batch or context may help.",
        )
        self._table.clear(shares[0].sequence)
        self._end(shares[0].sequence, "failed", fault)

    def _end(self, sequence: Sequence, reason: StopReason, error: LmdeckError | None = None) -> None:
        task = sequence.task
        assert task is not None
        self._running.remove(sequence)
        self._full = False
        self._table.release(sequence)
        self._finish(task, reason, error)

    def _finish(self, task: GenerationTask, reason: StopReason, error: LmdeckError | None = None) -> None:
        if reason != "stopStringFound" and (rest := task.stops.rest()):
            task.mailbox.held_back(rest)
        task.sampler.close()
        task.mailbox.ended(task.stats(reason, self._opened.context_length), error)

    def _end_all(self, reason: StopReason, error: LmdeckError | None = None) -> None:
        for sequence in list(self._running):
            self._end(sequence, reason, error)
        with self._changed:
            waiting, self._waiting = list(self._waiting), deque()
        for task in waiting:
            self._finish(task, reason, error)


def _not_numbers() -> EngineFault:
    return EngineFault(
        "The model computed values that are not numbers.",
        "Its file is probably damaged; download it again, or try another quantisation.",
    )
