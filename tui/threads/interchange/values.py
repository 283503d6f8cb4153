"""JSON from files that nobody vouches for: read with limits, and complaints that say where in the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from tui.domain import BadFile

MOST_LEVELS = 100
"""How deep a document may be nested. Conversations need about twenty, and Python's own limit is no clean error."""

MOST_BYTES = 2**29
"""The largest single JSON document, in bytes; reading takes several times as much memory."""

_ADVICE = "Nothing of it was imported. Correct the file, or leave it out."

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file something stands, so that a complaint about it helps."""

    file: str
    line: int = 0
    field: str = ""

    def __truediv__(self, step: str | int) -> Place:
        """The place of a member or an item within this one."""
        path = f"{self.field}[{step}]" if isinstance(step, int) else f"{self.field}.{step}" if self.field else step
        return Place(self.file, self.line, path)

    def fail(self, what: str, advice: str = _ADVICE) -> NoReturn:
        """Raise BadFile: `what` is a clause about the thing in this place, such as `must be a text`."""
        line = f", line {self.line}" if self.line else ""
        thing = self.field or "it"
        raise BadFile(f"{self.file}{line}: {thing} {what}.", advice, file=self.file, line=self.line, field=self.field)


def parsed(text: str | bytes, place: Place) -> Any:
    """The value of a JSON text. Raises BadFile for what is no JSON, or nested or long beyond reason."""
    if len(text) > MOST_BYTES:
        place.fail(f"is larger than {MOST_BYTES // 2**20} MB, which is too much for one JSON document")
    try:
        words = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        value = json.loads(words, parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError as damage:
        place.fail(f"is not UTF-8 text (at byte {damage.start:,})")
    except json.JSONDecodeError as damage:
        where = Place(place.file, place.line + damage.lineno - 1 if place.line else damage.lineno, place.field)
        where.fail(f"is not JSON: {damage.msg} (column {damage.colno:,})")
    except ValueError as damage:
        place.fail(f"has a number that nothing can hold: {damage}")
    except RecursionError:
        place.fail(_TOO_DEEP)
    if is_deeper(value, MOST_LEVELS):
        place.fail(_TOO_DEEP)
    return value


def is_deeper(value: Any, most: int) -> bool:
    """Whether a parsed value is nested more than `most` levels deep."""
    level = _inside(value)
    for _ in range(most):
        if not level:
            return False
        level = [inner for outer in level for inner in _inside(outer)]
    return bool(level)


def embedded(text: str) -> Any:
    """What a JSON text inside a message says; `None` where it is none, or one that a file had better not hold."""
    try:
        value = json.loads(text)
        written(value)
    except (ValueError, RecursionError):
        return None
    return None if is_deeper(value, MOST_LEVELS // 2) else value


def member(value: Mapping[str, Any], key: str, kind: type[Value], place: Place, default: Value | None = None) -> Value:
    """A member of an object that has to be of one type; one that is missing or null is `default`, if that is given."""
    found = value.get(key)
    if found is None and default is not None:
        return default
    return checked(found, kind, place / key)


def checked(value: Any, kind: type[Value], place: Place) -> Value:
    """The value, if it is of that type. Raises BadFile."""
    # True and False are integers to Python, but no numbers to anybody else.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        place.fail(f"must be {_NAMES.get(kind, kind.__name__)}{', but is missing' if value is None else ''}")
    return value


def one_of(value: Mapping[str, Any], key: str, words: tuple[str, ...], place: Place, default: str = "") -> Any:
    """A member of an object that has to be one of some words. Raises BadFile."""
    found = value.get(key, default)
    if found not in words:
        (place / key).fail(f"must be one of {', '.join(words)}")
    return found


def number(value: Any) -> float:
    """A number where there is one that a figure can be, or 0: a conversation is whole without."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= _LARGEST else 0.0


def moment(value: Any) -> float:
    """Seconds since the epoch where they are that, or 0: no clock shows others, and some fail at them."""
    seconds = number(value)
    return seconds if 0 < seconds < _YEAR_9999 else 0.0


def written(value: Any, *, indent: int | None = None, sort: bool = False) -> str:
    """The JSON text of a value. Lone surrogates are escaped in it, as UTF-8 cannot hold them."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, sort_keys=sort, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent, sort_keys=sort, allow_nan=False)
    return text


# The last whole number up to which floating-point numbers hold each, and the time at which calendars end.
_LARGEST = 2**53
_YEAR_9999 = 253_370_764_800

_TOO_DEEP = f"is nested more than {MOST_LEVELS} levels deep"
_NAMES: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(text)
    return value
