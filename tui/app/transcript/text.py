"""Text on a grid of cells: making it harmless, measuring it, and breaking it into rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.style import Style

Span = tuple[str, Style]

ALL_GUTTER = 1 << 30
"""The gutter of a row that is decoration from edge to edge."""

TAB_SIZE = 4
"""Cells. Code from models is mostly indented by four, and eight would waste a narrow pane."""

# Control characters, direction overrides (they can make code read differently from what it is), halves of
# surrogate pairs (they cannot be written to a terminal), and line separators that terminals do not know.
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_OPENING = "（［｛「『【〈《〔“‘"
_CLOSING = "、。，．：；？！）］｝」』】〉》〕”’ー々"
_WIDE = "ᄀ-ᅟ⺀-〾ぁ-㏿㐀-䶿一-鿿ꀀ-꓏가-힣豈-﫿︰-﹏＀-｠￠-￦\U00020000-\U0003fffd"
# A word and the spaces after it. Wide characters may be parted anywhere, except from their punctuation.
_WORD = re.compile(f"([{_OPENING}]*(?:[{_WIDE}]|[^ {_WIDE}]+)[{_CLOSING}]*|)( *)")
_ASCII_WORD = re.compile("([^ ]*)( *)")


class Row(NamedTuple):
    """One row of the grid, still without the margin that its message puts before it."""

    spans: Sequence[Span]
    join: str = "\n"
    """What stands between this row and the next one in the text: a newline, or what wrapping took away."""
    gutter: int = 0
    """How many leading characters are decoration and not text."""


def clean(text: str) -> str:
    """The text with everything that a terminal could take for a command made visible instead.

    Escape sequences show as `␛[…`, so a model can neither move the cursor nor set the title.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _HARMFUL.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return "\n" if code in (0x2028, 0x2029) else "�"


def cells(text: str) -> int:
    """How many cells the text takes on a terminal."""
    return len(text) if text.isascii() else cell_len(text)


_WIDEST = 2
"""Cells of the widest character."""


def hard_split(text: str, width: int) -> list[str]:
    """The text in pieces of at most `width` cells, with combining characters kept on what they combine with.

    A character that is wider than `width` gets a piece of its own.
    """
    if text.isascii():
        return [text[start : start + width] for start in range(0, len(text), width)] or [""]
    pieces: list[str] = []
    start = used = 0
    for position, size in _clusters(text):
        if used + size > width and position > start:
            pieces.append(text[start:position])
            start, used = position, 0
        used += size
    pieces.append(text[start:])
    return pieces


def _goes_on(text: str, start: int, position: int) -> bool:
    """Whether a group that begins at `start` has the character at `position`, too."""
    if cell_len(text[position]) == 0:
        return True
    # A joiner between characters that have no common picture joins nothing: they take their cells side by side.
    return text[position - 1] == "\u200d" and cell_len(text[start : position + 1]) <= _WIDEST


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Where each group of characters that share cells begins, and its width in cells."""
    start = 0
    for position in range(1, len(text) + 1):
        if position < len(text) and _goes_on(text, start, position):
            continue
        yield start, cell_len(text[start:position])
        start = position


def split_lines(spans: Iterable[Span]) -> list[list[Span]]:
    """The spans of each line, parted at newlines, with tabs made of spaces."""
    lines: list[list[Span]] = [[]]
    for text, style in spans:
        if "\n" not in text:
            lines[-1].append((text, style))
            continue
        for number, part in enumerate(text.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append((part, style))
    return [[(text.expandtabs(TAB_SIZE), style) if "\t" in text else (text, style) for text, style in line]
            for line in lines]  # fmt: skip


def wrap(spans: Iterable[Span], width: int) -> list[Row]:
    """Break spans at words into rows of at most `width` cells; a word that is wider is cut."""
    return [row for line in split_lines(spans) for row in _wrap_line(line, width)]


def wrap_anywhere(spans: Iterable[Span], width: int) -> list[Row]:
    """Break spans into rows of exactly `width` cells, as code needs it, where every space counts."""
    rows: list[Row] = []
    for line in split_lines(spans):
        text = "".join(part for part, _ in line)
        if cells(text) <= width:
            rows.append(Row(line))
            continue
        cuts, start = [], 0
        for piece in hard_split(text, width):
            cuts.append((start, start + len(piece), ""))
            start += len(piece)
        rows.extend(_cut(line, cuts))
    return rows


def _wrap_line(line: list[Span], width: int) -> list[Row]:
    text = "".join(part for part, _ in line)
    if cells(text) <= width:
        return [Row(line)]
    cuts: list[tuple[int, int, str]] = []
    start = end = used = 0
    pattern = _ASCII_WORD if text.isascii() else _WORD
    for match in pattern.finditer(text):
        if not match.group():
            continue
        size = cells(match.group(1))
        if used + size > width:
            if end > start:
                cuts.append((start, end, " " if match.start() > end else ""))
            start, used = match.start(), 0
            if size > width:
                *pieces, last = hard_split(match.group(1), width)
                for piece in pieces:
                    cuts.append((start, start + len(piece), ""))
                    start += len(piece)
                size = cells(last)
        end = match.end(1)
        used += size + len(match.group(2))
    cuts.append((start, end, "\n"))
    return _cut(line, cuts)


def _cut(line: list[Span], cuts: list[tuple[int, int, str]]) -> list[Row]:
    """The rows that lie between pairs of character offsets; the last one ends its line."""
    rows: list[Row] = []
    position = number = 0  # where the span `number` begins
    for start, end, join in cuts:
        spans: list[Span] = []
        while number < len(line) and position < end:
            text, style = line[number]
            stop = position + len(text)
            if stop > start:
                spans.append((text[max(0, start - position) : end - position], style))
            if stop > end:
                break
            position, number = stop, number + 1
        rows.append(Row(spans, join))
    rows[-1] = rows[-1]._replace(join="\n")
    return rows


def prefixed(rows: Iterable[Row], first: Span, rest: Span, *, marker: bool = False) -> list[Row]:
    """Put a prefix before each row, one of its own before the first. It is decoration, except a list marker."""
    result: list[Row] = []
    for number, row in enumerate(rows):
        prefix = rest if number else first
        gutter = ALL_GUTTER if row.gutter == ALL_GUTTER else row.gutter + len(prefix[0])
        result.append(Row([prefix, *row.spans], row.join, 0 if marker and not number else gutter))
    return result
