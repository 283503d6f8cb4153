"""Counting tokens without the weights, as llama.cpp would.

`tiktoken` does the work, with a vocabulary made from the model file. It merges whatever makes a token, while llama.cpp
merges the pairs that the file lists; for vocabularies that came out of training the two are the same. So every token
that comes out is checked once: whether the listed merges make it, and no others on the way. Where they do not, or the
file's rules are unknown, the answer is `None` and llama.cpp has to be asked.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Final

from tui.domain import ModelVocabulary
from tui.formats.byte_characters import byte_of_character, spelled_bytes
from tui.formats.pre_tokenizers import PreTokenizer, pre_tokenizer

if TYPE_CHECKING:
    from regex import Pattern  # type: ignore[import-untyped]
    from tiktoken import Encoding

_UNKNOWN, _CONTROL, _USER_DEFINED = 2, 3, 4
_BYTES: Final = 256
_LONG_RUN: Final = re.compile(r"\S{8000}|\s{8000}")
"""What the engine cuts before llama.cpp sees it, and too much for tiktoken's regular expressions."""
_LONGEST_TOKEN: Final = 1_000
"""Bytes; checking one takes quadratic time. Real ones have up to some 250."""

_ALWAYS_CONTROL: Final = frozenset(
    {
        "<|eot_id|>",
        "<|im_end|>",
        "<|end|>",
        "<|return|>",
        "<|call|>",
        "<|flush|>",
        "<|calls|>",
        "<end_of_turn>",
        "<|endoftext|>",
        "</s>",
        "<|eom_id|>",
        "<EOT>",
        "_<EOT>",
        "[EOT]",
        "[EOS]",
        "<|end_of_text|>",
        "<end_of_utterance>",
        "<eos>",
        "<turn|>",
        "<|tool_response>",
        "<｜end▁of▁sentence｜>",
        "[e~[",
        "<|channel|>",
        "<|message|>",
        "<|start|>",
        "<|constrain|>",
    }
)
"""Tokens that llama.cpp takes for markers whatever the file says."""

_HAVE_A_NORMAL_END: Final = ("<|tool_response>", "<|plamo:eos|>")
"""Vocabularies with one of these have `</s>` as a word."""


class TokenCounter:
    """Counts the tokens of texts for one vocabulary. Made by `token_counter`; safe to use from several threads."""

    def __init__(self, rules: PreTokenizer, markers: list[str], ranks: dict[bytes, int], pairs: list[bytes]) -> None:
        self._rules = rules
        self._markers = markers
        self._ranks = ranks
        self._first_parts = pairs
        """For each rank from 256 on the first of the two parts that the listed merge makes it of."""
        self._checked = set(range(_BYTES))
        self._words: list[bytes] = list(ranks)
        self._lock = threading.Lock()
        self._encoding: Encoding | None = None
        self._cutters: list[Pattern[str]] = []

    def count(self, text: str) -> int | None:
        """How many tokens the text has, markers such as `<|im_end|>` being one each; nothing is put in front.

        `None` where only llama.cpp can tell.
        """
        if _LONG_RUN.search(text):
            return None
        total = 0
        for piece, is_marker in self._without_markers(text.encode("utf-8", "replace").decode()):
            tokens = None if is_marker else self._encode(piece)
            if tokens is None and not is_marker:
                return None
            total += 1 if tokens is None else len(tokens)
        return total

    def _without_markers(self, text: str) -> list[tuple[str, bool]]:
        """The text cut at its markers: longer ones first, as llama.cpp does."""
        pieces = [(text, False)] if text else []
        for marker in self._markers:
            if marker not in text:
                continue
            cut: list[tuple[str, bool]] = []
            for piece, is_marker in pieces:
                if is_marker:
                    cut.append((piece, True))
                    continue
                for place, part in enumerate(piece.split(marker)):
                    cut += [(marker, True)] if place else []
                    cut += [(part, False)] if part else []
            pieces = cut
        return pieces

    def _encode(self, text: str) -> list[int] | None:
        encoding = self._opened()
        pieces = [text]
        for cutter in self._cutters:
            pieces = [part for piece in pieces for part in _cut(cutter, piece)]
        try:
            tokens = [token for piece in pieces for token in encoding.encode_ordinary(piece)]
        # The library's native code gives up on expressions that would try too much, by a panic that is no `Exception`.
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            return None
        with self._lock:
            return tokens if all(self._is_exact(token) for token in set(tokens)) else None

    def _opened(self) -> Encoding:
        with self._lock:
            if self._encoding is None:
                import regex
                import tiktoken

                last = self._rules.last
                self._cutters = [regex.compile(expression) for expression in self._rules.first]
                self._encoding = tiktoken.Encoding(
                    "model file",
                    # What the rules do not match stays together; tiktoken alone would drop it.
                    pat_str=rf"{last}|(?:(?!{last})[\s\S])+",
                    mergeable_ranks=self._ranks,
                    special_tokens={},
                )
            return self._encoding

    def _is_exact(self, rank: int) -> bool:
        """Whether llama.cpp makes this token out of its bytes too."""
        waiting = [rank]
        while waiting:
            rank = waiting.pop()
            if rank in self._checked:
                continue
            first = self._first_parts[rank - _BYTES]
            word = self._words[rank]
            if not first or self._parts_before(word, rank) != [first, word[len(first) :]]:
                return False
            self._checked.add(rank)
            waiting += [self._ranks[first], self._ranks[word[len(first) :]]]
        return True

    def _parts_before(self, word: bytes, rank: int) -> list[bytes]:
        """What merging makes of a word, as far as the merges that come before this rank go."""
        parts = [word[place : place + 1] for place in range(len(word))]
        while len(parts) > 1:
            ranks = [self._ranks.get(parts[place] + parts[place + 1], rank) for place in range(len(parts) - 1)]
            best = min(ranks)
            if best >= rank:
                break
            place = ranks.index(best)
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
        return parts


