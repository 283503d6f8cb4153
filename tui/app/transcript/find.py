"""Finds text in the messages of a transcript, as it is drawn: wrapped and without markup."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from tui.app.transcript.header import Line
from tui.app.transcript.layout import Layout
from tui.app.transcript.text import ALL_GUTTER

Ranges = list[tuple[int, int]]
"""Characters of a strip, from the first to behind the last."""

_WORD = re.compile(r'"[^"]*"|\S+')


def ranges_in(lines: Sequence[Line], pattern: re.Pattern[str]) -> dict[int, Ranges]:
    """Where a pattern stands in these lines, row by row. What wrapping parted is found too."""
    rows = [row for row, line in enumerate(lines) if line.gutter < ALL_GUTTER]
    texts = [lines[row].text + lines[row].join for row in rows]
    starts = [0, *accumulate(map(len, texts))]
    found: dict[int, Ranges] = {}
    for match in pattern.finditer("".join(texts)):
        begin, end = match.span()
        number = bisect_right(starts, begin) - 1
        while begin < end and number < len(rows):
            line = lines[rows[number]]
            stop = min(end, starts[number] + len(line.text))
            if begin < stop:
                place = line.gutter - starts[number]
                found.setdefault(rows[number], []).append((begin + place, stop + place))
            number += 1
            begin = starts[number]
    return found


class Finder:
    """What is looked for, and where it stands."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._phrases: list[list[str]] = []
        self._pattern: re.Pattern[str] | None = None
        self._ranges: dict[int, tuple[list[Line], dict[int, Ranges]]] = {}
        self.text = ""
        self.messages: list[int] = []
        """The messages that have it in their text."""

    def look_for(self, text: str, *, words: bool = False) -> None:
        """Look for another text, whatever the case of its letters, or for each of its words; empty finds nothing.

        What stands in quotes is one word.
        """
        self.text = text
        found = _WORD.findall(text) if words else [text]
        self._phrases = [phrase for word in found if (phrase := word.strip('"').lower().split())]
        alternatives = (r"\s+".join(map(re.escape, phrase)) for phrase in self._phrases)
        self._pattern = re.compile("|".join(alternatives), re.IGNORECASE) if self._phrases else None
        self.look_again()

    def look_again(self) -> None:
        """The messages are others now."""
        self._ranges.clear()
        self.messages = [
            index for index in range(self._layout.count) if self._has(self._layout.message(index).text.lower())
        ]

    def _has(self, source: str) -> bool:
        """Whether a text in small letters has one of the phrases; looking for its first word alone is much faster."""
        return any(
            phrase[0] in source and (len(phrase) == 1 or (self._pattern is not None and self._pattern.search(source)))
            for phrase in self._phrases
        )

    def ranges(self, index: int, row: int, lines: list[Line]) -> Ranges:
        """What to mark in a line. Of an answer that is coming each line is looked at alone, so that it stays cheap."""
        if self._pattern is None or index >= self._layout.count:
            return []
        if self._layout.live is not None and lines is self._layout.live.lines:
            return ranges_in(lines[row : row + 1], self._pattern).get(0, [])
        return self._in_message(index, lines).get(row, [])

    def next_from(self, index: int, row: int, step: int) -> tuple[int, int] | None:
        """The next place after a line, or before it with a negative step; after the last comes the first one."""
        if not self.messages:
            return None
        order = self.messages if step > 0 else self.messages[::-1]
        ahead = [other for other in order if (other - index) * step > 0]
        for other in [*([index] if index in self.messages else []), *ahead, *order]:
            rows = sorted(self._in_message(other, self._layout.lines(other)), reverse=step < 0)
            if other == index:
                beyond = [found for found in rows if (found - row) * step > 0]
                if beyond:
                    return other, beyond[0]
            elif rows:
                return other, rows[0]
        rows = sorted(self._in_message(index, self._layout.lines(index)), reverse=step < 0)
        return (index, rows[0]) if rows else None

    def _in_message(self, index: int, lines: list[Line]) -> dict[int, Ranges]:
        known = self._ranges.get(index)
        if known is None or known[0] is not lines:
            assert self._pattern is not None
            known = self._ranges[index] = (lines, ranges_in(lines, self._pattern))
        return known[1]
