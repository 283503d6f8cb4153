"""Which conversation lies in which sequence of the context, and who begins where another one left off."""

from __future__ import annotations

from collections.abc import Sequence as Sequences
from dataclasses import dataclass
from itertools import count

from tui.domain import LoadConfig
from tui.engine import checkpoints as points
from tui.engine.cells import Cells, Drafting
from tui.engine.checkpoints import Checkpoint
from tui.engine.loading import OpenModel
from tui.engine.misses import NO_ROOM, Closest, explain
from tui.engine.parking import Conversation
from tui.engine.prefix import common_prefix
from tui.engine.residents import Residents
from tui.engine.sequence import Sequence
from tui.engine.shelf import Shelf
from tui.engine.states import Loading, ModelStates, Refusal
from tui.engine.takeover import Takeover
from tui.engine.task import GenerationTask

__all__ = ["CacheFigures", "Sequence", "SequenceTable"]

# Idle conversations may hold this part of the context's cells. A thousand idle cells made prompts of 512 tokens 15 %
# slower on a model of 24 narrow layers, while parking a conversation is a copy of a few milliseconds.
_IDLE_SHARE = 32

# Tokens that somebody else must be about to read for a task to wait for them instead of reading them too.
_WORTH_WAITING = 32


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """What the cache holds at one moment."""

    resident_tokens: int
    """Tokens of all sequences; shared ones count for each."""
    used_cells: int
    """The same as llama.cpp counts it; 0 when nothing is left. A recurrent state is one cell."""
    leaked_cells: int
    """What llama.cpp holds beyond the tokens that are known: 0 between two steps."""
    parked_conversations: int
    checkpoints: int
    parked_bytes: int
    """Memory of parked conversations and of all checkpoints."""


@dataclass(frozen=True, slots=True)
class _Wait:
    """Somebody reads what a task needs, too."""

    sequence: Sequence
    reader: GenerationTask
    until: int
    """Tokens that the reader must have read."""

    @property
    def over(self) -> bool:
        return self.sequence.task is not self.reader or len(self.sequence.tokens) >= self.until


