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

from tui.domain import BadRequest, Constraint, LazyConstraint
from tui.engine.constraint_state import ConstraintState, short_reason, takes
from tui.engine.lazy_state import LazyState
from tui.engine.schema_blame import faulty_part
from tui.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer
    from llguidance._lib import JsonCompileOptions

_MOST_COMPILED = 32
_LONGEST_SOURCE = 1_000_000
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
        self._compiled: OrderedDict[tuple[str, ...], dict[str, LLMatcher]] = OrderedDict()

    def start(self, constraint: Constraint) -> ConstraintState:
        """A fresh state for one answer. Raises BadRequest, with the path into a schema, if it is not possible."""
        key = (constraint.kind, constraint.source)
        with self._lock:
            tokenizer = self._vocabulary_for_grammars()
            compiled = self._compiled.get(key)
            if compiled is None:
                compiled = {"": self._compile(constraint, tokenizer)}
            self._remember(key, compiled)
            return ConstraintState(compiled[""].deep_copy(), tokenizer, self._vocabulary, constraint)

    def start_lazy(self, constraint: LazyConstraint) -> LazyState | None:
        """A fresh state for one answer; `None` if there is nothing that it could be held to."""
        key = (constraint.source, *constraint.openings)
        with self._lock:
            tokenizer = self._vocabulary_for_grammars()
            compiled = self._compiled.get(key)
            if compiled is None:
                compiled = self._compile_openings(constraint, tokenizer)
            self._remember(key, compiled)
            return LazyState(compiled, tokenizer, self._vocabulary, constraint) if compiled else None

    def clear(self) -> None:
        """Let go of all that is remembered: megabytes for a large vocabulary."""
        with self._lock:
            self._tokenizer = None
            self._compiled.clear()

    def _vocabulary_for_grammars(self) -> LLTokenizer:
        if self._tokenizer is None:
            self._tokenizer = _tokenizer(self._vocabulary)
        return self._tokenizer

    def _remember(self, key: tuple[str, ...], compiled: dict[str, LLMatcher]) -> None:
        self._compiled[key] = compiled
        self._compiled.move_to_end(key)
        if len(self._compiled) > _MOST_COMPILED:
            self._compiled.popitem(last=False)

    def _compile(self, constraint: Constraint, tokenizer: LLTokenizer, *, spelled: bool = False) -> LLMatcher:
        from llguidance import LLMatcher

        if len(constraint.source) > _LONGEST_SOURCE:
            raise BadRequest(
                f"The {_NAMES[constraint.kind]} has {len(constraint.source):,} characters.",
                f"At most {_LONGEST_SOURCE:,} are possible.",
                field="constraint",
            )
        matcher = LLMatcher(tokenizer, _grammar(constraint, self._vocabulary, spelled=spelled), log_level=0)
        if matcher.is_error():
            raise _refusal(constraint, matcher.get_error())
        return matcher

    def _compile_openings(self, constraint: LazyConstraint, tokenizer: LLTokenizer) -> dict[str, LLMatcher]:
        """For every opening the grammar as it goes on behind it; empty if it cannot be used."""
        try:
            matcher = self._compile(Constraint("lark", constraint.source), tokenizer, spelled=True)
        except BadRequest:
            return {}
        behind = {opening: matcher.deep_copy() for opening in constraint.openings}
        return {opening: start for opening, start in behind.items() if self._takes(start, tokenizer, opening)}

    def _takes(self, matcher: LLMatcher, tokenizer: LLTokenizer, opening: str) -> bool:
        """Let the matcher go on with this text, the markers in it being tokens; whether it could."""
        special = self._vocabulary.special_tokens()
        plain = b""
        for token in self._vocabulary.tokenize(opening):
            if token not in special:
                plain += self._vocabulary.piece(token)
            elif takes(matcher, tokenizer, plain) and matcher.consume_token(token):
                plain = b""
            else:
                return False
        return takes(matcher, tokenizer, plain)


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
        self.special_token_ids = sorted(vocabulary.special_tokens())

    def __call__(self, data: bytes) -> list[int]:
        return self._vocabulary.tokenize(data.decode("utf-8", "replace"), parse_special=False)


def _grammar(constraint: Constraint, vocabulary: Vocabulary, *, spelled: bool) -> str:
    """The grammar in llguidance's own words, see `_with_marker_tokens`. Raises BadRequest if it is not readable."""
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
            return LLMatcher.grammar_from_lark(_with_marker_tokens(constraint.source, vocabulary, spelled))
        case "gbnf":
            try:
                return LLMatcher.grammar_from_lark(any_to_lark(constraint.source))
            # The translator reports by exceptions of all kinds, deep nesting among them.
            except Exception as problem:
                raise _refusal(constraint, str(problem) or type(problem).__name__) from problem


def _with_marker_tokens(source: str, vocabulary: Vocabulary, spelled: bool) -> str:
    """The grammar with rules `marker_N: "TEXT"` made of the special tokens that the text has: those are no text.

    With `spelled` the text will do, too: some models that have the tokens were never taught to use them.
    """

    def tokens(found: re.Match[str]) -> str:
        special = vocabulary.special_tokens()
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
        if not any(part.startswith("<[") for part in parts):
            return found[0]
        return found[1] + " ".join(parts) + (f" | {found[2]}" if spelled else "")

    return _MARKER_RULE.sub(tokens, source)


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
        f"The {_NAMES[constraint.kind]} cannot be used: {short_reason(cause)}",
        "Change it, or ask without it.",
        field=field,
    )
