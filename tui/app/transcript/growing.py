"""The body of an answer that is still coming, drawn so that a token costs the same however long the answer is.

What can no longer change is parsed and drawn once. Of what is open, only the end is looked at again: the last list
item, the last line of code, the last row of a table, the last few hundred characters of a paragraph. Whenever one
of those long blocks ends it is drawn once more as a whole, so that what stays is what a whole parse gives.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tui.app.transcript.blocks import (
    Block,
    Code,
    Divider,
    Heading,
    Item,
    Paragraph,
    Placed,
    References,
    Table,
    code_blocks,
    gap_between,
    parse,
)
from tui.app.transcript.open_blocks import FENCE, OpenBlock, OpenCode, OpenParagraph, OpenTable, early_closed, undecided
from tui.app.transcript.palette import Palette
from tui.app.transcript.render import BLANK, render_all
from tui.app.transcript.text import Row, clean

LONG_PARAGRAPH = 600
"""Characters from which on a paragraph is read piece by piece."""


_MARKER = re.compile(r" {0,3}([-+*]|\d{1,9}[.)])")


class GrowingBody:
    """The rows of a text that comes in pieces."""

    def __init__(self, width: int, palette: Palette) -> None:
        self._width = width
        self._palette = palette
        self._return = ""  # a carriage return at the end, whose line feed may still come
        self._text = ""  # what is not settled; it begins where a block begins
        self._read = 0  # up to where the finished lines of `_text` were looked at
        self._settled = 0  # how many rows will never change
        self._before: Block | None = None  # the block before `_text`,
        self._blank = False  # whether a blank line was cut off between the two,
        self._ordinal: int | None = None  # the number of the list item that `_text` begins with,
        self._lead = ""  # and a line that makes it go on with its list
        self._codes = 0
        self._references: References = {}
        self._open: OpenBlock | None = None
        self._open_gap = 0
        self._open_read = 0  # up to where `_open` has taken in `_text`
        self.rows: list[Row] = []
        """What to draw."""

    def feed(self, delta: str) -> int:
        """Take in more text. Returns the index of the first row that may not be as it was."""
        delta = self._return + delta
        self._return = "\r" if delta.endswith("\r") else ""
        self._text += clean(delta.removesuffix("\r"))
        end = self._text.rfind("\n") + 1
        if self._open is not None and (first := self._update_open(end)) is not None:
            return first
        first = self._settled
        self._open = None
        del self.rows[first:]
        if end > self._read:
            self._settle(end)
        placed = self._parse(self._shown(end), dict(self._references))
        if not self._begin_open(placed, end):
            self.rows.extend(self._draw(placed))
        return first

    def finish(self) -> None:
        """Draw everything as if the text ended here."""
        self._text += clean(self._return)
        self._return = ""
        self._open = None
        self.rows[self._settled :] = self._draw(self._parse(self._text, self._references))

    def _begin_open(self, placed: list[Placed], end: int) -> bool:
        """Start to read the block at the end piece by piece, if it is the only one and of a kind that gets long."""
        if len(placed) != 1:
            return False
        entry = placed[0]
        lines = self._text[:end].split("\n")[:-1]
        head = {Code: 1, Table: 2, Paragraph: 0}.get(type(entry.block), len(lines) + 1)
        if entry.start + head > len(lines):
            return False
        match entry.block:
            case Code(fenced=True) as code if "|" not in lines[entry.start]:
                self._open = OpenCode(lines[entry.start], code, self._width, self._palette)
            case Table() as table:
                opening = "".join(f"{line}\n" for line in lines[entry.start : entry.start + 2])
                self._open = OpenTable(opening, table, self._references, self._width, self._palette)
            case Paragraph() if len(self._text) > LONG_PARAGRAPH:
                self._open = OpenParagraph(self._references, self._width, self._palette)
            case _:
                return False
        self._open_read = sum(len(line) + 1 for line in lines[: entry.start + head])
        self._open_gap = int(entry.gap)
        self.rows.extend([BLANK][: self._open_gap])
        self.rows.extend(self._open.rows)
        if self._update_open(end) is None:
            self._open = None
            del self.rows[self._settled :]
        return self._open is not None

    def _update_open(self, end: int) -> int | None:
        assert self._open is not None
        changed = self._open.update(self._text[self._open_read : end], self._text[end:])
        if changed is None:
            return None
        self._open_read = end
        first = self._settled + self._open_gap + changed
        self.rows[first:] = [*self._open.rows[changed:], *self._open.live]
        return first

    def _settle(self, end: int) -> None:
        """Draw for good the blocks that have ended in the finished lines."""
        self._read = end
        placed = self._parse(self._text[:end], self._references)
        if not placed:
            return
        lines = self._text[:end].split("\n")[:-1]
        count = len(placed) if _has_ended(placed[-1], lines) else len(placed) - 1
        if not count:
            return
        done = placed[:count]
        self.rows.extend(self._draw(done))
        self._settled = len(self.rows)
        self._codes += len(code_blocks(done))
        self._before = done[-1].block
        begin = placed[count] if count < len(placed) else None
        cut = begin.start if begin else done[-1].end
        self._blank = begin is not None and begin.start > done[-1].end
        self._ordinal, self._lead = _list_context(begin.block, lines[begin.start]) if begin else (None, "")
        taken = sum(len(line) + 1 for line in lines[:cut])
        self._text = self._text[taken:]
        self._read -= taken

    def _parse(self, source: str, references: References) -> list[Placed]:
        placed = parse(self._lead + source, references=references, codes=self._codes, ordinal=self._ordinal)
        if self._lead:
            placed = [replace(entry, start=entry.start - 1, end=entry.end - 1) for entry in placed[1:]]
        if placed and self._before is not None:
            gap = gap_between(self._before, placed[0].block, self._blank or placed[0].start > 0)
            placed[0] = replace(placed[0], gap=gap)
        return placed

    def _draw(self, placed: list[Placed]) -> list[Row]:
        return render_all(placed, self._width, self._palette)

    def _shown(self, end: int) -> str:
        """The text without a last line that does not tell yet what it is going to be."""
        if undecided(self._text[end:], after_text=bool(self._text[:end].strip())):
            return self._text[:end]
        return early_closed(self._text)


def _has_ended(last: Placed, lines: list[str]) -> bool:
    """Whether no further line can belong to the last block of these finished lines."""
    match last.block:
        case Heading() | Divider():
            # With a bar in it, it may turn out to be the first line of a table.
            return "|" not in lines[last.start] or not lines[-1].strip()
        case Code(fenced=True):
            opening, closing = FENCE.match(lines[last.start]), FENCE.match(lines[last.end - 1])
            if opening is None or closing is None or last.end - 1 == last.start:
                return False
            marker = closing.group(2)
            return marker.startswith(opening.group(2)) and lines[last.end - 1].strip() == marker
        case Item() | Code():
            return False
        case _:
            return not lines[-1].strip()


def _list_context(block: Block, line: str) -> tuple[int | None, str]:
    """What a list item needs to be read without the items before it.

    That is a number, and an item to stand for those before it: at the beginning of a list some lines read
    differently than inside it. The text in that item stands so far to the right that nothing gets nested in it.
    """
    marker = _MARKER.match(line)
    if not isinstance(block, Item) or block.opens or marker is None:
        return None, ""
    return None if block.ordinal is None else block.ordinal - 1, f"{marker.group(1)}    x\n"
