"""Markdown as a sequence of blocks: plain values that know neither width nor colour.

Lists are not blocks; their items are, so that a finished item never has to be read again while its list grows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from tui.app.transcript.inline import ADDRESS, Fragment, fragments_of
from tui.app.transcript.text import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_INLINE = 50_000
"""Characters. A longer paragraph is a pasted file rather than prose, and is shown as it is."""

MAX_NESTING = 120
"""Blocks inside blocks. Each level takes a few of Python's frames, of which there are a thousand."""

MAX_INLINE_NESTING = 20
"""Brackets inside brackets. With more, a long row of open brackets takes seconds."""

Fragments = tuple[Fragment, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    fragments: Fragments


@dataclass(frozen=True, slots=True)
class Heading:
    """A title; `level` goes from 1 to 6."""

    level: int
    fragments: Fragments


@dataclass(frozen=True, slots=True)
class Code:
    """A code block. `number` counts from 1 through the whole message, nested blocks included."""

    language: str
    text: str
    number: int
    fenced: bool = True


@dataclass(frozen=True, slots=True)
class Divider:
    """A thematic break."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A block quote."""

    children: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list. `ordinal` is its number, or `None` in a list of bullets."""

    ordinal: int | None
    children: tuple[Placed, ...]
    checked: bool | None = None
    """Whether its box is ticked, or `None` if it has none."""
    opens: bool = True
    """Whether it is the first of its list."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `aligns` has "left", "center", "right" or "" for each column."""

    aligns: tuple[str, ...]
    header: tuple[Fragments, ...]
    rows: tuple[tuple[Fragments, ...], ...]


Block = Paragraph | Heading | Code | Divider | Quote | Item | Table


@dataclass(frozen=True, slots=True)
class Placed:
    """A block, the source lines `start` to `end` that it came from, and whether a blank row stands before it."""

    block: Block
    start: int
    end: int
    gap: bool = False


References = dict[str, Any]
"""Link targets by label, in markdown-it's form."""


@cache
def markdown_parser(nesting: int = MAX_INLINE_NESTING) -> MarkdownIt:
    """CommonMark with tables, strikethrough and task lists.

    Nothing that a model writes is swallowed: HTML stays text, link definitions are shown, and blocks may be nested
    deeper than the usual limit, below which they would be dropped.
    """
    from markdown_it import MarkdownIt

    options = {"html": False, "tasklists": True, "inline_definitions": True, "maxNesting": nesting}
    return MarkdownIt("commonmark", options).enable(["table", "strikethrough"])


def parse(
    source: str,
    *,
    references: References | None = None,
    keep_lines: bool = False,
    codes: int = 0,
    ordinal: int | None = None,
) -> list[Placed]:
    """The blocks of some Markdown that went through `clean`.

    `references` is read and added to. `codes` is how many code blocks came before, and `ordinal` the number of the
    first list item when the source begins in the middle of a list.
    """
    environment = {"references": {} if references is None else references}
    tokens: list[Token] = []
    markdown = markdown_parser(MAX_NESTING)
    markdown.block.parse(source, markdown, environment, tokens)
    return _Reader(tokens, environment, keep_lines, codes, ordinal).blocks()


def code_blocks(placed: list[Placed] | tuple[Placed, ...]) -> list[Code]:
    """All code blocks among these blocks and inside them, by number."""
    found: list[Code] = []
    for entry in placed:
        if isinstance(entry.block, Code):
            found.append(entry.block)
        elif isinstance(entry.block, Quote | Item):
            found.extend(code_blocks(entry.block.children))
    return found


def gap_between(before: Block, after: Block, blank: bool, *, nested: bool = False) -> bool:
    """Whether a blank row parts two neighbours. `blank` says whether the source has a blank line there.

    It depends on nothing that comes later, unlike CommonMark's loose lists, so that finished rows stay as they are.
    """
    if isinstance(before, Heading):
        return False
    if not nested and any(isinstance(block, Code | Table | Divider | Heading) for block in (before, after)):
        return True
    return blank


class _Reader:
    """Walks over the tokens once."""

    def __init__(
        self,
        tokens: list[Token],
        environment: dict[str, Any],
        keep_lines: bool,
        codes: int,
        ordinal: int | None,
    ) -> None:
        self._tokens = tokens
        self._environment = environment
        self._position = 0
        self._keep_lines = keep_lines
        self._codes = codes
        self._ordinal = ordinal

    def blocks(self, closing: str = "", *, nested: bool = False) -> list[Placed]:
        """Everything up to a closing token, which is consumed."""
        placed: list[Placed] = []
        while self._position < len(self._tokens):
            token = self._tokens[self._position]
            self._position += 1
            if token.type == closing:
                break
            for entry in self._items(token) if token.type.endswith("_list_open") else self._block(token):
                if placed:
                    last = placed[-1]
                    gap = gap_between(last.block, entry.block, entry.start > last.end, nested=nested)
                    entry = replace(entry, gap=gap)
                placed.append(entry)
        return placed

    def _block(self, token: Token) -> list[Placed]:
        start, end = token.map or (0, 0)
        block: Block
        match token.type:
            case "paragraph_open":
                block = Paragraph(self._inline())
                self._position += 1
            case "heading_open":
                block = Heading(int(token.tag[1]), self._inline())
                self._position += 1
            case "fence" | "code_block":
                self._codes += 1
                language = clean(token.info.strip().split(maxsplit=1)[0]) if token.info.strip() else ""
                block = Code(language, token.content.removesuffix("\n"), self._codes, token.type == "fence")
            case "definition":
                block = Paragraph(((clean(f"[{token.meta['label']}]: {token.meta['url']}"), ADDRESS),))
            case "hr":
                block = Divider()
            case "blockquote_open":
                children = self.blocks("blockquote_close")
                block, end = Quote(tuple(children)), children[-1].end if children else start + 1
            case "table_open":
                block = self._table()
            case _:
                return []
        return [Placed(block, start, end)]

    def _inline(self) -> Fragments:
        token = self._tokens[self._position]
        self._position += 1
        if len(token.content) > MAX_INLINE:
            return ((token.content, 0),)
        markdown = markdown_parser()
        return fragments_of(markdown.inline.parse(token.content, markdown, self._environment, []), self._keep_lines)

    def _items(self, opening: Token) -> list[Placed]:
        ordinal: int | None = None
        if opening.type == "ordered_list_open":
            ordinal = int(opening.attrs.get("start", 1)) if self._ordinal is None else self._ordinal
        self._ordinal = None
        placed: list[Placed] = []
        while (token := self._tokens[self._position]).type == "list_item_open":
            self._position += 1
            start = token.map[0] if token.map else 0
            children = self.blocks("list_item_close", nested=True)
            end = children[-1].end if children else start + 1
            item = Item(ordinal, tuple(children), token.meta.get("checked"), opens=not placed)
            placed.append(Placed(item, start, end))
            ordinal = None if ordinal is None else ordinal + 1
        self._position += 1
        return placed

    def _table(self) -> Table:
        aligns: list[str] = []
        rows: list[list[Fragments]] = []
        while (token := self._tokens[self._position]).type != "table_close":
            self._position += 1
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                if token.type == "th_open":
                    aligns.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
                rows[-1].append(self._inline())
        self._position += 1
        return Table(tuple(aligns), tuple(rows[0]), tuple(tuple(row) for row in rows[1:]))
