"""The thread that owns one loaded model's context and serves every conversation in it at once.

Each step first takes the next token of every running answer, then gives prompts what room is left, a bounded
chunk at a time, so that somebody's long prompt never stalls an answer that is being read. Nobody reserves cells
for text that may never come: when the cache is full, idle conversations go first, then the youngest answer waits
its turn again, and only an answer that fills the context alone ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from tui.domain import EngineFault, LmdeckError, StopReason
from tui.engine.images import ImageStep
from tui.engine.lifetime import Lifetime
from tui.engine.loading import OpenModel
from tui.engine.open_mp import let_helpers_go
from tui.engine.queue import WaitingQueue
from tui.engine.runner import Runner
from tui.engine.sequences import CacheFigures, SequenceTable
from tui.engine.speculation import Speculator
from tui.engine.task import GenerationTask
from tui.engine.vocabulary import Vocabulary


class Worker:
    """Runs the tasks of one model. Everything but `submit`, `nudge` and `stop` happens on its own thread."""

    def __init__(
        self,
        opened: OpenModel,
        vocabulary: Vocabulary,
        table: SequenceTable,
        speculator: Speculator | None,
        images: ImageStep | None,
        parallel: int,
        lifetime: Lifetime,
        on_closed: Callable[[], None],
    ) -> None:
        self._opened = opened
        self._parallel = parallel
        self._lifetime = lifetime
        self._on_closed = on_closed
        self._table = table
        self._runner = Runner(opened, vocabulary, table, speculator, images, self._finish, self._put_back)
        self._changed = threading.Condition()
        self._waiting = WaitingQueue()
        self._questions: list[Future[CacheFigures]] = []
        self._stopping = False
        self.last_used = time.monotonic()
        """When the last answer ended, on the monotonic clock."""
        self._thread = threading.Thread(target=self._run, name="lmdeck-engine", daemon=True)
        self._thread.start()

    @property
    def running(self) -> int:
        """Tasks that are served or wait."""
        return len(self._runner.running) + len(self._waiting)

    def submit(self, task: GenerationTask) -> None:
        """Queue a task. It is told its place, and ends by its mailbox whatever happens."""
        with self._changed:
            if not self._stopping:
                self._waiting.add(task)
                self._changed.notify()
                return
        self._finish(task, "modelUnloaded")

    def nudge(self, task: GenerationTask) -> None:
        """Look at a task's `cancelled` flag now, in the middle of reading a prompt if need be."""
        if task in self._runner.reading:
            self._opened.abort_flag[0] = b"x"
        with self._changed:
            self._changed.notify()

    def cache_figures(self) -> CacheFigures:
        """What the cache holds, counted by the engine's thread between two steps; waits for that."""
        asked: Future[CacheFigures] = Future()
        with self._changed:
            if self._stopping:
                raise EngineFault("The model was unloaded.", "Load it again.")
            self._questions.append(asked)
            self._changed.notify()
        return asked.result()

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
                self._answer_questions()
                self._drop_cancelled()
                self._admit()
                if self._runner.running:
                    self._runner.step()
        except Exception as problem:
            # Only a defect of ours gets here. Whoever waits must hear of it, and the program lives on.
            self._end_all("failed", EngineFault(f"The engine failed: {problem!r}", "Load the model again."))
        finally:
            with self._changed:
                self._stopping = True
            self._end_all("modelUnloaded")
            self._answer_questions()
            self._opened.abort_flag[0] = b"\0"
            try:
                self._runner.close()
            finally:  # whatever goes wrong there, the model's memory is given back
                self._lifetime.end()
                self._opened.close()
                self._on_closed()

    def _wait_for_work(self) -> bool:
        with self._changed:
            idle = self._nothing_to_do()
        timeout = self._table.rest() if idle else None
        if idle:
            let_helpers_go()
        with self._changed:
            if self._nothing_to_do():
                self._changed.wait(timeout)
            return not self._stopping

    def _nothing_to_do(self) -> bool:
        return not (self._stopping or self._waiting or self._runner.running or self._questions)

    def _answer_questions(self) -> None:
        with self._changed:
            questions, self._questions = self._questions, []
        for question in questions:
            question.set_result(self._table.figures())

    def _drop_cancelled(self) -> None:
        self._runner.drop_cancelled()
        with self._changed:
            cancelled = self._waiting.take_cancelled()
        for task in cancelled:
            self._finish(task, "userStopped")

    def _admit(self) -> None:
        """Give sequences to those who wait, as far as there are any; a person may take a program's turn."""
        with self._changed:
            waiting = list(self._waiting)
        for task in waiting:
            if self._runner.full:
                return
            # Somebody is reading the same beginning just now, and copying it is cheaper than reading it twice.
            if self._table.waits(task):
                continue
            if len(self._runner.running) >= self._parallel and not self._runner.make_way(task):
                return
            sequence = self._table.assign(task)
            if sequence is not None:
                with self._changed:
                    # In this order it always counts as running or waiting, or as both for a moment.
                    self._runner.start(task, sequence)
                    self._waiting.remove(task)
                    self._waiting.tell_positions()

    def _put_back(self, task: GenerationTask) -> None:
        with self._changed:
            self._waiting.add(task, first=True)

    def _finish(self, task: GenerationTask, reason: StopReason, error: LmdeckError | None = None) -> None:
        if reason != "stopStringFound" and (rest := task.stops.rest()):
            task.mailbox.held_back(rest)
        task.sampler.close()
        self.last_used = time.monotonic()
        task.mailbox.ended(task.stats(reason, self._opened.context_length), error)

    def _end_all(self, reason: StopReason, error: LmdeckError | None = None) -> None:
        self._runner.end_all(reason, error)
        with self._changed:
            waiting = self._waiting.take_all()
        for task in waiting:
            self._finish(task, reason, error)
