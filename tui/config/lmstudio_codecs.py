"""How LM Studio writes single values down, and what they are here.

LM Studio keeps a configuration as a list of `{"key", "value"}`. Some values are plain, some a `checkbox`
(`{"checked", "value"}`), some objects. Source: `lms-kv-config/src/schema.ts` of lmstudio-js, 2026-08-21.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, Any]
"""Values by our dotted keys."""


class NotExpressible(Exception):
    """The value has no counterpart on the other side."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One key of LM Studio's and the keys of ours that it stands for."""

    wire: str
    keys: tuple[str, ...]
    read: Callable[[Any], dict[str, Any]]
    """From LM Studio's value to ours. May raise anything that a value of the wrong form raises."""
    write: Callable[[Values], Any] | None
    """From ours, of which all `keys` are there; raises NotExpressible. `None` for a key that is only read."""


def plain(wire: str, key: str, *, read_only: bool = False) -> Codec:
    """A value that is the same on both sides."""
    return Codec(wire, (key,), lambda value: {key: value}, None if read_only else lambda values: values[key])


def counted(wire: str, key: str) -> Codec:
    """A number that is 0 there and `None` here where nobody chose."""

    def write(values: Values) -> Any:
        if values[key] == 0:
            raise NotExpressible
        return values[key] or 0

    return Codec(wire, (key,), lambda value: {key: value or None}, write)


def boxed(value: Any, off: Any) -> Any:
    """What a checkbox holds, or `off`. The plain value counts as well: people write it so in files of their own."""
    if not isinstance(value, dict):
        return value
    return value["value"] if value["checked"] is True else off


def checkbox(wire: str, key: str, *, off: Any, shown: Any = 0) -> Codec:
    """A value that can be switched off: `off` is what that is here, `shown` what the switched-off box holds there."""

    def read(value: Any) -> dict[str, Any]:
        return {key: boxed(value, off)}

    def write(values: Values) -> Any:
        value = values[key]
        return {"checked": value != off, "value": shown if value is None else value}

    return Codec(wire, (key,), read, write)


def seed(wire: str, key: str) -> Codec:
    """A seed; below 0, or switched off, is a new one each time."""

    def read(value: Any) -> dict[str, Any]:
        number = boxed(value, -1)
        return {key: number if number >= 0 else None}

    def write(values: Values) -> Any:
        value = values[key]
        if value is not None and value < 0:
            raise NotExpressible
        return {"checked": value is not None, "value": -1 if value is None else value}

    return Codec(wire, (key,), read, write)


def ratio(wire: str, key: str) -> Codec:
    """A part of the layers: a number, `max` or `off`."""
    words = {"max": 1.0, "off": 0.0}

    def read(value: Any) -> dict[str, Any]:
        return {key: words[value] if isinstance(value, str) else value}

    def write(values: Values) -> Any:
        value = values[key]
        if value is None:
            raise NotExpressible
        return next((word for word, number in words.items() if value == number), value)

    return Codec(wire, (key,), read, write)


def switch(wire: str, key: str, on: str, off: str) -> Codec:
    """One of two words here, true or false there."""

    def read(value: Any) -> dict[str, Any]:
        return {key: {True: on, False: off}[value]}

    def write(values: Values) -> Any:
        if values[key] not in (on, off):
            raise NotExpressible
        return values[key] == on

    return Codec(wire, (key,), read, write)


def chosen_when(wire: str, key: str, value: str, *, when: bool = True) -> Codec:
    """A switch that stands for one value of ours when it is on (or off), and for nothing otherwise."""

    def read(switched: Any) -> dict[str, Any]:
        if not isinstance(switched, bool):
            raise TypeError
        return {key: value} if switched is when else {}

    def write(values: Values) -> Any:
        if values[key] != value:
            raise NotExpressible
        return when

    return Codec(wire, (key,), read, write)
