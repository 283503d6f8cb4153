"""The declarations of parameters: complete, and strict about what people type."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tui.config import (
    ANSWER_PARAMETERS,
    LOAD_PARAMETERS,
    LOAD_SECTIONS,
    SAMPLING_PARAMETERS,
    parse_value,
    value_text,
    with_values,
)
from tui.domain import AnswerConfig, BadRequest, LoadConfig, SamplingConfig

LOAD = {parameter.name: parameter for parameter in LOAD_PARAMETERS}


def test_every_field_is_declared_once() -> None:
    assert sorted(LOAD) == sorted(field.name for field in fields(LoadConfig))
    declared = [parameter.name for parameter in SAMPLING_PARAMETERS]
    assert sorted(declared) == sorted(field.name for field in fields(SamplingConfig))
    # A schema or a grammar is nothing that one line of text could say.
    answers = [parameter.name for parameter in ANSWER_PARAMETERS]
    assert sorted(answers) == sorted({field.name for field in fields(AnswerConfig)} - {"constraint"})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("context_length", "8192", 8192),
        ("context_length", " 8k ", 8192),
        ("context_length", "16,384", 16384),
        ("context_length", "auto", None),
        ("context_length", "", None),
        ("gpu_layers", "0", 0),
        ("flash_attention", "ON", "on"),
        ("try_mmap", "no", False),
        ("rope_frequency_base", "1e6", 1e6),
        ("tensor_split", "3, 1.5", (3, 1.5)),
        ("disabled_gpus", "1", (1,)),
        ("lora", "a.gguf:0.5, /models/b.gguf", (("a.gguf", 0.5), ("/models/b.gguf", 1.0))),
        ("tensor_overrides", "ffn_.*_exps=CPU", (("ffn_.*_exps", "CPU"),)),
        ("rpc_servers", "a:1, b:2", ("a:1", "b:2")),
        ("draft_model", "small", "small"),
    ],
)
def test_what_people_type(name: str, text: str, value: object) -> None:
    assert parse_value(LOAD[name], text) == value


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("context_length", "many", "whole number"),
        ("context_length", "0", "at least 1"),
        ("context_length", "-1", "at least 1"),
        ("parallel", "300", "1 to 256"),
        ("flash_attention", "maybe", "auto, on, off"),
        ("try_mmap", "perhaps", "yes or no"),
        ("rope_frequency_base", "nan", "number"),
        ("tensor_split", "3, many", "commas"),
        ("tensor_overrides", "ffn", "pairs"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(name: str, text: str, hint: str) -> None:
    with pytest.raises(BadRequest, match=hint) as refusal:
        parse_value(LOAD[name], text)
    assert refusal.value.field == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tensor_split", (3, 1.5)),
        ("disabled_gpus", (1, 2)),
        ("lora", (("a.gguf", 0.5), ("b.gguf", 1.0))),
        ("tensor_overrides", (("ffn_.*=x", "CPU"),)),
        ("rpc_servers", ("a:1", "b:2")),
        ("context_length", 16384),
        ("try_mmap", False),
        ("seed", None),
        ("chat_template", "{{ x }}"),
    ],
)
def test_what_is_shown_can_be_typed(name: str, value: object) -> None:
    assert parse_value(LOAD[name], value_text(LOAD[name], value)) == value


@pytest.mark.parametrize("name", ["stop", "logit_bias", "dry_sequence_breakers"])
def test_an_empty_list_of_texts_or_logits_is_none_and_not_auto(name: str) -> None:
    parameter = next(parameter for parameter in SAMPLING_PARAMETERS if parameter.name == name)
    assert value_text(parameter, ()) == "none"
    assert parse_value(parameter, "None") == ()
    assert parse_value(parameter, "auto") == parameter.default


def test_assignments_by_name() -> None:
    config = with_values(LoadConfig(), LOAD_PARAMETERS, {"context_length": "4k", "threads": "3"})
    assert config == LoadConfig(context_length=4096, threads=3)
    with pytest.raises(BadRequest, match="nonsense"):
        with_values(LoadConfig(), LOAD_PARAMETERS, {"nonsense": "1"})


def test_every_load_parameter_stands_under_one_heading() -> None:
    listed = [name for names in LOAD_SECTIONS.values() for name in names]
    assert sorted(listed) == sorted(LOAD)
