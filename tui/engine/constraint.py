"""Answers that must have a certain form: JSON Schema, regular expressions and grammars, by way of llguidance.

The vocabulary is handed to llguidance once for each model, at the first request that needs it. GBNF goes the same
way, translated to Lark: llama.cpp's own parser runs recursively on what it is given and can end the process, and its
mask over 150,000 tokens costs many times more.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from tui.domain import BadRequest, Constraint, EngineFault
from tui.engine.schema_blame import faulty_part
from tui.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer
    from llguidance._lib import JsonCompileOptions
    from numpy import float32
    from numpy.typing import NDArray

_MOST_COMPILED = 32
_LONGEST_SOURCE = 1_000_000
# Blank tokens that may stand between the end of the reasoning and the beginning of the form.
_MOST_BLANK_TOKENS = 4
# White space between the parts of JSON: a model that is lost would otherwise make it without end.
_JSON_OPTIONS: JsonCompileOptions = {"whitespace_pattern": r"[\x20\x0A\x0D\x09]{1,24}"}
_MARKER_RULE = re.compile(r'^(marker_\d+: *)("(?:[^"\\\n]|\\.)*")$', re.MULTILINE)
_NAMES = {
    "json_object": "JSON object",
    "json_schema": "JSON schema",
    "regex": "regular expression",
    "lark": "Lark grammar",
    "gbnf": "GBNF grammar",
}


class Constraints:
    """Compiles the constraints of one model's requests and remembers the last ones. Safe to use from any thread."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._lock = threading.Lock()
        self._tokenizer: LLTokenizer | None = None
        self._compiled: OrderedDict[tuple[str, str], LLMatcher] = OrderedDict()

    def start(self, constraint: Constraint) -> ConstraintState:
        """A fresh state for one answer. Raises BadRequest, with the path into a schema, if it is not possible."""
        from llguidance import LLMatcher

        if len(constraint.source) > _LONGEST_SOURCE:
            raise BadRequest(
                f"The {_NAMES[constraint.kind]} has {len(constraint.source):,} characters.",
                f"At most {_LONGEST_SOURCE:,} are possible.",
                field="constraint",
            )
        key = (constraint.kind, constraint.source)
        with self._lock:
            matcher = self._compiled.get(key)
            if matcher is None:
                if self._tokenizer is None:
                    self._tokenizer = _tokenizer(self._vocabulary)
                grammar = _grammar(constraint, self._vocabulary)
                matcher = LLMatcher(self._tokenizer, grammar, log_level=0)
                if matcher.is_error():
                    raise _refusal(constraint, matcher.get_error())
                self._compiled[key] = matcher
                if len(self._compiled) > _MOST_COMPILED:
                    self._compiled.popitem(last=False)
            else:
                self._compiled.move_to_end(key)
            tokenizer = self._tokenizer
            assert tokenizer is not None
            return ConstraintState(matcher.deep_copy(), tokenizer, self._vocabulary, constraint)

    def clear(self) -> None:
        """Let go of all that is remembered: megabytes for a large vocabulary."""
        with self._lock:
            self._tokenizer = None
            self._compiled.clear()


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
        self._tail = b""
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
            if self._opening and not self._may_open(token):
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

    def begin(self) -> None:
        """Let the form begin now, if the output just turned out not to begin with the opening."""
        self.active = self.active or bool(self._opening)

    def apply(self, logits: NDArray[float32]) -> None:
        """Put every logit to minus infinity whose token is not allowed. Raises EngineFault if llguidance gives up."""
        import numpy

        if self._mask is None:
            self._mask = numpy.zeros((logits.size + 31) // 32, dtype=numpy.int32)
        self._matcher.unsafe_compute_mask_ptr(self._mask.ctypes.data, self._mask.nbytes)
        if self._matcher.is_error():
            raise self._fault()
        allowed = numpy.unpackbits(self._mask.view(numpy.uint8), count=logits.size, bitorder="little")
        numpy.copyto(logits, -numpy.inf, where=allowed == 0)

    def _may_open(self, token: int) -> bool:
        text = (self._tail + self._vocabulary.piece(token)).lstrip()
        return text.startswith(self._opening) or self._opening.startswith(text)

    def _accept_free(self, token: int) -> None:
        if self._opening and (self._tail + self._vocabulary.piece(token)).lstrip().startswith(self._opening):
            self._opening = b""
        rest = self._rest_behind_trigger(token)
        if rest is None:
            self._tail = (self._tail + self._vocabulary.piece(token))[-self._longest :]
            return
        self.active = True
        if rest and not self._taken(self._matcher, rest):
            raise self._fault()
        self._begun = bool(rest.strip())

    def _rest_behind_trigger(self, token: int) -> bytes | None:
        """What the token says behind a trigger that it completes; `None` if it completes none."""
        piece = self._vocabulary.piece(token)
        text = self._tail + piece
        ends = [at + len(trigger) for trigger in self._triggers if (at := text.find(trigger)) >= 0]
        return text[min(ends) :] if ends else None

    def _taken(self, matcher: LLMatcher, data: bytes) -> bool:
        """Whether the matcher takes these bytes, or what they are without blanks in front."""
        for text in (data, data.lstrip()):
            tokens = self._tokenizer.tokenize_bytes(text)
            if matcher.validate_tokens(tokens) == len(tokens):
                return not tokens or matcher.consume_tokens(tokens)
        return False

    def _is_blank(self, token: int) -> bool:
        """Whether this is white space before the form that the model is free to make."""
        return not self._begun and self._blanks_left > 0 and not self._vocabulary.piece(token).strip()

    def _fault(self) -> EngineFault:
        return EngineFault(
            f"The answer could not be kept to the form that was asked for: {_short(self._matcher.get_error())}",
            "The schema or grammar is probably too complex; simplify it.",
        )


def _tokenizer(vocabulary: Vocabulary) -> LLTokenizer:
    """The model's vocabulary as llguidance wants it. About half a second for 150,000 tokens."""
    from llguidance import LLTokenizer, TokenizerWrapper

    ends = vocabulary.end_tokens() or [max(vocabulary.end, 0)]
    return LLTokenizer(TokenizerWrapper(_Words(vocabulary)), n_vocab=vocabulary.size, eos_token=ends)


class _Words:
    """What llguidance's wrapper asks of a tokenizer."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.eos_token_id = max(vocabulary.end, 0)
        self.bos_token_id = vocabulary.beginning if vocabulary.beginning >= 0 else None
        self.tokens = vocabulary.pieces()
        self.special_token_ids = vocabulary.special_tokens()

    def __call__(self, data: bytes) -> list[int]:
        return self._vocabulary.tokenize(data.decode("utf-8", "replace"), parse_special=False)


def _grammar(constraint: Constraint, vocabulary: Vocabulary) -> str:
    """The grammar in llguidance's own words. Raises BadRequest for what is not even readable."""
    from llguidance import LLMatcher
    from llguidance.gbnf_to_lark import any_to_lark

    match constraint.kind:
        case "json_object":
            return LLMatcher.grammar_from_json_schema('{"type": "object"}', _JSON_OPTIONS)
        case "json_schema":
            return LLMatcher.grammar_from_json_schema(json.dumps(_read_schema(constraint)), _JSON_OPTIONS)
        case "regex":
            return LLMatcher.grammar_from_regex(constraint.source)
        case "lark":
            return LLMatcher.grammar_from_lark(_with_marker_tokens(constraint.source, vocabulary))
        case "gbnf":
            try:
                return LLMatcher.grammar_from_lark(any_to_lark(constraint.source))
            # The translator reports by exceptions of all kinds, deep nesting among them.
            except Exception as problem:
                raise _refusal(constraint, str(problem) or type(problem).__name__) from problem


def _with_marker_tokens(source: str, vocabulary: Vocabulary) -> str:
    """The grammar with rules `marker_N: "TEXT"` made of the special tokens that the text has: those are no text."""
    special: frozenset[int] | None = None

    def spelled(found: re.Match[str]) -> str:
        nonlocal special
        special = special if special is not None else frozenset(vocabulary.special_tokens())
        parts: list[str] = []
        plain = b""
        for token in vocabulary.tokenize(json.loads(found[2])):
            if token not in special:
                plain += vocabulary.piece(token)
                continue
            parts += [json.dumps(plain.decode("utf-8", "replace"))] if plain else []
            parts.append(f"<[{token}]>")
            plain = b""
        parts += [json.dumps(plain.decode("utf-8", "replace"))] if plain else []
        return found[1] + " ".join(parts) if any(part.startswith("<[") for part in parts) else found[0]

    return _MARKER_RULE.sub(spelled, source)


def _read_schema(constraint: Constraint) -> Any:
    try:
        schema = json.loads(constraint.source)
    except (ValueError, RecursionError) as problem:
        raise _refusal(constraint, f"it is not JSON ({problem})") from problem
    if not isinstance(schema, dict | bool):
        raise _refusal(constraint, "it must be an object")
    return schema


def _refusal(constraint: Constraint, cause: str) -> BadRequest:
    field = "constraint"
    if constraint.kind == "json_schema":
        path, part_cause = faulty_part(constraint.source)
        if path:
            field, cause = f"constraint.{path}", part_cause
    return BadRequest(
        f"The {_NAMES[constraint.kind]} cannot be used: {_short(cause)}", "Change it, or ask without it.", field=field
    )


def _short(text: str) -> str:
    """The first line of llguidance's words, which go on with its whole state."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "no reason was given")
    return line if len(line) <= 300 else f"{line[:300]}…"
