"""What the next step computes: running answers first, then as much of prompts as they bear to wait for."""

from __future__ import annotations

from collections.abc import Sequence as Sequences

from tui.engine.batch import Share
from tui.engine.images import ImageStep
from tui.engine.pace import Pace
from tui.engine.sequences import Sequence, SequenceTable
from tui.engine.speculation import Speculator


class Planner:
    """Shares out the steps of one context. Used by the engine thread only."""

    def __init__(
        self,
        table: SequenceTable,
        pace: Pace,
        speculator: Speculator | None,
        images: ImageStep | None,
        *,
        capacity: int,
        context_length: int,
    ) -> None:
        """`capacity` is how many tokens one step can have at most."""
        self._table = table
        self._pace = pace
        self._speculator = speculator
        self._images = images
        self._capacity = capacity
        self._context_length = context_length
        self._drafting = table.drafting

    def shares(self, running: Sequences[Sequence]) -> list[Share]:
        """The next step for those that run: every answer's next token, then prompts, people's before programs'."""
        answers: list[Sequence] = []
        prompts: list[tuple[int, Sequence, int]] = []
        for sequence in running:
            assert sequence.task is not None
            left = len(sequence.task.history) - len(sequence.tokens)
            if left == 1:
                answers.append(sequence)
            else:
                prompts.append((sequence.task.priority, sequence, left))
        shares = self._answer_shares(answers, drafting=not prompts)
        room = min(
            self._pace.prompt_room(running=len(shares), depth=depth(running)),
            self._capacity - sum(share.size for share in shares),
        )
        for _, sequence, left in sorted(prompts, key=lambda prompt: prompt[0]):
            if room <= 0:
                break
            share = self._prompt_share(sequence, left, room)
            shares.append(share)
            room -= share.count
        return shares

    def _prompt_share(self, sequence: Sequence, left: int, room: int) -> Share:
        """The next piece of a prompt: text, or a part of an image."""
        if sequence.media is None:
            count = self._table.chunk_limit(sequence, min(left, room))
            return Share(sequence, count, outputs=int(count == left))
        held = len(sequence.tokens)
        found = sequence.media.chunk_at(held)
        if found is not None and self._images is not None:
            start, chunk = found
            return Share(sequence, self._images.most(chunk, held - start, room), chunk=found)
        next_image = sequence.media.next_chunk(held)
        text = left if next_image is None else min(left, next_image - held)
        count = self._table.chunk_limit(sequence, min(text, room))
        return Share(sequence, count, outputs=int(count == left))

    def _answer_shares(self, answers: list[Sequence], *, drafting: bool) -> list[Share]:
        if self._speculator is None or not drafting or not answers:
            return [Share(sequence, 1, 1) for sequence in answers]
        drafts = self._drafts(answers)
        return [Share(s, 1, 1 + len(draft), draft) for s, draft in zip(answers, drafts, strict=True)]

    def _drafts(self, answers: list[Sequence]) -> list[list[int]]:
        """Guesses for each answer, as many as this step may have."""
        assert self._speculator is not None
        rules = self._drafting
        if rules.alone and len(answers) > 1:
            return [[] for _ in answers]
        # The numbers that stand for images mean nothing to who guesses.
        histories = [(s.number, s.task.history) for s in answers if s.task is not None and s.media is None]
        found = dict(zip((number for number, _ in histories), self._speculator.propose(histories), strict=True))
        room = min(self._capacity, rules.rows) - len(answers)
        drafts = []
        for sequence in answers:
            assert sequence.task is not None
            # What is accepted must fit into the context, the cell of the last token included.
            most = min(room, rules.longest, self._context_length - len(sequence.task.history))
            drafts.append(found.get(sequence.number, [])[: max(0, most)])
            room -= len(drafts[-1])
        if rules.even:
            shortest = min(map(len, drafts))
            drafts = [draft[:shortest] for draft in drafts]
        return drafts


def depth(running: Sequences[Sequence]) -> int:
    """Tokens in the cache that every step has to look at."""
    return sum(len(sequence.tokens) for sequence in running)
