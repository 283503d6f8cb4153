"""A complete byte-level BPE vocabulary for models that the tests make.

The mapping of bytes to printable characters is GPT-2's; every byte has a token, so any text can be a prompt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CHATML_TEMPLATE: Final = (
    "{% for message in messages %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""A short ChatML template of our own."""

END_OF_TEXT: Final = "<|endoftext|>"
START_OF_TURN: Final = "<|im_start|>"
END_OF_TURN: Final = "<|im_end|>"
THINK_TOKENS: Final = ("<think>", "</think>")

# Token types of llama.h (enum llama_token_type).
NORMAL: Final = 1
CONTROL: Final = 3
USER_DEFINED: Final = 4

WORDS: Final = ("the", "and", "ing", "to", "in", "it", "is", "of", "that", "user", "system", "assistant", "hello")
"""Words that the merges of a random model can build, so that prompts are not only single bytes."""

_SYLLABLES: Final = tuple(consonant + vowel for consonant in "bdfghjklmnprstvz" for vowel in "aeio")


def _byte_characters() -> tuple[str, ...]:
    """For each byte the printable character that stands for it in a byte-level BPE vocabulary."""
    printable = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)}
    shifted = iter(range(256, 512))
    return tuple(chr(byte) if byte in printable else chr(next(shifted)) for byte in range(256))


BYTE_CHARACTERS: Final = _byte_characters()


def spell(data: bytes) -> str:
    """The vocabulary string of a token that stands for these bytes."""
    return "".join(BYTE_CHARACTERS[byte] for byte in data)


def filler_word(number: int) -> str:
    """A pronounceable word for `number`, unique below 262,144."""
    return _SYLLABLES[number >> 12 & 63] + _SYLLABLES[number >> 6 & 63] + _SYLLABLES[number & 63]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Token strings as they stand in the file, with their types and merges."""

    tokens: list[str]
    types: list[int]
    merges: list[str]

    def id(self, token: str) -> int:
        """The number of a token; ValueError if it is not there."""
        return self.tokens.index(token)


def build_vocabulary(
    *,
    words: tuple[str, ...] = (),
    pieces: tuple[bytes, ...] = (),
    special: tuple[str, ...] = (),
    control: tuple[str, ...] = (),
    fillers: int = 0,
) -> Vocabulary:
    """A vocabulary of 256 bytes, control tokens, `special` user-defined tokens, `words` with merges, `pieces`, fillers.

    `control` are further control tokens. Pieces have no merges: no prompt is ever tokenised into them.
    """
    tokens = list(BYTE_CHARACTERS)
    types = [NORMAL] * 256
    for token in (END_OF_TEXT, START_OF_TURN, END_OF_TURN):
        tokens.append(token)
        types.append(CONTROL)
    tokens.extend(special)
    types.extend([USER_DEFINED] * len(special))
    tokens.extend(control)
    types.extend([CONTROL] * len(control))
    # llama.cpp refuses a vocabulary without merges, so there is always this one.
    merges = {f"{BYTE_CHARACTERS[0]} {BYTE_CHARACTERS[1]}": BYTE_CHARACTERS[0] + BYTE_CHARACTERS[1]}
    for word in words:
        for spelled in (spell(word.encode()), spell(f" {word}".encode())):
            for end in range(2, len(spelled) + 1):
                merges.setdefault(f"{spelled[: end - 1]} {spelled[end - 1]}", spelled[:end])
    known = set(tokens)
    for token in (*merges.values(), *map(spell, pieces), *(spell(b" ") + filler_word(n) for n in range(fillers))):
        if token not in known:
            known.add(token)
            tokens.append(token)
            types.append(NORMAL)
    return Vocabulary(tokens, types, list(merges))
