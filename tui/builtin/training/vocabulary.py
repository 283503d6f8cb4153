"""The guide's vocabulary: byte-level BPE that cuts a word the same way wherever it stands.

Common vocabularies have other tokens for a word behind a space than for the same word behind a quotation mark, so that
a model has to learn for each value how it looks in a call. Here words are merged without their space, and only
words that no function and no value is named by get a token with it. llama.cpp cuts text as Qwen2's vocabulary does
(`tokenizer.ggml.pre`), every digit for itself.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random

import regex  # type: ignore[import-untyped]

from tui.builtin.training.dialogue import (
    CALL,
    END,
    END_CALL,
    END_OF_TEXT,
    END_THINK,
    START,
    THINK,
    Segments,
    topic_token,
)
from tui.builtin.training.seeds import SMALL_WORDS, fact_files, facts, held_out

PRE_TOKENIZER = "qwen2"
_WORD = regex.compile(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CONTROL_TOKENS = (END_OF_TEXT, START, END)
MARKER_TOKENS = (THINK, END_THINK, CALL, END_CALL)
"""Tokens that are text for those who read the answer."""
SILENT_TOKENS = tuple(topic_token(fact.id) for name in fact_files() for fact in facts(name))
"""Tokens that print nothing: what an answer is about."""
_WHOLE = (*CONTROL_TOKENS, *MARKER_TOKENS, *SILENT_TOKENS)
_MARKERS = regex.compile("|".join(map(regex.escape, _WHOLE)))
_MARKER_OR_WORD = regex.compile(f"{_MARKERS.pattern}|{_WORD.pattern}")


def _byte_characters() -> list[str]:
    """A visible character for each byte, as GPT-2's vocabulary has them."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in visible else chr(next(others)) for byte in range(256)]


_BYTES = _byte_characters()
_OFFERED = regex.compile(r"^(\w+)(\(.*)$", regex.MULTILINE)
_CALLED = regex.compile(r'"name": "(\w+)", "arguments"')
"""Names of functions as the template and the model write them."""
_DROPPED = 0.3
"""The part of the merges that is left out where words are cut by chance."""
_REPLACED = 0.35
"""The part of the copied words that other words take the place of, where that is wanted."""
_MEANT = frozenset(
    (
        "name", "arguments", "user", "assistant", "system", "tool", "tools", "tell", "please", "what", "that", "this",
        "with", "from", "here", "your", "found", "nothing", "will", "have", "result", "done",
    )
)  # fmt: skip
"""Words of the template and of answers, which are read and written but not copied."""
_SPACE = _BYTES[32]


