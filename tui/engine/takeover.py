"""What a new prompt can take over from conversations in memory, and how it gets there."""

from __future__ import annotations

from dataclasses import dataclass

from tui.engine.cells import Cells
from tui.engine.checkpoints import usable
from tui.engine.parking import Conversation
from tui.engine.prefix import common_prefix
from tui.engine.residents import Residents
from tui.engine.sequence import Sequence
from tui.engine.shelf import Shelf
from tui.engine.task import GenerationTask

# Of equally long matches, what costs least is taken: the higher.
_OUTSIDE, _RUNNING, _IDLE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Match:
    """A conversation that begins like a prompt."""

    holder: Sequence | Conversation
    held: int
    """Its tokens when it was found."""
    common: int
    length: int
    """Tokens of the common ones that can be taken over."""
    by_checkpoint: bool
    """Whether that takes a checkpoint of exactly that length."""
    rank: int

    @property
    def still_there(self) -> bool:
        """False if the conversation was moved to make room for another match."""
        return self.length > 0 and len(self.holder.tokens) == self.held


class Takeover:
    """Finds the longest beginnings of prompts and brings them into sequences. Used by the engine thread only."""

    def __init__(self, cells: Cells, residents: Residents, shelf: Shelf, context_length: int) -> None:
        self._cells = cells
        self._residents = residents
        self._shelf = shelf
        self._context_length = context_length

    def search(self, task: GenerationTask) -> list[Match]:
        """Everything in memory that begins like the task's history."""
        first = task.history[0]
        found = []
        for sequence in self._residents:
            if sequence.tokens and sequence.tokens[0] == first:
                shortest_cut = self._cells.shortest_cut(sequence.number)
                rank = _IDLE if sequence.task is None else _RUNNING
                found.append(_match(sequence, shortest_cut, task, rank))
        parked = (other for other in self._shelf.lot.conversations if other.tokens[0] == first)
        found += [self.match_outside(other, task) for other in parked]
        return [match for match in found if match.common]

    def match_outside(self, conversation: Conversation, task: GenerationTask) -> Match:
        """How much of a conversation outside the context can be used."""
        return _match(conversation, conversation.shortest_cut, task, _OUTSIDE)

    def take_the_best(self, matches: list[Match], task: GenerationTask) -> Sequence:
        """A sequence with the longest match that there is room for; an empty one if there is none."""
        for match in sorted(matches, key=lambda match: (match.length, match.rank), reverse=True):
            chosen = self._take(match, task) if match.still_there else None
            if chosen is not None:
                return chosen
        chosen = self._residents.oldest_idle()
        self._residents.retire(chosen)
        return chosen

    def _take(self, match: Match, task: GenerationTask) -> Sequence | None:
        holder = match.holder
        if isinstance(holder, Conversation):
            return self._bring_back(holder, match, task)
        if holder.task is None and match.length == match.held:
            return holder  # the next turn of the same conversation
        in_place = holder.task is None and not self._cells.shares
        target = holder if in_place else self._residents.oldest_idle(spare=holder)
        checkpoints, saved = list(holder.checkpoints), holder.saved
        if target is holder:  # what it said beyond is kept outside
            self._shelf.put(holder, self._residents.checkpoints)
        else:
            self._residents.retire(target)
            if not self._cells.copy(holder.number, target.number):
                return None
            target.checkpoints, target.saved = checkpoints, saved
        if not self._cut(target, match, task):
            return None
        if target is not holder and not match.by_checkpoint and not self._cells.own_window(target.number):
            self._residents.clear(target)
            return None
        return target

    def _bring_back(self, holder: Conversation, match: Match, task: GenerationTask) -> Sequence | None:
        """Copy a conversation into an empty sequence; idle ones make room for it."""
        target = self._residents.oldest_idle()
        self._residents.retire(target)
        while self._cells.crowded and self._residents.reach + match.held > self._context_length:
            if not self._residents.retire_oldest_idle():
                break
        if not self._cells.restore(target.number, holder.state):
            return None
        target.checkpoints, target.saved = list(holder.checkpoints), holder.saved
        if not self._cut(target, match, task):
            return None
        if match.length == match.held:
            self._shelf.lot.remove(holder)
        else:
            self._shelf.lot.touch(holder)
        return target

    def _cut(self, target: Sequence, match: Match, task: GenerationTask) -> bool:
        """Bring the copy to the wanted length; it is empty if that fails."""
        target.tokens = task.history[: match.length]
        target.media = task.media
        target.stops = []
        target.checkpoints = [checkpoint for checkpoint in target.checkpoints if checkpoint.length <= match.length]
        target.saved = min(target.saved, match.length)
        if match.by_checkpoint:
            fine = self._residents.go_back(target, target.checkpoints[-1])
        else:
            fine = self._cells.cut(target.number, target.position(match.length))
        if not fine:
            self._residents.clear(target)
        return fine


def _match(holder: Sequence | Conversation, shortest_cut: int, task: GenerationTask, rank: int) -> Match:
    held = len(holder.tokens)
    # One token is always left to decode.
    common = common_prefix(holder.tokens, task.history, len(task.history) - 1)
    if task.media is not None:
        common = task.media.whole(common)
        shortest_cut += common - task.media.position(common)  # which was a position, and becomes a number of tokens
    length = usable((checkpoint.length for checkpoint in holder.checkpoints), common, held, shortest_cut)
    return Match(holder, held, common, length, length < min(held, shortest_cut), rank)
