"""Blocks as rows of styled text, for a width in cells."""

from __future__ import annotations

from collections.abc import Iterable

from rich.style import Style

from tui.app.transcript.blocks import Block, Code, Divider, Fragments, Heading, Item, Paragraph, Placed, Quote, Table
from tui.app.transcript.highlight import CodeLine, highlight
from tui.app.transcript.inline import BOLD, ITALIC
from tui.app.transcript.palette import Palette
from tui.app.transcript.tables import TableView
from tui.app.transcript.text import ALL_GUTTER, Row, Span, cells, hard_split, prefixed, wrap, wrap_anywhere

MIN_WIDTH = 12
"""Cells that text keeps, however deep it is nested; beyond that, nesting stops to move it to the right."""

BULLETS = "•◦▪"
BLANK = Row([])


def render_all(placed: Iterable[Placed], width: int, palette: Palette, base: Style | None = None) -> list[Row]:
    """The rows of neighbouring blocks, with the blank rows between them."""
    rows: list[Row] = []
    for entry in placed:
        rows.extend(render_placed(entry, width, palette, base))
    return rows


def render_placed(placed: Placed, width: int, palette: Palette, base: Style | None = None, depth: int = 0) -> list[Row]:
    """The rows of one block, after the blank row that may stand before it. `depth` counts the lists around it."""
    rows = render(placed.block, width, palette, palette.text if base is None else base, depth)
    return [BLANK, *rows] if placed.gap else rows


def render(block: Block, width: int, palette: Palette, base: Style, depth: int = 0) -> list[Row]:
    """The rows of one block whose text is drawn as `base` where nothing else is said."""
    match block:
        case Paragraph(fragments):
            return wrap(spans_of(fragments, palette, base), width)
        case Heading(level, fragments):
            return _heading(level, fragments, width, palette)
        case Code():
            body = [row for line in highlight(block.language, block.text) for row in code_rows(line, width, palette)]
            return [code_top(block.language, block.number, width, palette), *body, code_bottom(width, palette)]
        case Divider():
            return [Row([("─" * width, palette.rule)], gutter=ALL_GUTTER)]
        case Quote(children):
            return _nested(children, width, palette, palette.quote, ("▎ ", palette.rule), ("▎ ", palette.rule), depth)
        case Item():
            return _item(block, width, palette, base, depth)
        case Table():
            return TableView(block, width, palette, base).drawn


def spans_of(fragments: Fragments, palette: Palette, base: Style, mark: int = 0) -> list[Span]:
    """Marked runs of text in their styles."""
    return [(text, palette.marked(bits | mark, base)) for text, bits in fragments]


def code_top(language: str, number: int, width: int, palette: Palette) -> Row:
    """The rule above a code block, with its language and the number by which it is copied."""
    label = f"block {number}"
    room = width - cells(label) - 10
    name = f"{hard_split(language, room)[0]} " if language and room > 1 else ""
    spans = [("╶─ " if name else "╶", palette.rule), (name, palette.dim)]
    line = "─" * (width - sum(cells(text) for text, _ in spans) - cells(label) - 4)
    spans += [(line + " ", palette.rule), (label, palette.dim), (" ─╴", palette.rule)]
    return wrap_anywhere(spans, width)[0]._replace(gutter=ALL_GUTTER)


def code_bottom(width: int, palette: Palette) -> Row:
    """The rule below a code block."""
    return Row([("╶" + "─" * max(1, width - 2) + "╴", palette.rule)], gutter=ALL_GUTTER)


def code_rows(line: CodeLine, width: int, palette: Palette) -> list[Row]:
    """One line of code. A long one goes on in the next row, behind a broken bar, and nothing is cut off."""
    rows = wrap_anywhere([(text, palette.token(kind)) for text, kind in line], max(1, width - 2))
    return prefixed(rows, ("│ ", palette.rule), ("┊ ", palette.rule))


def _heading(level: int, fragments: Fragments, width: int, palette: Palette) -> list[Row]:
    mark = BOLD if level < 4 else BOLD | ITALIC
    style = palette.heading + Style(underline=True) if level == 1 else palette.heading
    return wrap(spans_of(fragments, palette, style, mark), width)


def _item(item: Item, width: int, palette: Palette, base: Style, depth: int) -> list[Row]:
    marker = BULLETS[depth % len(BULLETS)] if item.ordinal is None else f"{item.ordinal}."
    if item.checked is not None:
        marker = "[x]" if item.checked else "[ ]"
    first = (f"{marker} ", palette.marker)
    rest = (" " * len(first[0]), base)
    return _nested(item.children, width, palette, base, first, rest, depth + 1, marker=True)


def _nested(
    children: tuple[Placed, ...],
    width: int,
    palette: Palette,
    base: Style,
    first: Span,
    rest: Span,
    depth: int,
    *,
    marker: bool = False,
) -> list[Row]:
    indent = cells(first[0])
    if width - indent < MIN_WIDTH:
        # No room to the right: the marker gets a row of its own, and the text stays where it is.
        rows = [row for child in children for row in render_placed(child, width, palette, base, depth)]
        return [Row([first], gutter=0 if marker else ALL_GUTTER), *rows]
    rows = [row for child in children for row in render_placed(child, width - indent, palette, base, depth)]
    return prefixed(rows or [BLANK], first, rest, marker=marker)
