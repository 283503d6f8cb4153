"""Where conversations go that leave the context: into memory within a budget, and to disk if they may.

A conversation is written when it is parked, when it has been idle for a while, and when the model is unloaded. So a
process that is killed loses what was said within the last seconds of a conversation that still lay in the context,
while one that goes on is not written after every answer: its state can be hundreds of megabytes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from tui.engine.cells import Cells
from tui.engine.checkpoints import Checkpoint
from tui.engine.host_memory import host_memory
from tui.engine.misses import Evicted
from tui.engine.parking import Conversation, ParkingLot, parking_budget
from tui.engine.prefix import common_prefix
from tui.engine.sequence import Sequence
from tui.engine.states import Loading, ModelStates, Refusal
from tui.engine.task import GenerationTask

WORTH_PARKING = 64
"""Tokens. Reading fewer again is as quick as copying their state."""

WORTH_RESTORING = 256
"""Tokens that a conversation on disk must give more than what is in memory."""

SAVE_AFTER = 30.0
"""Seconds that a conversation is idle before it is written."""

# Seconds that unloading a model may take for writing conversations, the last used first.
_SAVING_TIME = 10.0


class Shelf:
    """Parked and saved conversations of one context. Used by the engine thread only."""

    def __init__(self, cells: Cells, states: ModelStates | None, budget: int | None = None) -> None:
        self._cells = cells
        self._states = states
        host = host_memory()
        self.lot = ParkingLot(parking_budget(host.free, host.total) if budget is None else budget)
        self.evicted = Evicted()
        self._loading: dict[GenerationTask, Loading] = {}

    def put(self, sequence: Sequence, checkpoints: Iterable[Checkpoint]) -> None:
        """Copy a conversation out of its sequence, if that is worth it and there is room beside these checkpoints."""
        if len(sequence.tokens) < WORTH_PARKING:
            return
        whole = self._whole_already(sequence)
        if whole is not None:
            whole.keep |= sequence.keep
            self.lot.touch(whole)
            return
        conversation = self._copy(sequence)
        if conversation is None or not self.make_room(len(conversation.state), checkpoints):
            self.evicted.add(list(sequence.tokens))
            return
        self._note_gone(self.lot.park(conversation, replaces=self._cells.can_always_cut))
        self._write(conversation)
        sequence.saved = conversation.saved

    def make_room(self, size: int, checkpoints: Iterable[Checkpoint]) -> bool:
        """Let parked conversations go until there is room for `size` bytes beside the residents' checkpoints."""
        gone = self.lot.make_room(size, checkpoints)
        self._note_gone(gone or [])
        return gone is not None

    def find_on_disk(self, task: GenerationTask, have: int) -> Loading | Refusal:
        """What is on disk for a task's history that is worth more than the `have` tokens in memory."""
        loading = self._loading.pop(task, None)
        if loading is not None:
            return loading
        if self._states is None or len(task.history) - have <= WORTH_RESTORING:
            return Refusal()
        return self._states.find(task.history, have + WORTH_RESTORING)

    def await_disk(self, task: GenerationTask, loading: Loading) -> None:
        """Remember what is being read for a task, until it asks again."""
        self._loading = {other: still for other, still in self._loading.items() if not other.cancelled}
        self._loading[task] = loading

    def is_reading(self, task: GenerationTask) -> bool:
        """Whether something is being read from disk for a task."""
        loading = self._loading.get(task)
        return loading is not None and not loading.done()

    def clear(self) -> None:
        """Let all go that is in memory."""
        self.lot.clear()
        self._loading.clear()

    def rest(self, residents: Iterable[Sequence]) -> float | None:
        """Write what has been idle for a while. Seconds until there is more to do; `None` if nothing is due."""
        now = time.monotonic()
        due = [sequence for sequence in residents if self._unsaved(sequence)]
        for sequence in due:
            if now - sequence.idle_since >= SAVE_AFTER:
                self._save(sequence)
        waiting = [SAVE_AFTER - (now - sequence.idle_since) for sequence in due if self._unsaved(sequence)]
        # What is due and still there waits for the disk.
        return max(1.0, min(waiting)) if waiting else None

    def save(self, residents: Iterable[Sequence]) -> None:
        """Write all that may be kept and is not on disk yet, the last used first, as far as time allows."""
        if self._states is None:
            return
        deadline = time.monotonic() + _SAVING_TIME
        for sequence in sorted(residents, key=lambda sequence: -sequence.last_used):
            if self._unsaved(sequence) and self._states.flush(deadline - time.monotonic()):
                self._save(sequence)
        for conversation in reversed(self.lot.conversations):
            if conversation.keep and self._states.flush(deadline - time.monotonic()):
                self._write(conversation)
        self._states.flush(deadline - time.monotonic())

    def _unsaved(self, sequence: Sequence) -> bool:
        new = len(sequence.tokens) - sequence.saved
        return self._states is not None and sequence.idle and sequence.keep and new >= WORTH_PARKING

    def _save(self, sequence: Sequence) -> None:
        conversation = self._copy(sequence)
        if conversation is None:
            sequence.saved = len(sequence.tokens)  # it will not go better the next time
            return
        self._write(conversation)
        sequence.saved = conversation.saved

    def _copy(self, sequence: Sequence) -> Conversation | None:
        shortest_cut = self._cells.shortest_cut_of_snapshot(sequence.number)
        state = self._cells.snapshot(sequence.number)
        if state is None:
            return None
        return Conversation(
            list(sequence.tokens), state, shortest_cut, list(sequence.checkpoints), sequence.keep, sequence.saved
        )

    def _write(self, conversation: Conversation) -> None:
        new = len(conversation.tokens) - conversation.saved
        if self._states is None or not conversation.keep or new < WORTH_PARKING:
            return
        if self._states.write(conversation):
            conversation.saved = len(conversation.tokens)

    def _whole_already(self, sequence: Sequence) -> Conversation | None:
        """A parked conversation that begins with all that the sequence holds, and can be cut back to it."""
        if not self._cells.can_always_cut:
            return None
        tokens = sequence.tokens
        parked = self.lot.conversations
        length = len(tokens)
        return next((other for other in parked if common_prefix(other.tokens, tokens, length) == length), None)

    def _note_gone(self, gone: Iterable[Conversation]) -> None:
        for conversation in gone:
            self.evicted.add(conversation.tokens)