class SequenceTable:
    """Every sequence of one context. Idle ones keep their tokens until their room is needed, then are parked.

    Copying a prefix to another sequence costs no cells where they can be shared, only marks them as shared.
    """

    def __init__(self, opened: OpenModel, config: LoadConfig, states: ModelStates | None) -> None:
        self._cells = Cells(opened)
        self._shelf = Shelf(self._cells, states)
        self._residents = Residents(self._cells, self._shelf, opened.sequences)
        self._takeover = Takeover(self._cells, self._residents, self._shelf, opened.context_length)
        self._idle_allowance = opened.context_length // _IDLE_SHARE
        full_windows = config.full_sliding_window_cache and not self._cells.running_state
        needs_checkpoints = not (self._cells.can_always_cut or full_windows)
        self._most_checkpoints = config.context_checkpoints if needs_checkpoints else 0
        self._waits: dict[GenerationTask, _Wait] = {}
        self._clock = count(1)

    @property
    def drafting(self) -> Drafting:
        """What steps with guesses must be like, so that `roll_back` loses nothing but the wrong ones."""
        return self._cells.drafting

    def waits(self, task: GenerationTask) -> bool:
        """Whether `assign` would refuse the task for now, because what it needs is being read."""
        if self._shelf.is_reading(task) and self._residents.anyone_runs:
            return True
        wait = self._waits.get(task)
        if wait is not None and not wait.over:
            return True
        self._waits.pop(task, None)
        wait = self._reader_ahead(task)
        if wait is not None:
            self._waits[task] = wait
        return wait is not None

    def assign(self, task: GenerationTask) -> Sequence | None:
        """A sequence for the task that holds the longest beginning of its history that is to be had.

        None: not in this step; somebody reads the same beginning just now, or it is being read from disk. The
        caller sees to it that fewer tasks run than there are sequences.
        """
        if self.waits(task):
            return None
        matches = self._takeover.search(task)
        found = self._shelf.find_on_disk(task, max((match.length for match in matches), default=0))
        if isinstance(found, Loading) and self._residents.anyone_runs and not found.done():
            self._shelf.await_disk(task, found)
            return None
        outcome = found.result() if isinstance(found, Loading) else found
        refusal = outcome if isinstance(outcome, Refusal) else Refusal()
        if isinstance(outcome, Conversation):
            matches.append(self._takeover.match_outside(outcome, task))
        closest = max((Closest(m.held, m.common) for m in matches), key=lambda c: c.common, default=Closest())
        evicted = self._shelf.evicted.closest(task.history)

        chosen = self._takeover.take_the_best(matches, task)
        chosen.task, chosen.media = task, task.media
        if task.admitted_at is None:
            reused = len(chosen.tokens)
            possible = max((match.length for match in matches), default=0)
            lost = NO_ROOM if possible - reused >= _WORTH_WAITING else ""
            task.cache_miss = lost or explain(task.history, reused, closest, evicted, refusal)
        self._plan_checkpoints(chosen, task, fork=closest.common)
        if self._cells.crowded:
            self._residents.keep_idle_below(self._idle_allowance)
        return chosen

    def release(self, sequence: Sequence) -> None:
        """The task is done; its tokens stay for whoever continues the conversation."""
        if sequence.task is not None:
            sequence.keep = sequence.task.keep_state and sequence.media is None
            sequence.task = None
        sequence.touch(next(self._clock))
        self._waits = {task: wait for task, wait in self._waits.items() if not wait.over}

    def trim(self, sequence: Sequence, length: int) -> None:
        """Forget all but the first `length` tokens, or more where the memory cannot do that.

        Cells behind the known tokens, left by a step that broke off, go too. The caller goes by `sequence.tokens`.
        """
        self._residents.trim(sequence, length)

    def roll_back(self, sequence: Sequence, length: int) -> None:
        """The same for tokens that were all computed by the last step, which went well: guesses that were wrong."""
        self._residents.trim(sequence, length, right_after=True)

    def broke_off(self, sequences: Sequences[Sequence]) -> None:
        """A step of these sequences ended in the middle: forget what it computed, and whatever it may have damaged.

        Running states go back to a checkpoint, since nobody can tell whether they have moved on, and so do those of
        others if the step had several sequences: llama.cpp may have changed their places, but not yet moved them.
        """
        running_state = self._cells.running_state
        damaged = self._residents if running_state and len(sequences) > 1 else sequences
        for sequence in damaged:
            self._residents.trim(sequence, len(sequence.tokens), usable=not running_state)

    def clear(self, sequence: Sequence) -> None:
        """Forget every token of the sequence."""
        self._residents.clear(sequence)

    def put_aside(self, sequence: Sequence) -> None:
        """Free the cells of an answer that must wait; what was computed of it is parked if there is room."""
        self._residents.retire(sequence)

    def drop_oldest_idle(self) -> bool:
        """Make room by parking the idle conversation that was not used for the longest time."""
        return self._residents.retire_oldest_idle()

    def forget_idle(self) -> None:
        """Drop everything that nobody works on, in the context and outside."""
        for sequence in self._residents:
            if sequence.task is None:
                self._residents.clear(sequence)
        self._shelf.clear()

    def chunk_limit(self, sequence: Sequence, left: int) -> int:
        """How many of the next `left` prompt tokens may go into one step, so that it ends where a checkpoint is due."""
        held = len(sequence.tokens)
        while sequence.stops and sequence.stops[0] <= held:
            sequence.stops.pop(0)
        return min(left, sequence.stops[0] - held) if sequence.stops else left

    def decoded(self, sequence: Sequence) -> None:
        """A step read several tokens of the sequence, and its list of tokens knows them."""
        if sequence.stops and len(sequence.tokens) == sequence.stops[0]:
            self._checkpoint(sequence)

    def rest(self) -> float | None:
        """Use a moment without work to save what has been idle for long.

        Gives the seconds after which it wants to be called again, `None` if there is nothing to come.
        """
        return self._shelf.rest(self._residents)

    def save(self) -> None:
        """Write the conversations that asked for it to disk, before the context is freed."""
        self._shelf.save(self._residents)

    def figures(self) -> CacheFigures:
        """What is held at this moment; for the engine thread, between two steps."""
        lot = self._shelf.lot
        checkpoints = {id(checkpoint): checkpoint for checkpoint in self._residents.checkpoints}
        checkpoints |= {id(c): c for conversation in lot.conversations for c in conversation.checkpoints}
        return CacheFigures(
            resident_tokens=sum(len(sequence.tokens) for sequence in self._residents),
            used_cells=self._residents.used_cells,
            leaked_cells=sum(max(0, self._cells.length(s.number) - s.position(len(s.tokens))) for s in self._residents),
            parked_conversations=len(lot.conversations),
            checkpoints=len(checkpoints),
            parked_bytes=lot.size(checkpoints.values()),
        )

    def _reader_ahead(self, task: GenerationTask) -> _Wait | None:
        """Who is reading much of what the task needs, and is not outranked by it."""
        found: _Wait | None = None
        for sequence in self._residents:
            reader, held = sequence.task, len(sequence.tokens)
            if reader is None or not sequence.reading or reader.priority > task.priority:
                continue
            until = common_prefix(reader.history, task.history, min(len(task.history) - 1, reader.prompt_tokens))
            if not self._cells.can_always_cut and until > held:
                until = self._next_copyable(sequence, until)
            if until > held and (found is None or until > found.until):
                found = _Wait(sequence, reader, until)
        if found is None:
            return None
        have = max((match.length for match in self._takeover.search(task)), default=0)
        return found if found.until - have >= _WORTH_WAITING else None

    def _next_copyable(self, sequence: Sequence, length: int) -> int:
        """Where a prompt that is being read can be copied from, at `length` or shortly before; 0 for nowhere."""
        if not self._most_checkpoints:
            return 0
        points.add_stop(sequence.stops, len(sequence.tokens), length)
        return max((stop for stop in sequence.stops if stop <= length), default=0)

    def _plan_checkpoints(self, sequence: Sequence, task: GenerationTask, fork: int) -> None:
        sequence.stops = []
        if not self._most_checkpoints:
            return
        held = len(sequence.tokens)
        last = sequence.checkpoints[-1].length if sequence.checkpoints else 0
        if held - last >= points.APART // 2:
            self._checkpoint(sequence)  # the end of the last turn: a message that replaces the next one begins here
        sequence.stops = points.stops(held, task.prompt_tokens, fork)

    def _checkpoint(self, sequence: Sequence) -> None:
        state = self._cells.snapshot(sequence.number, partial=True)
        if state is None or not self._shelf.make_room(len(state), self._residents.checkpoints):
            return
        sequence.checkpoints.append(Checkpoint(len(sequence.tokens), state))
        sequence.checkpoints = points.thin(sequence.checkpoints, self._most_checkpoints)
