"""Cutting a text into pieces that are all different, so that each can have one successor."""

from __future__ import annotations

import re
from typing import Final

from tests.support.vocabulary import filler_word

PIECE_BYTES: Final = 5
LONGEST_SCRIPT: Final = 8192

_LOOKS_LIKE_AN_END: Final = frozenset({b"</s>", b"<eos>", b"<EOT>", b"<|end|>", b"<|eot_id|>", b"<end_of_turn>"})
"""Strings that llama.cpp takes for the end of a generation by their look; no piece may be one of them."""


def long_script(tokens: int) -> str:
    """A text of pronounceable words that `cut_script` cuts into exactly this many pieces (at most 8,192)."""
    if not 0 <= tokens <= LONGEST_SCRIPT:
        raise ValueError(f"a long script has 0 to {LONGEST_SCRIPT} tokens, not {tokens}")
    words = (filler_word(n % 4096)[2:] for n in range(tokens))
    return "".join(
        (word if n < 4096 else word.capitalize()) + (" " if n % 12 < 11 else "\n") for n, word in enumerate(words)
    )


def cut_script(
    script: bytes, *, taken: frozenset[bytes], special: tuple[str, ...] = (), cut_utf8: bool = False
) -> list[bytes]:
    """The script as different pieces of some bytes each, none of which is in `taken`.

    The first occurrence of a `special` text is a piece of its own. Borders respect characters, or with
    `cut_utf8` lie inside multi-byte characters wherever they can. A stretch between special texts that is one
    byte long is a piece of one byte, all others have two or more. ValueError where no such cut exists.
    """
    used = set(taken | _LOOKS_LIKE_AN_END)
    pieces: list[bytes] = []
    waiting = [text.encode() for text in special]
    stretch = b""
    for part in re.split(b"(" + b"|".join(map(re.escape, waiting)) + b")", script) if waiting else [script]:
        if part in waiting:
            waiting.remove(part)
            pieces += [*_cut_stretch(stretch, used, cut_utf8), part]
            stretch = b""
        else:
            stretch += part
    return pieces + _cut_stretch(stretch, used, cut_utf8)


def _cut_stretch(text: bytes, used: set[bytes], cut_utf8: bool) -> list[bytes]:
    pieces: list[bytes] = []
    start = 0
    while start < len(text):
        end = start + (2 if cut_utf8 else PIECE_BYTES)
        while end < len(text) and (text[start:end] in used or not _border_allowed(text, end, cut_utf8)):
            end += 1
        piece = text[start:end]
        start = end
        # Only the last piece, which took what was left, can be too short or there already.
        while pieces and (len(piece) < 2 or piece in used):
            used.discard(pieces[-1])
            piece = pieces.pop() + piece
        if piece in used:
            raise ValueError(f"the script cannot be cut into different pieces: {piece!r} comes twice")
        used.add(piece)
        pieces.append(piece)
    return pieces


def _border_allowed(text: bytes, position: int, cut_utf8: bool) -> bool:
    """Whether a piece may end here: between characters, or with `cut_utf8` within one if there is one nearby."""
    if 0x80 <= text[position] < 0xC0:
        return cut_utf8
    return not cut_utf8 or all(byte < 0x80 for byte in text[position : position + PIECE_BYTES])
