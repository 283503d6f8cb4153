"""What the maker of a virtual model lets people choose, beyond what every model has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

LARGEST_NUMBER = 2.0**53
"""Beyond it JSON numbers are not exact."""

FieldKind = Literal["boolean", "text", "choice", "number"]


@dataclass(frozen=True, slots=True)
class CustomField:
    """One choice, and what it does to a request."""

    key: str
    label: str
    kind: FieldKind
    default: bool | str | float
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """For `choice`: the values, each with what people call it."""
    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False
    """Whether a number must be a whole one."""
    variables: tuple[str, ...] = ()
    """Variables of the chat template that get the value."""
    before: tuple[str, ...] = ()
    """Texts that stand in front of the system prompt while it is on."""
    after: tuple[str, ...] = ()
    """Texts that stand behind the system prompt while it is on."""

    def takes(self, value: Any) -> bool:
        """Whether this can be its value; it may come from another model's field of the same name."""
        match self.kind:
            case "boolean":
                return isinstance(value, bool)
            case "text":
                return isinstance(value, str)
            case "choice":
                return value in [choice for choice, _ in self.choices]
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_NUMBER:
            return False
        if self.whole and value != int(value):
            return False
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Values that the maker of a virtual model recommends while its fields have certain values."""

    message: str
    conditions: tuple[tuple[str, bool | str | float], ...]
    """Keys of fields with the values that they must have, all of them."""
    values: tuple[tuple[str, Any], ...]
    """What is recommended, by dotted keys such as `sampling.temperature`."""

    def fits(self, fields: Mapping[str, Any]) -> bool:
        """Whether it counts while the fields have these values."""
        # True is no 1 here.
        return all(
            key in fields and (type(fields[key]) is bool, fields[key]) == (type(value) is bool, value)
            for key, value in self.conditions
        )
