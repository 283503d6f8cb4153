"""How far an answer has come towards its form and in it: which token may come next."""

from __future__ import annotations

import ctypes
import math
from typing import TYPE_CHECKING, Any

from tui.domain import Constraint, EngineFault
from tui.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer
    from numpy import float32
    from numpy.typing import NDArray

# Blank tokens that may stand between the end of the reasoning and the beginning of the form.
_MOST_BLANK_TOKENS = 4
_BLANKS = b" \n\r\t"


class ConstraintState:
    """How far one answer has come in its form. Used by one thread at a time."""

    def __init__(
        self, matcher: LLMatcher, tokenizer: LLTokenizer, vocabulary: Vocabulary, constraint: Constraint
    ) -> None:
        self._matcher = matcher
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._triggers = tuple(text.encode() for text in constraint.after if text)
        self._opening = constraint.opening.encode() if self._triggers else b""
        """What the output must begin with to go on freely; empty once that is decided."""
        self._longest = max(map(len, (*self._triggers, self._opening)), default=1)
        self._optional = constraint.optional
        self._tail = b""
        self._opened: list[int] = []
        """What was said of the opening, while that is undecided."""
        self._due: list[int] = []
        """What has to be said now so that the form begins, as the model wanted to end without it."""
        self._begun = False
        self._blanks_left = _MOST_BLANK_TOKENS if self._triggers else 0
        self.active = not self._triggers
        """Whether the form has begun; before that everything may be said."""
        self._mask: Any = None

    @property
    def complete(self) -> bool:
        """Whether nothing may follow any more."""
        return self.active and self._matcher.is_stopped() and not self._matcher.is_error()

    def allows(self, token: int) -> bool:
        """Whether the answer may go on with this token."""
        if not self.active:
            if self._due:
                return token == self._due[0]
            if self._opening and not self._may_open(token):
                return False
            if not self._optional and self._vocabulary.ends_generation(token):
                return False
            rest = self._rest_behind_trigger(token)
            return not rest or self._taken(self._matcher.deep_copy(), rest)
        if self._is_blank(token):
            return True
        return self._matcher.validate_tokens([token]) == 1

    def accept(self, token: int) -> None:
        """Go on with a token that is allowed. Raises EngineFault if llguidance gives up."""
        if not self.active:
            self._accept_free(token)
            return
        if self._is_blank(token):
            self._blanks_left -= 1
            return
        self._begun = True
        if not self._vocabulary.ends_generation(token) and not self._matcher.consume_token(token):
            raise self._fault()

    def beyond(self, data: bytes) -> bytes:
        """What of these bytes stands behind the end of the form; empty if it does not end in them."""
        matcher = self._matcher.deep_copy()
        text = data.decode("utf-8", "surrogateescape")
        for at, character in enumerate(text):
            if not takes(matcher, self._tokenizer, character.encode("utf-8", "surrogateescape")):
                break
            if matcher.is_stopped():
                return text[at + 1 :].encode("utf-8", "surrogateescape")
        return b""

    def refuse(self, token: int, logits: ctypes.Array[ctypes.c_float]) -> None:
        """Go on from a token that was drawn before the form has begun and is not allowed.

        Either the form begins now, or the logit of the token is put to minus infinity. If it would have ended the
        output, all but those that lead to the form follow it, as well as where an opening was begun that is no
        beginning of the form.
        """
        self._begin()
        if not self.active:
            self._rule_out(token, logits)

    def _begin(self) -> None:
        """Let the form begin now, if the output just turned out not to begin with the opening.

        What was said of the opening is then the beginning of the form; if it cannot be, nothing changes.
        """
        if self._opening and self._matcher.validate_tokens(self._opened) == len(self._opened):
            self.active = not self._opened or self._matcher.consume_tokens(self._opened)
            self._begun = bool(self._opened)

    def _rule_out(self, token: int, logits: ctypes.Array[ctypes.c_float]) -> None:
        if not (self._opening or self._due) and self._vocabulary.ends_generation(token):
            self._due = self._vocabulary.tokenize(self._triggers[0].decode())
        everything = self._opened or self._due
        for other in range(len(logits)) if everything else (token,):
            if other == token or not self.allows(other):
                logits[other] = -math.inf

    def apply(self, logits: NDArray[float32]) -> None:
        """Put every logit to minus infinity whose token is not allowed.

        Raises EngineFault if llguidance gives up, or if none is left.
        """
        import numpy

        if self._mask is None:
            self._mask = numpy.zeros((logits.size + 31) // 32, dtype=numpy.int32)
        self._matcher.unsafe_compute_mask_ptr(self._mask.ctypes.data, self._mask.nbytes)
        if self._matcher.is_error():
            raise self._fault()
        allowed = numpy.unpackbits(self._mask.view(numpy.uint8), count=logits.size, bitorder="little")
        numpy.copyto(logits, -numpy.inf, where=allowed == 0)
        if not (logits.max() > -math.inf):
            raise EngineFault(
                "No token is left that both the form and the other settings allow.",
                "Loosen the schema, or the logit bias and the least number of tokens.",
            )

    def _may_open(self, token: int) -> bool:
        text = (self._tail + self._vocabulary.piece(token)).lstrip(_BLANKS)
        return text.startswith(self._opening) or self._opening.startswith(text)

    def _open(self, token: int) -> None:
        text = (self._tail + self._vocabulary.piece(token)).lstrip(_BLANKS)
        if text.startswith(self._opening):
            self._opening = b""
            self._opened.clear()
        elif text:
            self._opened.append(token)

    def _accept_free(self, token: int) -> None:
        self._due = self._due[1:]
        if self._opening:
            self._open(token)
        rest = self._rest_behind_trigger(token)
        if rest is None:
            self._tail = (self._tail + self._vocabulary.piece(token))[-self._longest :]
            return
        self.active = True
        if rest and not self._taken(self._matcher, rest):
            raise self._fault()
        self._begun = bool(rest.strip(_BLANKS))

    def _rest_behind_trigger(self, token: int) -> bytes | None:
        """What the token says behind a trigger that it completes; `None` if it completes none."""
        piece = self._vocabulary.piece(token)
        text = self._tail + piece
        ends = [at + len(trigger) for trigger in self._triggers if (at := text.find(trigger)) >= 0]
        return text[min(ends) :] if ends else None

    def _taken(self, matcher: LLMatcher, data: bytes) -> bool:
        """Whether the matcher takes these bytes, or what they are without blanks in front."""
        return any(takes(matcher, self._tokenizer, text) for text in (data, data.lstrip(_BLANKS)))

    def _is_blank(self, token: int) -> bool:
        """Whether this is white space before the form that the model is free to make."""
        return not self._begun and self._blanks_left > 0 and not self._vocabulary.piece(token).strip(_BLANKS)

    def _fault(self) -> EngineFault:
        return EngineFault(
            f"The answer could not be kept to the form that was asked for: {short_reason(self._matcher.get_error())}",
            "The schema or grammar is probably too complex; simplify it.",
        )


def takes(matcher: LLMatcher, tokenizer: LLTokenizer, data: bytes) -> bool:
    """Let the matcher go on with these bytes; whether it could. If not, it stays where it was."""
    try:
        # The model's own way of cutting text may put a space before it.
        tokens = tokenizer.greedy_tokenize(data.decode())
    except UnicodeDecodeError:
        tokens = tokenizer.tokenize_bytes(data)
    return matcher.validate_tokens(tokens) == len(tokens) and (not tokens or bool(matcher.consume_tokens(tokens)))


def short_reason(text: str) -> str:
    """The first line of llguidance's words, which go on with its whole state."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "no reason was given")
    return line if len(line) <= 300 else f"{line[:300]}…"
