"""The functions that Hugging Face gives to chat templates, with limits."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

from tui.formats.limits import MOST_ITEMS, LimitReached

_LONGEST_DATE_FORMAT = 200
_LARGEST_RANGE_BOUND = 1_000_000_000


def limited_range(*bounds: int) -> range:
    """`range`, neither too long nor of numbers too large to print many of."""
    numbers = range(*bounds)
    if len(numbers) > MOST_ITEMS or any(abs(bound) > _LARGEST_RANGE_BOUND for bound in bounds):
        raise LimitReached("it counts to a huge number")
    return numbers


def raise_exception(message: str) -> NoReturn:
    """How a template says that it cannot do what is asked of it."""
    from jinja2.exceptions import TemplateError

    raise TemplateError(message)


def strftime_now(format: str) -> str:
    """The local date or time."""
    if len(format) > _LONGEST_DATE_FORMAT:
        raise LimitReached("it formats a date at huge length")
    return datetime.now().strftime(format)
