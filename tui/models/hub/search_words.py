"""What a person may write to search: words, and among them whose models and under which licence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_AUTHOR: Final = "author"
_LICENCE: Final = ("licence", "license")


@dataclass(frozen=True, slots=True)
class SearchWords:
    """A search, taken apart."""

    words: str = ""
    author: str = ""
    """A person or an organisation, as its name is on the Hub."""
    licence: str = ""
    """As the Hub writes it: `apache-2.0`, `mit`, `gemma`, `llama3.1`."""


def parse_search(text: str) -> SearchWords:
    """Take `author:NAME` and `licence:NAME` out of what somebody typed; the last of each counts.

    One without a name is not finished, and so narrows nothing. Other words with a colon are words.
    """
    words: list[str] = []
    author = licence = ""
    for word in text.split():
        kind, colon, name = word.partition(":")
        if colon and kind.lower() == _AUTHOR:
            author = name or author
        elif colon and kind.lower() in _LICENCE:
            licence = name.lower() or licence
        else:
            words.append(word)
    return SearchWords(" ".join(words), author, licence)