@dataclass
class Vocabulary:
    """Tokens and merges, and the way from text to token ids."""

    merges: list[tuple[str, str]]
    tokens: list[str] = field(init=False)
    _ids: dict[str, int] = field(init=False)
    _ranks: dict[tuple[str, str], int] = field(init=False)
    _parts_of_words: list[str] = field(init=False)
    _capital_parts: list[str] = field(init=False)
    _known: dict[str, list[int]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.tokens = [*_BYTES, *("".join(pair) for pair in self.merges), *_WHOLE]
        self._ids = {token: number for number, token in enumerate(self.tokens)}
        self._ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        letters = [token for token in self.tokens if token.isascii() and token.isalpha() and len(token) > 1]
        self._parts_of_words = [token for token in letters if token.islower()]
        self._capital_parts = [token for token in letters if token.istitle()]

    def id(self, token: str) -> int:
        """The number of a token."""
        return self._ids[token]

    def encode(self, text: str, loose: Mapping[str, list[int]] | None = None) -> list[int]:
        """The tokens of a text; markers in it become their own tokens; `loose` has words that are cut otherwise."""
        made: list[int] = []
        at = 0
        for match in _MARKERS.finditer(text):
            made += self._plain(text[at : match.start()], loose or {})
            made.append(self._ids[match[0]])
            at = match.end()
        return made + self._plain(text[at:], loose or {})

    def text(self, tokens: Sequence[int]) -> str:
        """The text of tokens; what is no UTF-8 is replaced."""
        bytes_of = {character: byte for byte, character in enumerate(_BYTES)}
        data = b"".join(
            token.encode() if token in _WHOLE else bytes(bytes_of[character] for character in token)
            for token in (self.tokens[number] for number in tokens)
        )
        return data.decode("utf-8", "replace")

    def encode_segments(
        self, segments: Segments, random: Random | None = None, *, replaced: bool = False
    ) -> tuple[list[int], list[bool]]:
        """The tokens of a conversation, and which of them are to be learned: those that have a letter to be learned.

        With `random`, words that are copied are cut by chance, alike throughout (after Provilkov and others,
        BPE-Dropout, 2020), and if `replaced`, some are put in place by words of any tokens. Else there are tokens which
        only ever are a part of others or never stand in some place, and what is never seen there cannot be copied.
        """
        loose: dict[str, list[int]] = {}
        if random is not None:
            copied = _copied_words(segments)
            if replaced:
                segments, copied = self._replaced(segments, copied, loose, random)
            loose |= {word: self._cut_by_chance(word, random) for word in copied}
        text = "".join(piece for piece, _ in segments)
        learned = bytearray()
        for piece, learn in segments:
            learned += bytes([learn]) * len(piece.encode())
        tokens = self.encode(text, loose)
        marks: list[bool] = []
        at = 0
        for token in tokens:
            length = self._length(token)
            marks.append(any(learned[at : at + length]))
            at += length
        return tokens, marks

    def save(self, path: Path) -> None:
        """Write the merges."""
        path.write_text(json.dumps(self.merges), encoding="utf-8")

    @classmethod
    def open(cls, path: Path) -> Vocabulary:
        """Read the merges that `save` wrote."""
        return cls([(first, second) for first, second in json.loads(path.read_text(encoding="utf-8"))])

    def _length(self, token: int) -> int:
        """Bytes of a token's text."""
        return len(self.tokens[token])

    def _replaced(
        self, segments: Segments, copied: list[str], loose: dict[str, list[int]], random: Random
    ) -> tuple[Segments, list[str]]:
        """The conversation with other words for some of the copied ones, whose tokens go to `loose`; and the rest.

        Of the words that are copied only those that are asked for are replaced: one that is offered and not asked for
        says what its value looks like. Names of functions that are not called have other words as often, or else the
        strange name would always be the right one.
        """
        instead: dict[str, str] = {}
        asked = _words_of(piece for piece, learn in segments if not (learn or piece.startswith(f"{START}system")))
        asked |= {word.lower() for word in asked}
        for word in [*(word for word in copied if word in asked), *_words_beside(segments)]:
            if len(word) > 3 and word.lower() not in _MEANT and random.random() < _REPLACED:
                tokens = self._any_word(word[0].isupper(), random)
                instead[word] = "".join(self.tokens[token] for token in tokens)
                loose[instead[word]] = tokens
                # A request may begin with it and a capital, which is cut as any text is: otherwise than the name.
                if word.islower():
                    instead.setdefault(word.capitalize(), instead[word].capitalize())

        def changed(match: regex.Match[str]) -> str:
            whole: str = match[0]
            letters = _letters(whole)
            new = instead.get(letters)
            return whole if new is None else whole.removesuffix(letters) + new

        other = [(_MARKER_OR_WORD.sub(changed, piece), learn) for piece, learn in segments]
        return other, [word for word in copied if word not in instead]

    def _any_word(self, capital: bool, random: Random) -> list[int]:
        """One to three tokens of letters which together are no word that is kept for the check."""
        while True:
            parts = random.choices(self._parts_of_words, k=random.choices((1, 2, 3), weights=(3, 4, 2))[0])
            if capital:
                parts[0] = random.choice(self._capital_parts)
            word = "".join(parts)
            if len(word) > 2 and not held_out(word) and not held_out(word.lower()):
                return [self._ids[part] for part in parts]

    def _cut_by_chance(self, word: str, random: Random) -> list[int]:
        """The tokens of a word when some merges are left out."""
        parts = [_BYTES[byte] for byte in word.encode()]
        while True:
            possible = [
                (self._ranks[pair], place)
                for place, pair in enumerate(pairwise(parts))
                if pair in self._ranks and random.random() > _DROPPED
            ]
            if not possible:
                return [self._ids[part] for part in parts]
            _, place = min(possible)
            parts[place : place + 2] = [parts[place] + parts[place + 1]]

    def _plain(self, text: str, loose: Mapping[str, list[int]]) -> list[int]:
        made: list[int] = []
        for word in _WORD.findall(text):
            if loose and (letters := _letters(word)) in loose:
                made += [self._ids[_BYTES[byte]] for byte in word.removesuffix(letters).encode()]
                made += loose[letters]
                continue
            known = self._known.get(word)
            if known is None:
                known = self._known[word] = [self._ids[part] for part in self.cut(word)]
                if len(self._known) > 200_000:
                    self._known.clear()
            made += known
        return made

    def cut(self, word: str) -> list[str]:
        """The tokens of one word, spelt in the characters that stand for bytes."""
        parts = [_BYTES[byte] for byte in word.encode()]
        while len(parts) > 1:
            rank, place = min(
                (self._ranks.get(pair, len(self._ranks)), place) for place, pair in enumerate(pairwise(parts))
            )
            if rank == len(self._ranks):
                break
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
        return parts


def _copied_words(segments: Segments) -> list[str]:
    """The words that are both read and to be learned."""
    read, written = (_words_of(piece for piece, learn in segments if learn is wanted) for wanted in (False, True))
    return sorted(word for word in read & written if word.isalpha())


def _words_of(pieces: Iterable[str]) -> set[str]:
    """The words of texts, markers left out."""
    return {_letters(word) for piece in pieces for part in _MARKERS.split(piece) for word in _WORD.findall(part)}


def _words_beside(segments: Segments) -> list[str]:
    """The words of the names of functions that are not called, without those that a function has which is called."""
    called = {name for piece, learn in segments if learn for name in _CALLED.findall(piece)}
    offered = _OFFERED.findall(segments[0][0]) if segments[0][0].startswith(f"{START}system") else []
    needed = _words_of(f"{name}{rest}" for name, rest in offered if name in called)
    needed |= _words_of(piece for piece, learn in segments if learn)
    return sorted(_words_of(name for name, _ in offered if name not in called) - needed)


def _is_sign(word: str) -> bool:
    """Whether there is neither a letter nor a digit in it."""
    return not any(character.isalnum() for character in word)


def _letters(word: str) -> str:
    """A word of the text without the space or sign before it."""
    return word if word[0].isalpha() else word[1:]


def train_vocabulary(texts: Iterable[str], size: int, *, least: int = 40) -> Vocabulary:
    """The vocabulary that byte-level BPE makes of the texts.

    Small words, and signs that are there `least` times, get tokens that take in the space before them. A word that a
    function or a value may be named by must not: what is asked for would have another token than what is offered or
    written, and which two belong together would have to be learned for each word.
    """
    words: Counter[str] = Counter()
    for text in texts:
        for part in _MARKERS.split(text):
            words.update(_WORD.findall(part))
    count = size - 256 - len(_WHOLE)
    bare: Counter[str] = Counter()
    for word, times in words.items():
        letters = word.lstrip(" ") if word.startswith(" ") else word if word[0].isalpha() else word[1:]
        if letters.isalpha():
            bare[letters] += times
        elif not word.isspace():
            bare[letters if word.startswith(" ") else word] += times
    spaced = [
        word
        for word, times in words.most_common()
        if len(word) > 1 and word[0] == " " and (word[1:] in SMALL_WORDS or (times >= least and _is_sign(word)))
    ]
    return Vocabulary(_with_spaces(_merge(bare, count - len(spaced)), spaced, count))


def _with_spaces(merges: list[tuple[str, str]], words: Sequence[str], count: int) -> list[tuple[str, str]]:
    """The merges with further ones, which put a space before words and signs that are one token."""
    known = Vocabulary(list(merges))
    whole = [parts[0] for word in words if len(parts := known.cut(word[1:])) == 1]
    return [*merges, *((_SPACE, part) for part in whole[: count - len(merges)])]


def _merge(counts: Counter[str], count: int) -> list[tuple[str, str]]:
    """The most frequent pair first, as often as wanted."""
    parts = [[_BYTES[byte] for byte in word.encode()] for word in counts]
    times = list(counts.values())
    pairs: Counter[tuple[str, str]] = Counter()
    places: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for number, word in enumerate(parts):
        for pair in pairwise(word):
            pairs[pair] += times[number]
            places[pair].add(number)
    merges: list[tuple[str, str]] = []
    while len(merges) < count and pairs:
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        if pairs[best] < 2:
            break
        merges.append(best)
        for number in tuple(places[best]):
            word = parts[number]
            for pair in pairwise(word):
                pairs[pair] -= times[number]
                places[pair].discard(number)
            parts[number] = word = _joined(word, best)
            for pair in pairwise(word):
                pairs[pair] += times[number]
                places[pair].add(number)
        del pairs[best]
    return merges


def _joined(word: Sequence[str], pair: tuple[str, str]) -> list[str]:
    made: list[str] = []
    at = 0
    while at < len(word):
        if at + 1 < len(word) and (word[at], word[at + 1]) == pair:
            made.append(word[at] + word[at + 1])
            at += 2
        else:
            made.append(word[at])
            at += 1
    return made
