"""How far an answer has come that is free but for passages in a form: which token may come next."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.domain import Constraint, EngineFault, LazyConstraint
from tui.engine.constraint_state import ConstraintState, takes
from tui.engine.passages import Openings, Place
from tui.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer
    from numpy import float32
    from numpy.typing import NDArray

# So many tokens that would begin a passage in the wrong way are ruled out in one place, before it is let go. They have
# an opening's end and more in one token, of which there are few.
_MOST_REFUSED = 12


class LazyState:
    """How far one answer has come. Used by one thread at a time.

    As long as no passage has begun a token costs a look at its text, and no mask is made. Where the form turns out not
    to be possible the answer goes on freely.
    """

    def __init__(
        self,
        begun: Mapping[str, LLMatcher],
        tokenizer: LLTokenizer,
        vocabulary: Vocabulary,
        constraint: LazyConstraint,
    ) -> None:
        """`begun` is the grammar as it goes on behind each of the openings."""
        self._begun = {opening.encode(): matcher for opening, matcher in begun.items()}
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._openings = Openings(begun, constraint.asides)
        self._place = self._openings.start(constraint.lead, constraint.aside_open)
        self._next: tuple[int, Place] | None = None
        """The place behind a token that was asked about."""
        self._passage: ConstraintState | None = None
        self._once = constraint.once
        self._refused = 0
        self._held = True
        self.complete = False
        """Whether nothing may follow any more."""

    @property
    def active(self) -> bool:
        """Whether this is in a passage; outside of one everything may be said."""
        return self._passage is not None

    def allows(self, token: int) -> bool:
        """Whether the answer may go on with this token."""
        if self._passage is not None:
            return self._unquotes(token) or self._passage.allows(token) or self._goes_beyond(self._passage, token)
        return not self._held or self._leads_on(token, self._place, self._vocabulary.piece(token))

    def accept(self, token: int) -> None:
        """Go on with a token that is allowed."""
        if not self._held:
            return
        known, self._next = self._next, None
        if known is not None and known[0] == token:
            self._passage = None
            self._place = known[1]
        elif self._passage is not None:
            self._go_on(self._passage, token)
            return
        else:
            self._place = self._openings.next(self._place, self._vocabulary.piece(token))
        self._refused = 0
        if self._place.opening:
            self._begin()

    def refuse(self, token: int, logits: ctypes.Array[ctypes.c_float]) -> None:
        """Put the logit of a token that would begin a passage in the wrong way to minus infinity."""
        logits[token] = -math.inf
        self._refused += 1
        if self._refused > _MOST_REFUSED:
            self._let_go()

    def apply(self, logits: NDArray[float32]) -> None:
        """Put every logit to minus infinity whose token is not allowed."""
        if self._passage is None:
            return
        before = logits.copy()
        try:
            self._passage.apply(logits)
        except EngineFault:
            logits[:] = before
            self._let_go()
            return
        if self._place.quote:
            for token in self._tokenizer.tokenize_bytes(self._place.quote)[:1]:
                logits[token] = before[token]

    def _leads_on(self, token: int, place: Place, said: bytes) -> bool:
        """Whether this may be said in a free place; not if it begins a passage in the wrong way."""
        place = self._openings.next(place, said)
        if place.rest and not takes(self._begun[place.opening].deep_copy(), self._tokenizer, place.rest):
            return False
        self._next = (token, place)
        return True

    def _goes_beyond(self, passage: ConstraintState, token: int) -> bool:
        """Whether the passage ends inside this token, and its rest may be said behind it."""
        rest = b"" if self._vocabulary.ends_generation(token) else passage.beyond(self._vocabulary.piece(token))
        return bool(rest) and not self._once and self._leads_on(token, self._openings.behind_passage(), rest)

    def _begin(self) -> None:
        """A passage begins behind the opening that was just said."""
        matcher = self._begun[self._place.opening].deep_copy()
        if self._place.rest and not takes(matcher, self._tokenizer, self._place.rest):
            self._let_go()
            return
        self._passage = ConstraintState(matcher, self._tokenizer, self._vocabulary, Constraint("lark"))
        self._end_if_complete(self._passage)

    def _go_on(self, passage: ConstraintState, token: int) -> None:
        if self._unquotes(token):
            self._passage = None
            self._place = self._openings.behind_quoted(self._vocabulary.piece(token))
            return
        self._place = Place()
        try:
            passage.accept(token)
        except EngineFault:
            self._let_go()
            return
        self._end_if_complete(passage)

    def _end_if_complete(self, passage: ConstraintState) -> None:
        if passage.complete:
            self._passage = None
            self._place = self._openings.behind_passage()
            self.complete = self._once

    def _unquotes(self, token: int) -> bool:
        """Whether the opening just said was only spoken of: a quotation mark is before it, and now one behind it."""
        quote = self._place.quote
        return bool(quote) and self._vocabulary.piece(token).startswith(quote)

    def _let_go(self) -> None:
        """Hold the answer to nothing any more."""
        self._passage = None
        self._held = False
