"""Lists as people type them in one line, and back."""

from __future__ import annotations

import re
from collections.abc import Sequence

# What stands between two commas that have no backslash before them, and a backslash with what follows it.
_PIECE = re.compile(r"(?:[^,\\]|\\.|\\$)+", re.DOTALL)
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_ESCAPED = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", ",": "\\,"}


def items(text: str) -> list[str]:
    """What stands between the commas, without what is empty."""
    return [item.strip() for item in text.split(",") if item.strip()]


def read_number(text: str) -> float:
    """A finite number. Raises ValueError."""
    value = float(text)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError
    return value


def read_scaled_files(text: str) -> tuple[tuple[str, float], ...]:
    """`file:scale, file`; without a scale it is 1. A colon inside a path stays with it."""
    pairs = []
    for item in items(text):
        file, colon, scale = item.rpartition(":")
        try:
            pairs.append((file, read_number(scale)) if colon and file else (item, 1.0))
        except ValueError:
            pairs.append((item, 1.0))
    return tuple(pairs)


def read_pairs(text: str) -> tuple[tuple[str, str], ...]:
    """`name=other, name=other`. Raises ValueError where a half is missing."""
    pairs = [tuple(part.strip() for part in item.rpartition("=")[::2]) for item in items(text)]
    if not all(name and other for name, other in pairs):
        raise ValueError
    return tuple((name, other) for name, other in pairs)


def read_biases(text: str) -> tuple[tuple[int, float], ...]:
    """`token=bias, token=bias`. Raises ValueError."""
    biases = tuple((int(token), read_number(bias)) for token, bias in read_pairs(text))
    if any(token < 0 for token, _ in biases):
        raise ValueError
    return biases


def biases_text(biases: Sequence[tuple[int, float]]) -> str:
    """Pairs of token and bias as `read_biases` takes them."""
    return ", ".join(f"{token}={bias:g}" for token, bias in biases)


def read_strings(text: str) -> tuple[str, ...]:
    """Texts with commas between them; `\\n`, `\\t`, `\\r`, `\\\\` and `\\,` stand for what they say.

    Spaces around a text do not count, which quotation marks around it prevent: `" a "`.
    """
    pieces = [piece.strip(" ") for piece in _PIECE.findall(text)]
    return tuple(_ESCAPE.sub(_unescaped, _unquoted(piece)) for piece in pieces if piece)


def strings_text(strings: Sequence[str]) -> str:
    """Texts as `read_strings` takes them."""
    return ", ".join(_quoted("".join(_ESCAPED.get(character, character) for character in text)) for text in strings)


def _quoted(text: str) -> str:
    bare = text.strip(" ") == text and not (len(text) > 1 and text[0] == text[-1] == '"')
    return text if bare else f'"{text}"'


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _unescaped(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[1])
