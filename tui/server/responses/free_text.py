"""The text that a custom tool is called with, read out of the JSON arguments that models write."""

from __future__ import annotations

import json
import re

_BEGINNING = re.compile(r'\s*\{\s*"input"\s*:\s*"')
_WHOLE_CHARACTERS = re.compile(r'(?:[^"\\]|\\u[0-9a-fA-F]{4}|\\[^u])*')
# A first half of a surrogate pair, whose second half is still to come.
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}$")


class FreeTextReader:
    """Turns pieces of `{"input": "…"}` into pieces of the text."""

    def __init__(self) -> None:
        self._begun = False
        self._waiting = ""

    def feed(self, piece: str) -> str:
        """What is certain of the text with this piece of the arguments."""
        self._waiting += piece
        if not self._begun:
            found = _BEGINNING.match(self._waiting)
            if found is None:
                return ""
            self._begun = True
            self._waiting = self._waiting[found.end() :]
        found = _WHOLE_CHARACTERS.match(self._waiting)
        raw = found[0] if found is not None else ""
        if half := _HALF_PAIR.search(raw):
            raw = raw[: half.start()]
        try:
            text = _writable(json.loads(f'"{raw}"', strict=False))
        except ValueError:
            return ""  # no escape of JSON; the end of the call decides what the text is
        self._waiting = self._waiting[len(raw) :]
        return text


def text_of(arguments: str) -> str:
    """The text in complete arguments. What is not of that form is the text itself: nothing that was said is lost."""
    try:
        value = json.loads(arguments, strict=False)
    except (ValueError, RecursionError):
        return arguments
    text = value.get("input") if isinstance(value, dict) else value
    return _writable(text) if isinstance(text, str) else arguments


def _writable(text: str) -> str:
    """The text without halves of characters, which JSON can spell but nothing can write."""
    return text.encode("utf-8", "replace").decode("utf-8")
