"""Blocks at the end of a growing text that are too long to be parsed anew for each token.

Each one draws what stays into `rows` and what may still change into `live`. They need not be exact to the last
detail: as soon as a block ends it is parsed and drawn as a whole.
"""

from __future__ import annotations

import re
from typing import Protocol

from tui.app.transcript.blocks import Code, Paragraph, References, Table, markdown_parser, parse
from tui.app.transcript.highlight import CodeStream
from tui.app.transcript.inline import Fragment, is_settled
from tui.app.transcript.palette import Palette
from tui.app.transcript.render import code_bottom, code_rows, code_top, spans_of
from tui.app.transcript.tables import TableView
from tui.app.transcript.text import Row, Span, wrap

SMALL_TABLE = 12
"""Rows. Up to this many, the columns follow the row that is being written; later only finished rows count."""

LONG_REST = 900
"""Characters of a paragraph that are read again for each token before its beginning is put aside."""

KEPT_REST = 300
"""Characters that are not put aside, since a word or a link there may still change."""

FORCED_REST = 4_000
"""Characters after which the beginning is put aside even if an emphasis is open in it."""

LONG_LINE = 200
"""Characters after which the beginning of a line has said what it is."""

# The beginning of a line that says nothing yet: it may become a rule, a list marker, an underline or a fence.
_MARKS = re.compile(r"[ \t]*[-+*_=~`#>|:][-+*_=~`#>|: ]*")
_NUMBER = re.compile(r"[ \t]*\d{1,9}[.)]? *")

FENCE = re.compile(r"( {0,3})(`{3,}|~{3,})")


class OpenBlock(Protocol):
    """A block at the end of the text, fed piece by piece."""

    rows: list[Row]
    """What stays as it is, unless `update` says otherwise."""
    live: list[Row]
    """What comes after `rows` for now."""

    def update(self, lines: str, partial: str) -> int | None:
        """Take in finished lines, and look at the beginning of the next one.

        Returns the index of the first of `rows` that is new or not as it was, or `None` when the block may have
        ended, or is not what it seemed to be. It must not be used again then.
        """


def undecided(partial: str, *, after_text: bool) -> bool:
    """Whether an unfinished line should wait, since drawing it could make what stands above it jump."""
    return bool(_MARKS.fullmatch(partial) or (after_text and _NUMBER.fullmatch(partial)))


def early_closed(source: str) -> str:
    """The source with what it leaves open closed, so that bold text and code look so before they end."""
    start = source.rfind("\n\n") + 1
    if "```" in source[start:]:
        return source
    if source.count("`", start) % 2:
        return source + "`"
    if source.count("**", start) % 2:
        bare = source.rstrip(" ")
        return bare[:-2] if bare.endswith("**") else bare + "**"
    return source


class OpenCode:
    """A fence that was not closed yet."""

    def __init__(self, opening: str, code: Code, width: int, palette: Palette) -> None:
        match = FENCE.match(opening)
        indent, marker = match.groups() if match else ("", "```")
        self._indent = re.compile(f" {{0,{len(indent)}}}")
        self._closing = re.compile(f" {{0,3}}{re.escape(marker[0])}{{{len(marker)},}}[ \t]*")
        self._marker = marker[0]
        self._stream = CodeStream(code.language)
        self._width = width
        self._palette = palette
        self.rows: list[Row] = [code_top(code.language, code.number, width, palette)]
        self.live: list[Row] = []

    def update(self, lines: str, partial: str) -> int | None:
        """See `OpenBlock`."""
        first = len(self.rows)
        for line in lines.split("\n")[:-1]:
            if self._closing.fullmatch(line):
                return None
            self.rows.extend(
                code_rows(self._stream.add(self._indent.sub("", line, count=1)), self._width, self._palette)
            )
        self.live = [code_bottom(self._width, self._palette)]
        if partial.strip(f" {self._marker}"):
            line = self._indent.sub("", partial, count=1)
            self.live = code_rows(self._stream.preview(line), self._width, self._palette) + self.live
        return first


