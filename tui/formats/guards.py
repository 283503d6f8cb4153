"""What must be true before a filter or a method of the template language may run.

Most cost no more than their arguments are large. Those below can make much of little, such as `center(10**9)`;
each has a check here, which gets the meter and the call's own arguments and raises LimitReached.
Parameters are called what Jinja and Python call them, since templates may pass them by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tui.formats.limits import MOST_ITEMS, LimitReached, Meter

_MOST_PRECISION = 100
_MOST_STRIPPED_CHARACTERS = 1_000
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


def _pad(meter: Meter, _text: Any, width: Any = 80, *_fill: Any) -> None:
    meter.require(width)


def _replace(meter: Meter, s: Any, old: Any, new: Any, *_rest: Any, **_named: Any) -> None:
    text = str(s)
    meter.require(len(text) + text.count(str(old)) * len(str(new)))


def _join(meter: Meter, value: Any, d: Any = "", *_rest: Any, **_named: Any) -> None:
    _few_items(meter, value)
    meter.require(meter.weigh(value) + len(value) * len(str(d)))


def _join_method(meter: Meter, separator: str, values: Any) -> None:
    _join(meter, values, separator)


def _indent(meter: Meter, s: Any, width: Any = 4, *_rest: Any, **_named: Any) -> None:
    text = str(s)
    _split_lines(meter, text)
    meter.require(len(text) + (len(text.splitlines()) + 1) * (len(width) if isinstance(width, str) else width))


def _batch(meter: Meter, _value: Any, linecount: Any = 1, *_fill: Any, **_named: Any) -> None:
    meter.require_items(linecount)


def _slice(meter: Meter, value: Any, slices: Any = 1, *_fill: Any, **_named: Any) -> None:
    _few_items(meter, value)
    meter.require_items(slices)


def _round(_meter: Meter, _value: Any, precision: Any = 0, *_rest: Any, **_named: Any) -> None:
    if abs(precision) > _MOST_PRECISION:
        raise LimitReached("it rounds to a huge precision")


def _sum(meter: Meter, iterable: Any, attribute: Any = None, start: Any = 0) -> None:
    del attribute
    _few_items(meter, iterable)
    if not isinstance(start, int | float):
        raise LimitReached("it adds up lists")


def _few_items(meter: Meter, values: Any, *_rest: Any, **_named: Any) -> None:
    # Other sequences have been counted when they were built.
    if isinstance(values, str):
        meter.require_items(len(values))


def _strip(_meter: Meter, _text: Any, chars: Any = None) -> None:
    if chars is not None and len(chars) > _MOST_STRIPPED_CHARACTERS:
        raise LimitReached("it strips thousands of characters")


def _search_backwards(_meter: Meter, text: str, wanted: Any, *_rest: Any) -> None:
    # Python searches forwards in linear time, but not backwards.
    if len(text) * len(wanted) > _MOST_COMPARISONS:
        raise LimitReached("it searches for a huge text")


def _split(meter: Meter, text: str, sep: Any = None, maxsplit: Any = -1) -> None:
    if len(text) > MOST_ITEMS and not 0 <= maxsplit <= MOST_ITEMS:
        meter.require_items(text.count(sep) if sep else len(text))


def _split_backwards(meter: Meter, text: str, sep: Any = None, maxsplit: Any = -1) -> None:
    _split(meter, text, sep, maxsplit)
    _search_backwards(meter, text, sep or "")


def _split_lines(meter: Meter, text: str, *_rest: Any, **_named: Any) -> None:
    if len(text) > MOST_ITEMS:
        meter.require_items(sum(text.count(end) for end in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"))


FILTER_CHECKS: dict[str, Check] = {
    "batch": _batch,
    "center": _pad,
    "format": _format,
    "groupby": _few_items,
    "indent": _indent,
    "join": _join,
    "list": _few_items,
    "replace": _replace,
    "round": _round,
    "slice": _slice,
    "sort": _few_items,
    "sum": _sum,
    "title": _few_items,
    "trim": _strip,
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
    "zfill": _pad,
}
"""Checks of the methods of texts; the first argument is the text."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILTERS = _words(
    """
    abs batch capitalize center count d default dictsort e escape first float format groupby indent int items join last
    length list lower map max min reject rejectattr replace reverse round safe select selectattr slice sort string sum
    title trim truncate unique upper
    """
)
"""Jinja's filters that templates may use. Those for web pages, and the random one, have no place in a prompt."""

SHALLOW_FILTERS = _words(
    "batch count d default first items last length list map reject rejectattr reverse select selectattr slice"
)
"""Filters that never look into the items of what they get."""

SHALLOW_TESTS = _words(
    """
    boolean callable defined divisibleby escaped even false filter float integer iterable mapping none number odd sameas
    sequence string test true undefined
    """
)
"""Tests that never look into the items of what they get."""

TEXT_METHODS = _words(
    """
    capitalize casefold center count endswith find index isalnum isalpha isascii isdecimal isdigit islower isnumeric
    isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust
    rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill
    """
)
MAPPING_METHODS = _words("get items keys values")
SEQUENCE_METHODS = _words("count index")
