"""The fields that makers of virtual models declare, among the values that layers decide: `custom.enableThinking`.

Which of them there are depends on the model, so that a thread, a folder or a preset may have values for fields that the
model in hand does not have. Those do not count.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from tui.config.layers import Collapsed, Layer, LayerName
from tui.config.parameters import Kind, Parameter
from tui.config.values import CUSTOM_PREFIX
from tui.domain import CustomField, FieldKind

_KINDS: Final[dict[FieldKind, Kind]] = {
    "boolean": "boolean",
    "text": "text",
    "choice": "choice",
    "number": "number",
}
_RANKS: Final = {name: rank for rank, name in enumerate(get_args(LayerName))}
_EFFORT: Final = "answer.reasoning_effort"


@dataclass(frozen=True, slots=True)
class FieldEffects:
    """What the values of a model's fields do to a request."""

    options: tuple[tuple[str, str], ...] = ()
    """Variables of the chat template, and values as JSON text."""
    defaults: tuple[tuple[str, str], ...] = ()
    """The same, where the reasoning effort counts before them."""
    before: tuple[str, ...] = ()
    """Texts in front of the system prompt."""
    after: tuple[str, ...] = ()


def field_key(field: CustomField) -> str:
    """The dotted key of a field."""
    return f"{CUSTOM_PREFIX}{field.key}"


def field_parameters(fields: Sequence[CustomField]) -> tuple[Parameter, ...]:
    """The fields as forms show them; their names are their dotted keys, so that they are like no other parameter's."""
    return tuple(
        Parameter(
            field_key(field),
            field.label,
            "integer" if field.whole else _KINDS[field.kind],
            " ".join([field.help, *_labels(field)]).strip(),
            field.default,
            field.minimum,
            field.maximum,
            tuple(value for value, _ in field.choices),
            group="basic",
        )
        for field in fields
    )


def default_fields(fields: Sequence[CustomField]) -> dict[str, Any]:
    """What counts where nobody chose, by dotted keys."""
    return {field_key(field): field.default for field in fields}


def with_known_fields(layer: Layer, fields: Sequence[CustomField]) -> Layer:
    """The layer without values for fields that the model does not have, or that they cannot have there."""
    known = {field_key(field): field for field in fields}
    values: Mapping[str, Any] = {
        key: value
        for key, value in layer.values.items()
        if not key.startswith(CUSTOM_PREFIX) or (key in known and known[key].takes(value))
    }
    return Layer(layer.name, values, layer.title)


def effects_of(fields: Sequence[CustomField], collapsed: Collapsed) -> FieldEffects:
    """What comes of the values that count. Both a field and the reasoning effort may set one variable: the one that
    was decided nearer to the request counts, the field where one place decided both."""
    options: dict[str, str] = {}
    defaults: dict[str, str] = {}
    before: list[str] = []
    after: list[str] = []
    for field in fields:
        key = field_key(field)
        value = collapsed.custom.get(field.key, field.default)
        source = collapsed.source(key).name
        chosen = source not in ("file", "app") and _RANKS[source] <= _RANKS[collapsed.source(_EFFORT).name]
        (options if chosen else defaults).update(dict.fromkeys(field.variables, json.dumps(value)))
        if value is True:
            before += field.before
            after += field.after
    return FieldEffects(tuple(options.items()), tuple(defaults.items()), tuple(before), tuple(after))


def _labels(field: CustomField) -> list[str]:
    named = [f"{value} is {label}" for value, label in field.choices if label != value]
    return [f"({', '.join(named)})"] if named else []
