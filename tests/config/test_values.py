"""Values by dotted keys: what JSON can say of them, and what it cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tui.config import CONSTRAINT_KEY, checked_value, default_values, parameters_by_key, to_json, values_of
from tui.config.values import changed_values
from tui.domain import AnswerConfig, BadRequest, Constraint, LoadConfig, SamplingConfig


def test_every_field_of_a_configuration_has_a_key() -> None:
    assert set(default_values()) == set(parameters_by_key()) | {CONSTRAINT_KEY}
    assert values_of(SamplingConfig(top_k=3))["sampling.top_k"] == 3


def test_all_defaults_go_through_json() -> None:
    for key, value in default_values().items():
        assert checked_value(key, json.loads(json.dumps(to_json(value)))) == value


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("load.context_length", 8192, 8192),
        ("load.context_length", 8192.0, 8192),
        ("load.context_length", None, None),
        ("load.flash_attention", "ON", "on"),
        ("load.tensor_split", [3, 1.5], (3, 1.5)),
        ("load.lora", [["a.gguf", 0.5]], (("a.gguf", 0.5),)),
        ("sampling.stop", ["a", "b"], ("a", "b")),
        ("sampling.logit_bias", [[42, -1.5]], ((42, -1.5),)),
        ("answer.overflow", "rollingWindow", "rollingWindow"),
        ("answer.constraint", {"kind": "gbnf", "source": "root ::= x"}, Constraint("gbnf", "root ::= x")),
        ("answer.constraint", None, None),
    ],
)
def test_json_becomes_values(key: str, value: Any, found: Any) -> None:
    assert checked_value(key, value) == found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("load.context_length", "8k"),
        ("load.context_length", 0),
        ("load.context_length", 1.5),
        ("load.context_length", True),
        ("load.context_length", float("inf")),
        ("load.parallel", None),
        ("load.parallel", 1000),
        ("load.try_mmap", 1),
        ("load.flash_attention", "maybe"),
        ("load.lora", [["a.gguf"]]),
        ("sampling.temperature", float("nan")),
        ("sampling.temperature", -1),
        ("sampling.stop", "a"),
        ("answer.constraint", {"kind": "magic"}),
        ("answer.constraint", "json"),
        ("sampling.warmth", 1),
    ],
)
def test_what_cannot_be_is_refused_with_its_key(key: str, value: Any) -> None:
    with pytest.raises(BadRequest) as refused:
        checked_value(key, value)
    assert refused.value.field == key
    assert refused.value.advice


def test_what_was_changed() -> None:
    assert changed_values(LoadConfig(parallel=2), LoadConfig()) == {"load.parallel": 2}
    assert values_of(AnswerConfig())[CONSTRAINT_KEY] is None
