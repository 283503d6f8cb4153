"""Words inside a block: the inline tokens of markdown-it as runs of marked text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tui.app.transcript.text import clean

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# What a run of text is, as bits: plain integers, since enum flags cost a microsecond for each combination.
BOLD = 1
ITALIC = 2
STRIKE = 4
CODE = 8
LINK = 16
ADDRESS = 32

Fragment = tuple[str, int]
"""A run of text and its bits. A newline in it ends a row."""

_OPENED = {"strong_open": BOLD, "em_open": ITALIC, "s_open": STRIKE}
_CLOSED = {"strong_close": BOLD, "em_close": ITALIC, "s_close": STRIKE}
_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)


def fragments_of(tokens: Iterable[Token], keep_lines: bool = False) -> tuple[Fragment, ...]:
    """The marked runs of an inline token's children.

    `keep_lines` ends a row where the source has a newline, as people expect of what they typed.
    """
    result: list[Fragment] = []
    mark = 0
    address, shown = "", ""
    for token in tokens:
        kind = token.type
        if kind in ("text", "text_special"):
            text = clean(token.content)
            if "<" in text:
                text = _BREAK_TAG.sub("\n", text)
            shown += text
            result.append((text, mark))
        elif kind == "softbreak":
            result.append(("\n" if keep_lines else " ", 0 if keep_lines else mark))
        elif kind == "hardbreak":
            result.append(("\n", 0))
        elif kind == "code_inline":
            shown += token.content
            result.append((clean(token.content), mark | CODE))
        elif kind in _OPENED:
            mark |= _OPENED[kind]
        elif kind in _CLOSED:
            mark &= ~_CLOSED[kind]
        elif kind == "link_open":
            mark |= LINK
            address, shown = str(token.attrs.get("href", "")), ""
        elif kind == "link_close":
            mark &= ~LINK
            if not _same_address(address, shown):
                result.append((f" ({clean(address)})", ADDRESS))
        elif kind == "image":
            result.append((clean(token.content) or "image", mark | LINK))
            result.append((f" ({clean(str(token.attrs.get('src', '')))})", ADDRESS))
        else:
            result.append((clean(token.content), mark))
    return tuple(fragment for fragment in result if fragment[0])


def _same_address(address: str, shown: str) -> bool:
    """Whether the address of a link says nothing that its text does not say."""
    plain = unquote(address)
    return unquote(shown) in (plain, plain.removeprefix("mailto:"), plain.split("://", 1)[-1].removesuffix("/"))


def is_settled(markdown: MarkdownIt, source: str) -> bool:
    """Whether nothing that follows the source, after a space, can change how it reads.

    That is so when no emphasis, code span or bracket is left open in it.
    """
    from markdown_it.rules_inline import StateInline

    state = StateInline(source, markdown, {}, [])
    markdown.inline.tokenize(state)
    for rule in markdown.inline.ruler2.getRules(""):
        rule(state)
    if any(delimiter.open and delimiter.end < 0 for delimiter in state.delimiters):
        return False
    depth = 0
    for token in state.tokens:
        if token.type == "text":
            if "`" in token.content:
                return False
            for character in token.content:
                if character == "[":
                    depth += 1
                elif character == "]":
                    depth = max(0, depth - 1)
    return not depth
