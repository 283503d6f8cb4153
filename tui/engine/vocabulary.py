"""A loaded model's vocabulary: text to tokens, tokens to bytes."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from tui.domain import EngineFault
from tui.engine.lifetime import Lifetime
from tui.engine.vocabulary_runs import cut_long_runs

# Tokens are at most as many as the text has bytes, plus the special ones around it.
_SPECIAL_ROOM = 8

# enum llama_token_attr of llama.h: unknown, unused and control tokens; user-defined ones
_NOT_TEXT = 0b1011
_USER_DEFINED = 1 << 4

# enum llama_vocab_type of llama.h: byte-level BPE, the only kind that cuts text into words by regular expressions
_BPE = 2


class Vocabulary:
    """Reads one model's vocabulary. Thread-safe: llama.cpp's tokenizer is, and the cache only ever grows.

    Every method raises EngineFault once the model was unloaded.
    """

    def __init__(self, llama: Any, model: Any, lifetime: Lifetime) -> None:
        self._llama = llama
        self._lifetime = lifetime
        self._handle = llama.llama_model_get_vocab(model)
        self.size: int = llama.llama_vocab_n_tokens(self._handle)
        self._cuts_words: bool = llama.llama_vocab_type(self._handle) == _BPE
        self._pieces: dict[int, bytes] = {}
        self._ends: dict[int, bool] = {}
        self._all_ends: list[int] | None = None
        self._control: frozenset[int] | None = None
        self._special: frozenset[int] | None = None
        self.beginning: int = llama.llama_vocab_bos(self._handle)
        self.end: int = llama.llama_vocab_eos(self._handle)
        self.adds_beginning: bool = llama.llama_vocab_get_add_bos(self._handle)

    @property
    def handle(self) -> Any:
        """llama.cpp's own handle, for samplers that need it."""
        return self._handle

    def tokenize(self, text: str, *, add_special: bool = False, parse_special: bool = True) -> list[int]:
        """The tokens of `text`. `parse_special` turns markers such as `<|im_end|>` into their one token."""
        pieces = cut_long_runs(text) if self._cuts_words else [text]
        if len(pieces) == 1:
            return self._tokenize(text, add_special, parse_special)
        around = self._tokenize("", add_special, parse_special)
        first = 1 if self.adds_beginning and around else 0
        inside = [token for piece in pieces for token in self._tokenize(piece, False, parse_special)]
        return [*around[:first], *inside, *around[first:]]

    def _tokenize(self, text: str, add_special: bool, parse_special: bool) -> list[int]:
        data = text.encode("utf-8", "surrogatepass")
        room = len(data) + _SPECIAL_ROOM
        buffer = (self._llama.llama_token * room)()
        with self._lifetime.use():
            count = self._llama.llama_tokenize(self._handle, data, len(data), buffer, room, add_special, parse_special)
        if count < 0:
            raise EngineFault("The text could not be turned into tokens.", "It may be too long; shorten it.")
        return list(buffer[:count])

    def tokenize_prompt(self, text: str) -> list[int]:
        """The tokens of a rendered prompt, with the beginning token exactly once where the model wants one."""
        tokens = self.tokenize(text)
        if self.adds_beginning and self.beginning >= 0 and tokens[:1] != [self.beginning]:
            tokens.insert(0, self.beginning)
        return tokens

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for; may be part of a character. Special tokens give their marker."""
        piece = self._pieces.get(token)
        if piece is None:
            piece = self._pieces[token] = self._read_piece(token)
        return piece

    def text(self, tokens: Sequence[int]) -> str:
        """The text of several tokens; what is not valid UTF-8 becomes replacement characters."""
        return b"".join(map(self.piece, tokens)).decode("utf-8", "replace")

    def ends_generation(self, token: int) -> bool:
        """Whether the model says with this token that it is done."""
        ends = self._ends.get(token)
        if ends is None:
            with self._lifetime.use():
                ends = self._ends[token] = bool(self._llama.llama_vocab_is_eog(self._handle, token))
        return ends

    def end_tokens(self) -> list[int]:
        """Every token that ends generation. Looking at each is a tenth of a second in large vocabularies, once."""
        if self._all_ends is None:
            with self._lifetime.use():
                self._all_ends = [
                    token for token in range(self.size) if self._llama.llama_vocab_is_eog(self._handle, token)
                ]
        return self._all_ends

    def pieces(self) -> list[bytes]:
        """The bytes of every token. About three microseconds for each."""
        with self._lifetime.use():
            return [self.piece(token) for token in range(self.size)]

    def texts(self) -> list[str]:
        """The texts of all tokens as the file has them."""
        with self._lifetime.use():
            return [self.marker(token) for token in range(self.size)]

    def fill_in_markers(self) -> list[str]:
        """The texts of the tokens by which the model fills gaps, those that llama.cpp knows and Mistral's two."""
        ask = (
            self._llama.llama_vocab_fim_pre,
            self._llama.llama_vocab_fim_suf,
            self._llama.llama_vocab_fim_mid,
            self._llama.llama_vocab_fim_rep,
            self._llama.llama_vocab_fim_sep,
        )
        with self._lifetime.use():
            known = [self.marker(role(self._handle)) for role in ask]
            mistral = [text for text in ("[PREFIX]", "[SUFFIX]") if len(self.tokenize(text)) == 1]
        return [text for text in (*known, *mistral) if text]

    def special_tokens(self) -> frozenset[int]:
        """Tokens that steer the model and say nothing: control tokens, and user-defined ones that look like tags."""
        if self._special is None:
            with self._lifetime.use():
                attributes = [self._llama.llama_vocab_get_attr(self._handle, token) for token in range(self.size)]
            self._special = frozenset(
                token
                for token, attribute in enumerate(attributes)
                if attribute & _NOT_TEXT or (attribute & _USER_DEFINED and _is_tag(self.piece(token)))
            )
        return self._special

    def control_tokens(self) -> frozenset[int]:
        """Tokens that steer the model and are never part of what it says, unless somebody looks for them."""
        if self._control is None:
            with self._lifetime.use():
                attribute_of = self._llama.llama_vocab_get_attr
                self._control = frozenset(
                    token for token in range(self.size) if attribute_of(self._handle, token) & _NOT_TEXT
                )
        return self._control

    def marker(self, token: int) -> str:
        """The text of a special token as templates write it; empty where the model has no such token."""
        if token < 0:
            return ""
        with self._lifetime.use():
            text = self._llama.llama_vocab_get_text(self._handle, token)
        return text.decode("utf-8", "replace") if text else ""

    def _read_piece(self, token: int) -> bytes:
        room = 64
        while True:
            buffer = ctypes.create_string_buffer(room)
            with self._lifetime.use():
                written = self._llama.llama_token_to_piece(self._handle, token, buffer, room, 0, True)
            if written >= 0:
                return buffer.raw[:written]
            room = -written


def _is_tag(piece: bytes) -> bool:
    return piece.startswith(b"<") and piece.endswith(b">")
