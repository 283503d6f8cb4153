"""What must be true before a filter or a method of the template language may run.

Most cost no more than their arguments are large. Those below can make much of little, such as `center(10**9)`;
each has a check here, which gets the meter and the call's own arguments and raises LimitReached.
Signatures follow Jinja's filters and Python's methods.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from tui.formats.limits import MOST_ITEMS, LimitReached, Meter

_MOST_PRECISION = 100
_LONGEST_STRIPPED_SET = 1_000
_MOST_COMPARISONS = 200_000_000
_PRINTF_KEY = re.compile(r"\([^)]*\)")
_PRINTF_DIRECTIVE = re.compile(r"%[^a-zA-Z%]*")
_LARGE_WIDTH = re.compile(r"\*|\d{4}")

Check = Callable[..., None]


def percent(meter: Meter, template: Any, values: Any = (), **named: Any) -> None:
    """`template % values`, where each directive may print all the values and pad them."""
    text = str(template)
    for directive in _PRINTF_DIRECTIVE.findall(_PRINTF_KEY.sub("", text)):
        if _LARGE_WIDTH.search(directive):
            raise LimitReached("it pads a text to a huge width")
    meter.require(len(text) + text.count("%") * (1_000 + meter.weigh(values) + meter.weigh(named)))


def _format(meter: Meter, value: Any, *values: Any, **named: Any) -> None:
    percent(meter, value, values, **named)


def _pad(meter: Meter, text: Any, width: Any = 80, *_rest: Any) -> None:
    meter.require(width)


def _replace(meter: Meter, text: Any, old: Any, new: Any, *_rest: Any, **_named: Any) -> None:
    text = str(text)
    meter.require(len(text) + (text.count(str(old)) * len(str(new))))


def _join_method(meter: Meter, separator: str, values: Iterable[Any]) -> None:
    _join(meter, values, separator)


def _join(meter: Meter, values: Any, separator: Any = "", *_rest: Any, **_named: Any) -> None:
    _sequence(meter, values)
    if hasattr(values, "__len__"):
        meter.require(meter.weigh(values) + len(values) * len(str(separator)))


def _indent(meter: Meter, text: Any, width: Any = 4, *_rest: Any, **_named: Any) -> None:
    text = str(text)
    one = len(width) if isinstance(width, str) else width
    meter.require(len(text) + (len(text.splitlines()) + 1) * one if len(text) <= MOST_ITEMS else len(text) * (1 + one))


def _pieces(meter: Meter, values: Any, count: Any = 1, *_rest: Any, **_named: Any) -> None:
    _sequence(meter, values)
    meter.require_items(count)


def _round(_meter: Meter, _value: Any, precision: Any = 0, *_rest: Any, **_named: Any) -> None:
    if abs(precision) > _MOST_PRECISION:
        raise LimitReached("it rounds to a huge precision")


def _sum(meter: Meter, values: Any, attribute: Any = None, start: Any = 0, **_named: Any) -> None:
    _sequence(meter, values)
    if not isinstance(start, int | float):
        raise LimitReached("it adds up lists")


def _sequence(meter: Meter, values: Any, *_rest: Any, **_named: Any) -> None:
    # Other sequences have been counted when they were built.
    if isinstance(values, str):
        meter.require_items(len(values))


def _strip(_meter: Meter, _text: Any, characters: Any = None) -> None:
    if characters is not None and len(characters) > _LONGEST_STRIPPED_SET:
        raise LimitReached("it strips thousands of characters")


def _search_backwards(_meter: Meter, text: str, wanted: Any, *_rest: Any) -> None:
    # Python searches forwards in linear time, but not backwards.
    if len(text) * len(wanted) > _MOST_COMPARISONS:
        raise LimitReached("it searches for a huge text")


def _split(meter: Meter, text: str, separator: Any = None, maximum: int = -1) -> None:
    if len(text) > MOST_ITEMS and not 0 <= maximum <= MOST_ITEMS:
        meter.require_items(text.count(separator) if separator else len(text))


def _split_backwards(meter: Meter, text: str, separator: Any = None, maximum: int = -1) -> None:
    _split(meter, text, separator, maximum)
    _search_backwards(meter, text, separator or "")


def _split_lines(meter: Meter, text: str, *_rest: Any) -> None:
    if len(text) > MOST_ITEMS:
        meter.require_items(sum(text.count(end) for end in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"))


FILTER_CHECKS: dict[str, Check] = {
    "batch": _pieces,
    "center": _pad,
    "format": _format,
    "groupby": _sequence,
    "indent": _indent,
    "join": _join,
    "list": _sequence,
    "max": _sequence,
    "min": _sequence,
    "replace": _replace,
    "round": _round,
    "slice": _pieces,
    "sort": _sequence,
    "sum": _sum,
    "title": _sequence,
    "trim": _strip,
    "unique": _sequence,
}
"""Checks of Jinja's filters; the arguments are the filter's without the context that some get."""

METHOD_CHECKS: dict[str, Check] = {
    "center": _pad,
    "join": _join_method,
    "ljust": _pad,
    "lstrip": _strip,
    "replace": _replace,
    "rfind": _search_backwards,
    "rindex": _search_backwards,
    "rjust": _pad,
    "rpartition": _search_backwards,
    "rsplit": _split_backwards,
    "rstrip": _strip,
    "split": _split,
    "splitlines": _split_lines,
    "strip": _strip,
    "title": _sequence,
    "zfill": _pad,
}
"""Checks of the methods of texts; the first argument is the text."""

FILTERS = frozenset(
    """
    abs batch capitalize center count d default dictsort e escape first float format groupby indent int items join last
    length list lower map max min reject rejectattr replace reverse round safe select selectattr slice sort string sum
    title trim truncate unique upper
    """.split()
)
"""Jinja's filters that templates may use. Those for web pages, and the random one, have no place in a prompt."""

SHALLOW_FILTERS = frozenset(
    "batch count d default first items last length list map reject rejectattr reverse select selectattr slice".split()
)
"""Filters that never look into the items of what they get."""

SHALLOW_TESTS = frozenset(
    """
    boolean callable defined divisibleby escaped even false filter float integer iterable mapping none number odd sameas
    sequence string test true undefined
    """.split()
)
"""Tests that never look into the items of what they get."""

TEXT_METHODS = frozenset(
    """
    capitalize casefold center count endswith find index isalnum isalpha isascii isdecimal isdigit islower isnumeric
    isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust
    rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill
    """.split()
)
MAPPING_METHODS = frozenset("get items keys values".split())
SEQUENCE_METHODS = frozenset("count index".split())
