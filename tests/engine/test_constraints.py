"""Answers in a given form, from models that would say anything else by themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.engines import Collected, collect, loaded
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tui.domain import BadRequest, Constraint, LoadConfig, SamplingConfig
from tui.engine import LoadedModel

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "tags": {"type": "array", "items": {"enum": ["red", "green"]}, "maxItems": 3},
    },
    "required": ["name", "age", "tags"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def random(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedModel]:
    path = make_tiny_model(tmp_path_factory.mktemp("models") / "random.gguf", extra_tokens=500)
    with loaded(path, LoadConfig(context_length=1024, threads=1)) as model:
        yield model


def ask(model: LoadedModel, constraint: Constraint, **sampling: Any) -> Collected:
    config = SamplingConfig(**{"max_tokens": 600, "seed": 1, **sampling})
    return collect(model.submit([65, 10], config, constraint=constraint))


def schema(value: Any, after: tuple[str, ...] = ()) -> Constraint:
    return Constraint("json_schema", json.dumps(value), after)


@pytest.mark.parametrize(
    "sampling",
    [{"seed": 1}, {"seed": 2}, {"seed": 3}, {"temperature": 0.0}, {"mirostat": 2}, {"dry_multiplier": 0.8}],
    ids=str,
)
def test_a_schema_is_kept_by_a_model_that_knows_nothing(random: LoadedModel, sampling: dict[str, Any]) -> None:
    answer = ask(random, schema(PERSON), **sampling)
    assert answer.stats.stop_reason == "eosFound", "the form is complete, so the answer ends"
    person = json.loads(answer.text)
    assert set(person) == {"name", "age", "tags"}
    assert isinstance(person["name"], str)
    assert len(person["name"]) <= 12
    assert 0 <= person["age"] <= 120
    assert set(person["tags"]) <= {"red", "green"}


def test_any_object(random: LoadedModel) -> None:
    answer = ask(random, Constraint("json_object"), max_tokens=400, seed=5)
    if answer.stats.stop_reason == "eosFound":
        assert isinstance(json.loads(answer.text), dict)
    else:
        assert answer.text.lstrip().startswith("{")


@pytest.mark.parametrize(
    ("constraint", "pattern"),
    [
        (Constraint("regex", r"[a-c]{3}-\d{4}"), r"[a-c]{3}-\d{4}"),
        (Constraint("regex", r"(yes|no), (always|never)"), r"(yes|no), (always|never)"),
        (Constraint("lark", 'start: "x" NUMBER\nNUMBER: /[0-9]{2}/'), r"x[0-9]{2}"),
        (Constraint("gbnf", 'root ::= "a" [0-9]+ ("," [0-9]){2} "."'), r"a[0-9]+(,[0-9]){2}\."),
        (Constraint("gbnf", 'root ::= item item\nitem ::= "é" | "\\n"'), r"[é\n]{2}"),
    ],
)
def test_expressions_and_grammars(random: LoadedModel, constraint: Constraint, pattern: str) -> None:
    for seed in range(4):
        assert re.fullmatch(pattern, ask(random, constraint, seed=seed).text)


@pytest.mark.parametrize(
    ("constraint", "field"),
    [
        (Constraint("json_schema", "{"), "constraint"),
        (Constraint("json_schema", "[1]"), "constraint"),
        (schema({"type": "nonsense"}), "constraint"),
        (schema({"type": "object", "properties": {"age": {"type": "year"}}}), "constraint.properties.age"),
        (schema({"type": "array", "items": {"$ref": "#/$defs/missing"}}), "constraint.items"),
        (schema({"anyOf": [{"type": "string"}, {"pattern": "(", "type": "string"}]}), "constraint.anyOf[1]"),
        (Constraint("regex", "(unclosed"), "constraint"),
        (Constraint("lark", "start: ["), "constraint"),
        (Constraint("gbnf", "root ::= ("), "constraint"),
        (Constraint("gbnf", "(" * 100_000), "constraint"),
        (Constraint("gbnf", "nothing"), "constraint"),
        (Constraint("json_schema", " " * 1_000_001), "constraint"),
        (Constraint("json_schema", "[" * 100_000), "constraint"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else value.source[:30],
)
def test_what_cannot_be_kept_is_refused_with_its_place(random: LoadedModel, constraint: Constraint, field: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        random.submit([65, 10], SamplingConfig(max_tokens=5), constraint=constraint)
    assert refusal.value.field == field
    assert len(str(refusal.value)) < 600


def test_a_form_without_end_ends_at_the_token_limit(random: LoadedModel) -> None:
    answer = ask(random, Constraint("regex", "a+"), max_tokens=20, ignore_end_of_generation=True)
    assert answer.stats.stop_reason == "maxPredictedTokensReached"
    assert set(answer.text) == {"a"}


def test_a_form_that_grows_too_complex_ends_the_answer_with_the_reason(random: LoadedModel) -> None:
    answer = ask(random, Constraint("regex", "(a{1000}){1000}"), max_tokens=20)
    assert answer.error is not None
    assert "complex" in str(answer.error)
    assert ask(random, Constraint("regex", "ab")).text == "ab"


def test_keywords_that_cannot_be_kept_are_not_ignored(random: LoadedModel) -> None:
    with pytest.raises(BadRequest, match="not"):
        ask(random, schema({"type": "string", "not": {"const": "no"}}))


def test_the_form_begins_behind_the_reasoning(tmp_path: Path) -> None:
    path = make_scripted_model(tmp_path / "thinking.gguf", "I wonder, {not json}.</think>\n\nIt is blue.")
    with loaded(path, LoadConfig(threads=1)) as model:
        answer = ask(model, schema(PERSON, after=("</think>",)))
    thought, _, said = answer.text.partition("</think>")
    assert thought == "I wonder, {not json}."
    assert json.loads(said)["age"] >= 0


@pytest.mark.parametrize("cut", ["think>\n{", "nk>", ">\n\n"])
def test_a_trigger_that_ends_inside_a_token(tmp_path: Path, cut: str) -> None:
    script = 'Hm.</think>\n{"a": 1}'
    at = script.index(cut) if cut in script else script.index("nk>")
    path = make_scripted_model(tmp_path / "cut.gguf", script, special=(script[at : at + len(cut)],))
    with loaded(path, LoadConfig(threads=1)) as model:
        limited = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
        answer = ask(model, schema(limited | {"additionalProperties": False}, after=("</think>",)))
    assert json.loads(answer.text.partition("</think>")[2]).keys() == {"a"}


THINKING = Constraint("json_schema", json.dumps(PERSON), after=("</think>",), opening="<think>")


@pytest.mark.parametrize(
    ("script", "thought"),
    [
        ("<think>I wonder.</think>It is blue.", "<think>I wonder."),
        (" <think>\nHm.\n</think>\n\nBlue.", " <think>\nHm.\n"),
        ("It is blue. <think>No.</think>", ""),
        ('{"name": "Ada", "age": 36, "tags": []}', ""),
    ],
)
def test_a_model_that_may_think_first_has_the_form_without_it(tmp_path: Path, script: str, thought: str) -> None:
    path = make_scripted_model(tmp_path / "m.gguf", script)
    with loaded(path, LoadConfig(threads=1)) as model:
        answer = ask(model, THINKING)
    before, tag, said = answer.text.rpartition("</think>")
    assert before == thought
    assert bool(tag) == bool(thought)
    assert set(json.loads(said)) == {"name", "age", "tags"}


def test_the_opening_is_not_forced_on_a_model_that_knows_nothing(random: LoadedModel) -> None:
    for seed in range(4):
        answer = ask(random, THINKING, seed=seed)
        assert json.loads(answer.text.rpartition("</think>")[2])["age"] >= 0


def test_an_end_before_the_form_leads_to_the_form(tmp_path: Path) -> None:
    path = make_scripted_model(tmp_path / "plain.gguf", "No thoughts at all.")
    with loaded(path, LoadConfig(threads=1)) as model:
        form = schema(PERSON, after=("</think>",))
        before, _, said = ask(model, form).text.partition("</think>")
        assert before == "No thoughts at all."
        assert json.loads(said)["age"] >= 0
        assert ask(model, replace(form, optional=True)).text == "No thoughts at all."


@pytest.mark.parametrize(
    ("form", "said"),
    [
        # The form may begin as the opening does.
        (Constraint("regex", "<thanks>", after=("</think>",), opening="<think>"), "<thanks>"),
        # It may not, so that the opening is gone on with.
        (Constraint("regex", "yes", after=("</think>",), opening="<think>"), "<think><thank you</think>yes"),
    ],
)
def test_an_opening_that_is_half_said(tmp_path: Path, form: Constraint, said: str) -> None:
    path = make_scripted_model(tmp_path / "half.gguf", "<thank you", special=("<th",))
    with loaded(path, LoadConfig(threads=1)) as model:
        assert ask(model, form).text == said


def test_a_model_that_keeps_the_form_says_what_it_would_say_anyway(tmp_path: Path) -> None:
    said = '{"name": "Ada", "age": 36, "tags": ["red"]}'
    path = make_scripted_model(tmp_path / "json.gguf", said)
    with loaded(path, LoadConfig(threads=1)) as model:
        assert ask(model, schema(PERSON)).text == said


def test_settings_that_leave_nothing_end_the_answer_and_nothing_else(random: LoadedModel) -> None:
    everything = tuple((token, float("-inf")) for token in range(random.vocabulary.size))
    answer = ask(random, schema(PERSON), logit_bias=everything)
    assert answer.error is not None
    assert answer.stats.stop_reason == "failed"
    assert ask(random, schema(PERSON)).stats.stop_reason == "eosFound"


def test_a_least_number_of_tokens_gives_way_to_a_form_that_is_complete(random: LoadedModel) -> None:
    answer = ask(random, Constraint("regex", "ab"), min_tokens=50)
    assert answer.text == "ab"
    assert answer.stats.stop_reason == "eosFound"
