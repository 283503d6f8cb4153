"""What one model computes step by step: whose tokens go into the next decode, and what becomes of the results."""

from __future__ import annotations

import time
from collections.abc import Callable

from tui.domain import EngineFault, LmdeckError, StopReason
from tui.engine.batch import Batch, Share
from tui.engine.images import ImageStep
from tui.engine.library import load_llama
from tui.engine.loading import OpenModel
from tui.engine.pace import Pace
from tui.engine.plan import Planner, depth
from tui.engine.sequences import Sequence, SequenceTable
from tui.engine.speculation import Speculator
from tui.engine.task import GenerationTask, Mailbox
from tui.engine.vocabulary import Vocabulary

# What llama_decode returns (llama.h)
_DECODED, _NO_ROOM, _ABORTED = 0, 1, 2

Finish = Callable[[GenerationTask, StopReason, LmdeckError | None], None]
PutBack = Callable[[GenerationTask], None]


class Runner:
    """The answers that run, and the steps that advance them. Used by the engine thread only, but for `reading`."""

    def __init__(
        self,
        opened: OpenModel,
        vocabulary: Vocabulary,
        table: SequenceTable,
        speculator: Speculator | None,
        images: ImageStep | None,
        finish: Finish,
        put_back: PutBack,
    ) -> None:
        llama = load_llama()
        self._context = opened.context
        self._context_length = opened.context_length
        self._vocabulary = vocabulary
        self._table = table
        self._speculator = speculator
        self._images = images
        self._finish = finish
        self._put_back_task = put_back
        self._batch = Batch(llama.llama_n_batch(opened.context))
        self._pace = Pace(llama.llama_n_ubatch(opened.context))
        self._planner = Planner(
            table,
            self._pace,
            speculator,
            images,
            capacity=self._batch.capacity,
            context_length=opened.context_length,
        )
        self.running: list[Sequence] = []
        """In the order in which they began."""
        self.full = False
        """An answer was put back because the cache is full; nobody should begin before one ends."""
        self.reading: frozenset[GenerationTask] = frozenset()
        """Tasks whose prompt is in the step that is computed now."""
        self._said: list[Mailbox] = []
        """What got something to say in the last step and was not announced yet."""

    def start(self, task: GenerationTask, sequence: Sequence) -> None:
        """Serve a task in its sequence from the next step on."""
        if self._speculator is not None:
            self._speculator.forget(sequence.number)
        if task.admitted_at is None:
            task.admitted_at = time.perf_counter()
            task.cached = len(sequence.tokens)
        self.running.append(sequence)
        task.position = 0
        task.mailbox.queued(0)
        task.mailbox.prompt_read(len(sequence.tokens), task.cached, task.prompt_tokens)
        self._said.append(task.mailbox)

    def drop_cancelled(self) -> None:
        """End the answers that nobody wants any more."""
        for sequence in [s for s in self.running if s.task is not None and s.task.cancelled]:
            self._end(sequence, "userStopped")

    def make_way(self, task: GenerationTask) -> bool:
        """Put the youngest answer of a lower rank back into the queue; what was computed of it stays."""
        lower = [s for s in self.running if s.task is not None and s.task.priority > task.priority]
        if not lower:
            return False
        self._put_back(lower[-1])
        return True

    def end_all(self, reason: StopReason, error: LmdeckError | None = None) -> None:
        """End every answer."""
        for sequence in list(self.running):
            self._end(sequence, reason, error)

    def close(self) -> None:
        """Free what belongs to the context before it goes."""
        self._table.save()
        # Whoever still holds the closed model shall not hold its conversations with it.
        self._table.forget_idle()
        if self._speculator is not None:
            self._speculator.close()
        self._batch.close()

    def step(self) -> None:
        """Compute the next tokens of everybody."""
        for sequence in list(self.running):
            assert sequence.task is not None
            if len(sequence.task.history) > self._context_length:
                self._end(sequence, "contextLengthReached")
        shares = self._planner.shares(self.running)
        # Vectors and tokens cannot be computed together.
        together = [share for share in shares if share.chunk is None]
        if together:
            self._decode(together)
        for share in shares:
            if share.chunk is not None and share.sequence in self.running:
                self._decode([share])

    def _decode(self, shares: list[Share]) -> None:
        prompt_tokens = sum(share.count for share in shares if share.reads_prompt)
        self.reading = frozenset(share.sequence.task for share in shares if share.reads_prompt and share.sequence.task)
        started = time.perf_counter()
        result = self._compute(shares)
        self.reading = frozenset()
        if result == _DECODED:
            if self._speculator is not None:
                self._speculator.computed(shares)
            self._take_results(shares)
            seconds = time.perf_counter() - started
            drafted = sum(len(share.draft) for share in shares)
            if not drafted and shares[0].chunk is None:
                self._pace.measured(len(shares), prompt_tokens, depth(self.running), seconds)
            if self._speculator is not None and not prompt_tokens:
                self._speculator.stepped(seconds, len(shares), drafted)
            return
        if result == _NO_ROOM:  # and nothing was computed
            self._make_room(shares)
            return
        self._table.broke_off([share.sequence for share in shares])
        if result != _ABORTED:
            self._isolate(shares, result)

    def _compute(self, shares: list[Share]) -> int:
        """One call of llama.cpp; its result code."""
        # Readers who wake between two tokens would take the interpreter from the step's many short calls, each of
        # which gives it up for a moment. While llama.cpp computes, it is theirs.
        for mailbox in self._said:
            mailbox.announce()
        self._said.clear()
        share = shares[0]
        if share.chunk is None or self._images is None:
            return self._batch.decode(self._context, shares)
        start, chunk = share.chunk
        done = len(share.sequence.tokens) - start
        position = share.sequence.position(start)
        return self._images.decode(self._context, share.sequence.number, chunk, done, share.count, position)

    def _take_results(self, shares: list[Share]) -> None:
        now = time.perf_counter()
        row = 0
        for share in shares:
            sequence, task = share.sequence, share.sequence.task
            assert task is not None
            start = len(sequence.tokens)
            sequence.tokens.extend(task.history[start : start + share.count])
            if share.reads_prompt:
                self._table.decoded(sequence)
                if start < task.prompt_tokens:
                    read = min(len(sequence.tokens), task.prompt_tokens)
                    task.mailbox.prompt_read(read, task.cached, task.prompt_tokens)
                    self._said.append(task.mailbox)
            row += share.size
            if share.outputs:
                self._take_outputs(share, task, row - share.outputs, now)

    def _take_outputs(self, share: Share, task: GenerationTask, row: int, now: float) -> None:
        """Choose the next token, and go on to the next row as long as the guesses turn out right."""
        sequence, draft = share.sequence, share.draft
        task.drafts_offered += len(draft)
        accepted = 0
        while self._take_row(sequence, task, row + accepted, now):
            if accepted == len(draft) or task.history[-1] != draft[accepted]:
                break
            sequence.tokens.append(draft[accepted])
            accepted += 1
            task.drafts_accepted += 1
        if draft and self._speculator is not None:
            if accepted < len(draft):
                self._table.roll_back(sequence, len(sequence.tokens))
            self._speculator.verified(sequence.number, len(draft), accepted)

    def _take_row(self, sequence: Sequence, task: GenerationTask, row: int, now: float) -> bool:
        """Choose a token from one row of logits; whether the answer goes on behind it."""
        try:
            token = task.sampler.sample(self._context, row)
        except LmdeckError as problem:
            self._end(sequence, "failed", problem)
            return False
        if token is None:
            self._table.clear(sequence)
            self._end(sequence, "failed", _not_numbers())
            return False
        return self._take_token(sequence, task, token, now)

    def _take_token(self, sequence: Sequence, task: GenerationTask, token: int, now: float) -> bool:
        task.count_token(now)
        logprobs = task.sampler.take_logprobs() if task.sampling.top_logprobs is not None else ()
        if self._vocabulary.ends_generation(token):
            self._end(sequence, "eosFound")
            return False
        task.history.append(token)
        piece = b"" if token in task.hidden else self._vocabulary.piece(token)
        data, stopped = task.stops.feed(piece)
        task.mailbox.output(data, logprobs)
        self._said.append(task.mailbox)
        if stopped:
            self._end(sequence, "stopStringFound")
        elif task.generated == task.sampling.max_tokens:
            self._end(sequence, "maxPredictedTokensReached")
        else:
            return True
        return False

    def _make_room(self, shares: list[Share]) -> None:
        """The cache is full: guesses and idle conversations go, then prompts wait, then the youngest answer does."""
        if any(share.draft for share in shares):
            self._decode([Share(share.sequence, share.count, min(share.outputs, 1)) for share in shares])
            return
        if self._table.drop_oldest_idle():
            return
        running = [share for share in shares if not share.reads_prompt]
        if running and len(running) < len(shares):
            self._decode(running)
        elif len(self.running) > 1:
            self._suspend(self._youngest())
        elif shares[0].reads_prompt and shares[0].chunk is None:
            half = shares[0].count // 2
            self._decode([Share(shares[0].sequence, half)])
        else:
            self._end(shares[0].sequence, "contextLengthReached")

    def _youngest(self) -> Sequence:
        """Who can wait most: of the lowest rank, the one that began last."""
        lowest = max(sequence.task.priority for sequence in self.running if sequence.task is not None)
        return [s for s in self.running if s.task is not None and s.task.priority == lowest][-1]

    def _suspend(self, sequence: Sequence) -> None:
        """Put an answer back to the head of the queue. It goes on from where it was when there is room again."""
        self._put_back(sequence)
        self._table.put_aside(sequence)
        self.full = True

    def _put_back(self, sequence: Sequence) -> None:
        task = sequence.task
        assert task is not None
        # In this order it always counts as running or waiting, or as both for a moment.
        self._put_back_task(task)
        self.running.remove(sequence)
        self._table.release(sequence)

    def _isolate(self, shares: list[Share], result: int) -> None:
        """A step failed. Try its parts one by one, so that only the one at fault ends."""
        if len(shares) > 1:
            for share in shares:
                # Planned anew, because some memories lose more than the step by its failure.
                for alone in self._planner.shares([share.sequence]) if share.sequence in self.running else []:
                    self._decode([alone])
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
        self.running.remove(sequence)
        self.full = False
        self._table.release(sequence)
        self._finish(task, reason, error)


def _not_numbers() -> EngineFault:
    return EngineFault(
        "The model computed values that are not numbers.",
        "Its file is probably damaged; download it again, or try another quantisation.",
    )
