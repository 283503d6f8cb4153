"""What people type into a search field, as a query of the full-text index."""

from __future__ import annotations

import re
import unicodedata

# What would end a string of FTS5's language.
_UNSPEAKABLE = re.compile(r'[\x00-\x1f"]')

_PIECE = re.compile(r'"([^"]*)"?|(\S+)')

# Scripts that write words without spaces between them, so that the index holds whole sentences as one word.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def index_query(text: str) -> str:
    """The query in FTS5's language; empty if there is no word in the text.

    All words must be there, those in quotation marks one behind the other. The last one may be the beginning of a
    longer word, unless a space or a quotation mark ends it.
    """
    terms = []
    for phrase, word in _PIECE.findall(text):
        term = _UNSPEAKABLE.sub(" ", phrase or word)
        if any(character.isalnum() or unicodedata.category(character) == "Co" for character in term):
            terms.append(f'"{term}"')
    if not terms:
        return ""
    is_open = text[-1] not in '" \t'
    return " ".join(terms) + ("*" if is_open else "")


def needs_scan(text: str) -> bool:
    """Whether the index cannot find this text, because its script has no spaces."""
    return _UNSPACED.search(text) is not None


def words_of(text: str) -> list[str]:
    """The words and phrases of a search, for a scan."""
    return [term for phrase, word in _PIECE.findall(text) if (term := (phrase or word).strip())]
