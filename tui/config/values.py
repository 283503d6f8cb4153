"""Values by dotted keys, such as `load.context_length` or `sampling.temperature`: which there are, and what they take.

On disk and on the wire they are JSON; in a program they are what the fields of the configurations hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, cast, get_args

from tui.config.load_parameters import LOAD_PARAMETERS
from tui.config.parameters import Kind, Parameter
from tui.config.sampling_parameters import ANSWER_PARAMETERS, SAMPLING_PARAMETERS
from tui.domain import (
    LARGEST_NUMBER,
    AnswerConfig,
    BadRequest,
    Constraint,
    ConstraintKind,
    LoadConfig,
    SamplingConfig,
)

GROUPS: dict[str, type[LoadConfig] | type[SamplingConfig] | type[AnswerConfig]] = {
    "load": LoadConfig,
    "sampling": SamplingConfig,
    "answer": AnswerConfig,
}
"""What a key begins with, and the configuration that has its field."""

CONSTRAINT_KEY = "answer.constraint"
"""The one key without a parameter: its value is an object with `kind` and `source`, or null."""

CUSTOM_PREFIX = "custom."
"""What the keys of fields begin with that only some models have, see `tui.config.custom_fields`."""


@cache
def parameters_by_key() -> Mapping[str, Parameter]:
    """Every declared parameter by its dotted key."""
    declared = {"load": LOAD_PARAMETERS, "sampling": SAMPLING_PARAMETERS, "answer": ANSWER_PARAMETERS}
    return {
        f"{group}.{parameter.name}": parameter for group, parameters in declared.items() for parameter in parameters
    }


@cache
def default_values() -> Mapping[str, Any]:
    """What counts where nobody decided, for every key."""
    return {f"{group}.{field.name}": field.default for group, config in GROUPS.items() for field in fields(config)}


def label_of(key: str) -> str:
    """What people call a value."""
    return "Structured output" if key == CONSTRAINT_KEY else parameters_by_key()[key].label


def checked_value(key: str, value: Any) -> Any:
    """The value of a field that a JSON value stands for. Raises BadRequest that names the key."""
    if key == CONSTRAINT_KEY:
        return _constraint(value)
    if key.startswith(CUSTOM_PREFIX):
        return _of_some_model(key, value)
    parameter = parameters_by_key().get(key)
    if parameter is None:
        raise BadRequest(
            f"There is no setting {key[:100]!r}.", "Keys look like load.context_length or sampling.top_k.", field=key
        )
    if value is None and parameter.default is None:
        return None
    try:
        found = _READERS[parameter.kind](value)
    except (TypeError, ValueError, OverflowError):
        raise _refusal(key, parameter, value) from None
    if parameter.choices:
        found = next((choice for choice in parameter.choices if choice.lower() == found.lower()), None)
        if found is None:
            raise _refusal(key, parameter, value)
    if isinstance(found, int | float) and not isinstance(found, bool):
        below = parameter.minimum is not None and found < parameter.minimum
        above = parameter.maximum is not None and found > parameter.maximum
        if below or above:
            raise _refusal(key, parameter, value)
    return found


def checked_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """All values of a JSON object by dotted keys. Raises BadRequest that names the first wrong one."""
    return {key: checked_value(key, value) for key, value in values.items()}


def to_json(value: Any) -> Any:
    """The JSON value that stands for the value of a field; `checked_value` takes it back."""
    if isinstance(value, Constraint):
        return {"kind": value.kind, "source": value.source}
    return [to_json(item) for item in value] if isinstance(value, tuple) else value


def values_of(config: LoadConfig | SamplingConfig | AnswerConfig) -> dict[str, Any]:
    """Every field of a configuration by its dotted key."""
    group = next(name for name, kind in GROUPS.items() if isinstance(config, kind))
    return {f"{group}.{field.name}": getattr(config, field.name) for field in fields(config)}


def changed_values(config: LoadConfig | SamplingConfig, before: LoadConfig | SamplingConfig) -> dict[str, Any]:
    """The fields in which a configuration differs from another one, by dotted keys."""
    earlier = values_of(before)
    return {key: value for key, value in values_of(config).items() if value != earlier[key]}


def _constraint(value: Any) -> Constraint | None:
    if value is None:
        return None
    kind, source = (value.get("kind"), value.get("source", "")) if isinstance(value, dict) else (None, None)
    if kind not in get_args(ConstraintKind) or not isinstance(source, str):
        raise BadRequest(
            "This is no form that an answer can have.",
            f'Write {{"kind": …, "source": …}} with one of {", ".join(get_args(ConstraintKind))}.',
            field=CONSTRAINT_KEY,
        )
    return Constraint(cast(ConstraintKind, kind), source)


def _of_some_model(key: str, value: Any) -> bool | str | float:
    """The value of a field that a model may have; which ones it takes is the model's to say."""
    number = isinstance(value, int | float) and abs(value) <= LARGEST_NUMBER
    if not isinstance(value, bool | str) and not number:
        raise BadRequest(f"{key[:100]} cannot be {str(value)[:60]!r}.", "It takes true, a text or a number.", field=key)
    found: bool | str | float = value
    return found


def _refusal(key: str, parameter: Parameter, value: Any) -> BadRequest:
    wanted = _WANTED[parameter.kind] if not parameter.choices else f"one of {', '.join(parameter.choices)}"
    if parameter.minimum is not None and parameter.maximum is not None:
        wanted += f" from {parameter.minimum:,} to {parameter.maximum:,}"
    elif parameter.minimum is not None:
        wanted += f" of at least {parameter.minimum:,}"
    return BadRequest(f"{parameter.label} cannot be {str(value)[:60]!r}.", f"It takes {wanted}.", field=key)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) == float("inf"):
        raise ValueError
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _list_of(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def read_list(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise TypeError
        return tuple(read(item) for item in value)

    return read_list


def _pair_of(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, Any]]:
    def read_pair(value: Any) -> tuple[Any, Any]:
        if not isinstance(value, list | tuple):
            raise TypeError
        one, other = value
        return first(one), second(other)

    return read_pair


_READERS: dict[Kind, Callable[[Any], Any]] = {
    "integer": _integer,
    "number": _number,
    "choice": _text,
    "boolean": _boolean,
    "text": _text,
    "numbers": _list_of(_number),
    "texts": _list_of(_text),
    "strings": _list_of(_text),
    "scaled files": _list_of(_pair_of(_text, _number)),
    "pairs": _list_of(_pair_of(_text, _text)),
    "biases": _list_of(_pair_of(_integer, _number)),
}
_WANTED: dict[Kind, str] = {
    "integer": "a whole number",
    "number": "a number",
    "choice": "a name",
    "boolean": "true or false",
    "text": "a text",
    "numbers": "a list of numbers",
    "texts": "a list of texts",
    "strings": "a list of texts",
    "scaled files": "a list of pairs of file and scale",
    "pairs": "a list of pairs of texts",
    "biases": "a list of pairs of token and number",
}
