"""Texts without any space for thousands of characters, or nothing but spaces, cut before llama.cpp sees them.

llama.cpp cuts text into words with `std::regex`, which calls itself for every character of a word: from some 26,000
characters on it overruns the stack of eight megabytes and ends the process.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST_RUN: Final = 8_000
"""Characters without a change between text and space: a third of what kills, and more than any real word has."""

_RUN: Final = re.compile(rf"\S{{{LONGEST_RUN}}}|\s{{{LONGEST_RUN}}}")
_BORDER: Final = re.compile(r"[^\W\d_][,.;:!?()，。、；：！？（）「」]")
"""Behind a letter a sign begins another word in every vocabulary."""


def cut_long_runs(text: str) -> list[str]:
    """The text in pieces without such runs: one piece as a rule. Cuts at signs where there are any."""
    pieces: list[str] = []
    start = 0
    while run := _RUN.search(text, start):
        borders = list(_BORDER.finditer(text, run.start() + LONGEST_RUN // 2, run.end()))
        end = borders[-1].end() - 1 if borders else run.end()
        pieces.append(text[start:end])
        start = end
    if start < len(text) or not pieces:
        pieces.append(text[start:])
    return pieces
