"""Regular expressions on tensor names: whether one can go to llama.cpp without harm.

llama.cpp compiles them with C++'s `std::regex`, once for each tensor. It throws at what it does not know, recurses as
deep as groups are nested, and tries every way of matching, which can take longer than anybody lives. So only the part
of ECMAScript's language that tensor names need is let through, and only where the ways of matching are few.
"""

from __future__ import annotations

import string

_LONGEST_PATTERN = 4096
_DEEPEST_NESTING = 8
# llama.cpp's longest names have about this many characters, so that a repetition ends in as many places.
_NAME_LENGTH = 48
# Three repetitions without end beside some alternatives.
_MOST_WAYS = 20 * _NAME_LENGTH**3

_PRINTABLE = frozenset(map(chr, range(0x20, 0x7F)))
_SPECIAL = frozenset(r"^$\.*+?()[]{}|")
_ESCAPED_SETS = frozenset("dDwWsS")
_ESCAPED_BORDERS = frozenset("bB")
_REPETITIONS = {"*": (0, None), "+": (1, None), "?": (0, 1)}


class _Refused(Exception):
    """Why an expression is refused, as the end of a sentence."""


def pattern_problem(pattern: str) -> str:
    """What is wrong with an expression, as the end of a sentence such as "it has ..."; empty if nothing is."""
    if not pattern or len(pattern) > _LONGEST_PATTERN:
        return f"it has {len(pattern):,} characters, and 1 to {_LONGEST_PATTERN:,} are possible"
    if not _PRINTABLE.issuperset(pattern):
        return "it has characters that no tensor name has"
    try:
        _Reader(pattern).read()
    except _Refused as reason:
        return str(reason)
    return ""


class _Reader:
    """Reads an expression from left to right, and counts in how many ways it may match a name."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0

    def read(self) -> None:
        """Raise _Refused unless all of it is understood and harmless."""
        self._alternatives()
        if self._next:
            raise _Refused("it closes a group that it did not open")

    @property
    def _next(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self, expected: str = "") -> str:
        character = self._next
        if expected and character != expected:
            return ""
        self._at += 1
        return character

    def _alternatives(self) -> int:
        ways = self._sequence()
        while self._take("|"):
            ways += self._sequence()
        return ways

    def _sequence(self) -> int:
        ways = 1
        while self._next not in ("", "|", ")"):
            ways *= self._term()
            if ways > _MOST_WAYS:
                raise _Refused("it can match in too many ways; use fewer repetitions")
        return ways

    def _term(self) -> int:
        character = self._take()
        if character in "^$" or (character == "\\" and self._next in _ESCAPED_BORDERS and self._take()):
            if self._next in _REPETITIONS or self._next == "{":
                raise _Refused("it repeats something that has no characters")
            return 1
        if character == "(":
            return self._group()
        if character == "[":
            self._set()
        elif character == "\\":
            self._escape()
        elif character in _SPECIAL and character != ".":
            raise _Refused(f"{character} stands where it means nothing; write \\{character} for the character itself")
        least, most = self._repetition()
        return (_NAME_LENGTH if most is None else most) - least + 1

    def _group(self) -> int:
        self._depth += 1
        if self._depth > _DEEPEST_NESTING:
            raise _Refused(f"its groups are nested more than {_DEEPEST_NESTING} deep")
        if self._take("?") and not self._take(":"):
            raise _Refused("it looks ahead or names a group, which is not possible here")
        ways = self._alternatives()
        if not self._take(")"):
            raise _Refused("a group is not closed")
        self._depth -= 1
        least, most = self._repetition()
        if (least, most) not in ((1, 1), (0, 1)):
            raise _Refused("it repeats a group; only single characters and sets can be repeated")
        return ways + (least == 0)

    def _escape(self) -> None:
        character = self._take()
        if character not in _ESCAPED_SETS and character not in string.punctuation:
            raise _Refused(f"\\{character} is not possible here")

    def _set(self) -> None:
        self._take("^")
        start = self._at
        while self._next != "]":
            character = self._take()
            if not character:
                raise _Refused("a set of characters is not closed")
            if character == "[":
                raise _Refused(r"[ stands inside a set; write \[")
            if character == "\\":
                self._escape()
                if self._next == "-" and self._pattern[self._at + 1 : self._at + 2] != "]":
                    raise _Refused("a range begins with an escaped character")
            elif self._next == "-" and self._pattern[self._at + 1 : self._at + 2] not in ("]", ""):
                self._take()
                self._end_range(character, self._take())
        if self._at == start:
            raise _Refused("a set of characters is empty")
        self._take()

    def _end_range(self, first: str, last: str) -> None:
        plain = first.isalnum() and last.isalnum()
        if not plain or first > last:
            raise _Refused(f"{first}-{last} is no range of characters")

    def _repetition(self) -> tuple[int, int | None]:
        if self._next in _REPETITIONS:
            found: tuple[int, int | None] = _REPETITIONS[self._take()]
        elif self._take("{"):
            found = self._counted()
        else:
            return 1, 1
        self._take("?")  # as few as possible
        if self._next in _REPETITIONS or self._next == "{":
            raise _Refused("it repeats a repetition")
        return found

    def _counted(self) -> tuple[int, int | None]:
        inside, closed, _ = self._pattern[self._at :].partition("}")
        least, comma, most = inside.partition(",")
        numbers = [text for text in (least, most) if text]
        if not closed or not least or not all(text.isdigit() and len(text) <= 2 for text in numbers):
            raise _Refused("a repetition is not written as {2}, {2,} or {2,5}")
        self._at += len(inside) + 1
        smallest = int(least)
        largest = int(most) if most else (None if comma else smallest)
        if (largest if largest is not None else _NAME_LENGTH) < smallest or smallest > _NAME_LENGTH:
            raise _Refused(f"{{{inside}}} repeats more often than it may")
        return smallest, largest