class OpenTable:
    """A table whose rows keep coming."""

    def __init__(self, head: str, table: Table, references: References, width: int, palette: Palette) -> None:
        self._head = head
        self._references = references
        self._width = width
        self._palette = palette
        self._table = Table(table.aligns, table.header, ())
        self._rows: list[tuple[tuple[Fragment, ...], ...]] = []
        self._view: TableView | None = None
        self.rows: list[Row] = []
        self.live: list[Row] = []

    def update(self, lines: str, partial: str) -> int | None:
        """See `OpenBlock`."""
        added = self._read(lines, lines.count("\n"))
        ahead = self._read(partial, 1) if partial.strip(" |") else ()
        if added is None or ahead is None:
            return None
        self._rows.extend(added)
        if self._view is None:
            table = Table(self._table.aligns, self._table.header, (*self._rows, *ahead))
            view = TableView(table, self._width, self._palette, self._palette.text)
            if len(self._rows) <= SMALL_TABLE:
                self.live = view.drawn
                return 0
            self._view = TableView(
                Table(table.aligns, table.header, tuple(self._rows)), self._width, self._palette, self._palette.text
            )
            first = 0
        else:
            first = len(self._view.drawn)
            for row in added:
                if self._view.add(row):
                    first = 0
        self.rows = self._view.drawn
        self.live = self._view.preview(ahead[0]) if ahead else []
        return first

    def _read(self, lines: str, count: int) -> tuple[tuple[tuple[Fragment, ...], ...], ...] | None:
        if not count:
            return ()
        placed = parse(self._head + lines, references=dict(self._references))
        if len(placed) != 1 or not isinstance(placed[0].block, Table) or placed[0].end != count + 2:
            return None
        return placed[0].block.rows


class OpenParagraph:
    """A paragraph that has become long, such as one that a model never breaks."""

    def __init__(self, references: References, width: int, palette: Palette) -> None:
        self._references = references
        self._width = width
        self._palette = palette
        self._rest = ""  # finished lines that are not put aside
        self._taken = 0  # how much of the unfinished line is
        self._last_line = ""
        self._limit = LONG_REST
        self._carry: list[Span] = []  # the last row of what was put aside; it is not full yet
        self.rows: list[Row] = []
        self.live: list[Row] = []

    def update(self, lines: str, partial: str) -> int | None:
        """See `OpenBlock`."""
        first = len(self.rows)
        if self._last_line and undecided(partial, after_text=True):
            partial = ""
        if self._last_line and (lines or 0 < len(partial) < LONG_LINE) and not self._goes_on(lines + partial):
            return None
        if lines:
            self._rest += lines[self._taken :]
            self._taken = 0
            self._last_line = lines[lines.rfind("\n", 0, -1) + 1 :]
        self._put_aside(partial)
        spans = self._read(early_closed(self._rest + partial[self._taken :]))
        if spans is None:
            return None
        self.live = wrap([*self._carry, *spans], self._width)
        return first

    def _goes_on(self, lines: str) -> bool:
        # Only that a paragraph is open, and its last line, decides whether it goes on; "x" stands for the others.
        lines = self._last_line + lines
        placed = parse("x\n" + lines, references=dict(self._references))
        count = lines.count("\n") + (not lines.endswith("\n"))
        return len(placed) == 1 and isinstance(placed[0].block, Paragraph) and placed[0].end == count + 1

    def _read(self, source: str) -> list[Span] | None:
        # A word in front keeps what follows from being taken for a list marker or a heading.
        placed = parse("x " + source, references=dict(self._references))
        if len(placed) != 1 or not isinstance(placed[0].block, Paragraph):
            return None
        (text, mark), *others = placed[0].block.fragments
        return spans_of(((text[2:], mark), *others), self._palette, self._palette.text)

    def _put_aside(self, partial: str) -> None:
        """Draw the beginning for good, where nothing that comes can change it."""
        source = self._rest + partial[self._taken :]
        if len(source) <= self._limit:
            return
        cut = source.rfind(" ", 0, len(source) - KEPT_REST)
        while cut > 0 and (source[cut - 1] in " \n\\" or source[cut + 1] in " \n"):
            cut = source.rfind(" ", 0, cut)
        spans = None
        if cut > 0 and (len(source) > FORCED_REST or is_settled(markdown_parser(), source[:cut])):
            spans = self._read(source[:cut])
        if spans is None:
            self._limit = len(source) + KEPT_REST
            return
        *full, last = wrap([*self._carry, *spans], self._width)
        self.rows.extend(full)
        self._carry = [*last.spans, (" ", self._palette.text)]
        self._limit = LONG_REST
        self._taken += max(0, cut + 1 - len(self._rest))
        self._rest = self._rest[cut + 1 :]
