"""Requests for the functions of `seeds/calls.txt`, with values in the places of their parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from tui.builtin.training.dialogue import Call, Function, Parameter
from tui.builtin.training.grammar import spoken
from tui.builtin.training.inventing import Invention
from tui.builtin.training.seeds import SeedFunction, SlotParameter
from tui.builtin.training.values import Values

_SLOT = re.compile(r"\{(\w+)\}")
_TYPES = {
    "small": "integer",
    "number2": "integer",
    "price": "number",
    "value": "number",
    "number": "integer",
    "integer": "integer",
}


def requested(seed: SeedFunction, values: Values, *, rename: bool = True) -> Invention:
    """One request for a seed function, under one of its names."""
    random = values.random
    phrase, fixed = random.choice(seed.requests)
    phrase = spoken(phrase, random)
    parameters, values_of, names, copied = [], {}, {}, []
    for slot in seed.parameters:
        first = slot.names[0]
        names[first] = random.choice(slot.names) if rename and random.random() < 0.6 else first
        value, said, type_ = _value(slot, values)
        parameters.append(Parameter(names[first], type_, slot.choices, slot.optional))
        if f"{{{first}}}" in phrase:
            values_of[first] = value
            copied.append(said)
            phrase = phrase.replace(f"{{{first}}}", said)
    arguments = {names[first]: value for first, value in values_of.items()}
    if fixed is not None:
        arguments = {names[first]: values_of.get(first, text) for first, text in json.loads(fixed).items()}
    name = random.choice(seed.names) if rename and random.random() < 0.6 else seed.names[0]
    # A program may want more than the request tells.
    offered = tuple(Parameter(p.name, p.type, p.choices, p.optional or p.name not in arguments) for p in parameters)
    function = Function(name, offered, random.choice(seed.descriptions))
    call = Call(name, arguments)
    return Invention(function, phrase, call, tuple(copied), name.replace("_", " "), "")


def held_out_requests(seed: SeedFunction) -> Sequence[tuple[Function, str, Call]]:
    """A held-out function with each of its requests and calls."""
    parameters = tuple(
        Parameter(slot.names[0], "integer" if slot.kind == "integer" else "string", slot.choices)
        for slot in seed.parameters
    )
    function = Function(seed.names[0], parameters, seed.descriptions[0])
    return [(function, text, Call(function.name, json.loads(arguments or "{}"))) for text, arguments in seed.requests]


def _value(slot: SlotParameter, values: Values) -> tuple[Any, str, str]:
    """A value, how the request says it, and its type."""
    if slot.kind == "enum":
        value = values.random.choice(slot.choices)
        return value, value, "string"
    value = values.of(slot.kind)
    said = str(value)
    if slot.kind in ("ident", "x") and isinstance(value, int):
        return (value, said, "integer") if values.random.random() < 0.5 else (said, said, "string")
    if slot.kind == "url" and not said.startswith("http"):
        value = f"https://{said}"
    return value, said, _TYPES.get(slot.kind, "string")