def token_counter(vocabulary: ModelVocabulary) -> TokenCounter | None:
    """A counter for byte-level BPE whose rules are known; `None` if only llama.cpp can count for this vocabulary.

    Takes about half a second for 150,000 tokens, and as much again at the first count.
    """
    rules = pre_tokenizer(vocabulary.pre_tokenizer)
    # llama.cpp has spaces around markers swallowed for models of this name.
    strips = any(name in vocabulary.model_name.lower() for name in ("phi-3", "phi3"))
    if vocabulary.kind != "gpt2" or rules is None or strips:
        return None
    known = frozenset(vocabulary.tokens)
    ranks: dict[bytes, int] = {bytes([byte]): byte for byte in range(_BYTES)}
    if any(character not in known for character in byte_of_character()):
        return None
    first_parts: list[bytes] = []
    for merge in vocabulary.merges:
        # A token may itself begin with a space.
        left, right = merge[:1] + merge[1:].partition(" ")[0], merge[1:].partition(" ")[2]
        first, second = spelled_bytes(left), spelled_bytes(right)
        if not first or not second or left + right not in known or len(left + right) > _LONGEST_TOKEN:
            return None
        if first + second not in ranks:
            if first not in ranks or second not in ranks:
                return None
            ranks[first + second] = len(ranks)
            first_parts.append(first)
    if rules.whole_words:
        for token in vocabulary.tokens:
            word = spelled_bytes(token)
            if word and word not in ranks and len(word) <= _LONGEST_TOKEN:
                ranks[word] = len(ranks)
                # No merge makes it: whether it is a whole word cannot be told from the count.
                first_parts.append(b"")
    return TokenCounter(rules, _markers(vocabulary), ranks, first_parts)


def _markers(vocabulary: ModelVocabulary) -> list[str]:
    """The tokens that are found in the text before anything else, the longest first (in bytes)."""
    normal_end = any(token in vocabulary.tokens for token in _HAVE_A_NORMAL_END)
    types = vocabulary.types or (1,) * len(vocabulary.tokens)
    found = [
        token
        for token, kind in zip(vocabulary.tokens, types, strict=True)
        if token
        and (kind in (_UNKNOWN, _CONTROL, _USER_DEFINED) or token in _ALWAYS_CONTROL)
        and not (token == "</s>" and normal_end)
    ]
    return sorted(found, key=lambda token: len(token.encode("utf-8", "surrogateescape")), reverse=True)


def _cut(cutter: Pattern[str], text: str) -> list[str]:
    """The text cut into what the expression matches and what is between."""
    parts: list[str] = []
    end = 0
    for match in cutter.finditer(text):
        parts += [text[end : match.start()], match[0]]
        end = match.end()
    return [part for part in (*parts, text[end:]) if part]
