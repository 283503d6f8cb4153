"""Colours for code: Pygments' tokens, reduced to the few kinds that a theme gives a colour."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from tui.app.transcript.text import TAB_SIZE

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

MAX_HIGHLIGHTED = 60_000
"""Characters. Longer code stays plain: Pygments takes about 0.1 ms a line."""

MAX_CONTEXT = 30
"""Lines that are looked at again for each new line of code that is still coming."""

Piece = tuple[str, str]
"""Some code and its kind: comment, keyword, string, number, name, type, inserted, deleted, or "" for plain."""

CodeLine = tuple[Piece, ...]


@lru_cache(64)
def highlight(language: str, code: str) -> tuple[CodeLine, ...]:
    """The lines of some code in coloured pieces. Unknown languages, and code that a lexer garbles, stay plain."""
    return tuple(_lines(_lex(language, code) if len(code) <= MAX_HIGHLIGHTED else [(code, "")]))


def _lines(pieces: list[Piece]) -> list[CodeLine]:
    lines: list[list[Piece]] = [[]]
    for text, kind in pieces:
        for number, part in enumerate(text.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append((part, kind))
    return [tuple(line) for line in lines]


def _lex(language: str, code: str) -> list[Piece]:
    code = code.expandtabs(TAB_SIZE)
    lexer = _lexer(language.lower())
    if lexer is None:
        return [(code, "")]
    pieces: list[Piece] = []
    try:
        for token_type, text in lexer.get_tokens(code + "\n"):
            kind = _kind(token_type)
            if pieces and pieces[-1][1] == kind:
                pieces[-1] = (pieces[-1][0] + text, kind)
            else:
                pieces.append((text, kind))
    except Exception:  # hundreds of lexers meet whatever a model writes, and plain code is always right
        return [(code, "")]
    if "".join(text for text, _ in pieces) != code + "\n":
        return [(code, "")]
    text, kind = pieces[-1]
    return [*pieces[:-1], (text[:-1], kind)]


@cache
def _lexer(language: str) -> Lexer | None:
    if not language:
        return None
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@cache
def _kinds() -> dict[_TokenType, str]:
    from pygments.token import Token

    return {
        Token: "",
        Token.Comment: "comment",
        Token.Comment.Preproc: "keyword",
        Token.Keyword: "keyword",
        Token.Keyword.Type: "type",
        Token.Operator.Word: "keyword",
        Token.Literal.String: "string",
        Token.Literal.Number: "number",
        Token.Keyword.Constant: "number",
        Token.Name.Function: "name",
        Token.Name.Decorator: "name",
        Token.Name.Attribute: "name",
        Token.Name.Class: "type",
        Token.Name.Exception: "type",
        Token.Name.Builtin: "type",
        Token.Name.Tag: "keyword",
        Token.Generic.Heading: "keyword",
        Token.Generic.Subheading: "keyword",
        Token.Generic.Prompt: "comment",
        Token.Generic.Output: "comment",
        Token.Generic.Inserted: "inserted",
        Token.Generic.Deleted: "deleted",
    }


@cache
def _kind(token_type: _TokenType) -> str:
    kinds = _kinds()
    while token_type not in kinds and token_type.parent is not None:
        token_type = token_type.parent
    return kinds[token_type]


class CodeStream:
    """Colours code line by line while it comes, each line once.

    A line is read together with the lines before it back to the last one that did not end inside a string or a
    comment. That is right for most code, and the whole block is coloured anew when its fence closes.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._context: list[str] = []

    def add(self, line: str) -> CodeLine:
        """A finished line."""
        self._context.append(line)
        pieces = _lex(self._language, "\n".join(self._context) + "\n")
        result = _lines(pieces)[len(self._context) - 1]
        inside = pieces[-1][1] in ("string", "comment")
        if not inside or len(self._context) >= MAX_CONTEXT:
            self._context.clear()
        return result

    def preview(self, line: str) -> CodeLine:
        """What a line looks like that has not ended yet."""
        return _lines(_lex(self._language, "\n".join([*self._context, line])))[-1]
