"""What must come comes: calls and forms on models whose weights are random, so that nothing is left to good will."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jsonschema
import pytest

from tests.support.answering import Answer, Answering, read_answer
from tests.support.call_scripts import CALL_SCRIPTS
from tests.support.model_maker import make_tiny_model
from tui.domain import Constraint, GenerationRequest, LoadConfig, SamplingConfig, Tool, ToolChoice, text_message
from tui.engine.loading import Kernels

ROUNDS = 100
ASK = (text_message("user", "Hi"),)
WILD = SamplingConfig(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.0, max_tokens=3000)
"""Every token has a chance, the ends of generation too."""

# All of them are finite, so that every answer ends.
WEATHER_SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 6},
        "days": {"type": "integer", "minimum": 1, "maximum": 14},
        "unit": {"enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city", "unit"],
    "additionalProperties": False,
}
NOTE_SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 4}, "loud": {"type": "boolean"}},
    "required": ["text", "loud"],
    "additionalProperties": False,
}
ANSWER_SCHEMA = {
    "type": "object",
    "properties": {"mood": {"enum": ["good", "bad"]}, "points": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["mood", "points"],
    "additionalProperties": False,
}
SCHEMAS = {"get_weather": WEATHER_SCHEMA, "save_note": NOTE_SCHEMA}
TOOLS = tuple(Tool(name, "It does.", json.dumps(schema)) for name, schema in SCHEMAS.items())
FORM = Constraint("json_schema", json.dumps(ANSWER_SCHEMA))


@dataclass(frozen=True, slots=True)
class Wild:
    """A loaded model with random weights, and how it is asked."""

    answering: Answering
    sampling: SamplingConfig

    def answers(self, request: GenerationRequest, rounds: int = ROUNDS) -> list[Answer]:
        """As many answers, with other seeds, several at a time."""
        started = [
            self.answering.start(replace(request, sampling=replace(self.sampling, seed=seed))) for seed in range(rounds)
        ]
        return [read_answer(list(generation)) for generation in started]

    def inclined(self, *texts: str, bias: float) -> Wild:
        """The same with these tokens more or less likely."""
        more = tuple((self.answering.token(text), bias) for text in texts)
        return replace(self, sampling=replace(self.sampling, logit_bias=(*self.sampling.logit_bias, *more)))


Models = Callable[[str], Wild]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, kernels: Kernels) -> Iterator[Models]:
    """A random model of a family, its markers control tokens.

    Its weights favour nothing, so that two biases make up for what training does: the end of the reasoning is as
    likely as a seventh of all others together, or it would think to the end of its context; and white space, which
    JSON allows almost anywhere, is less likely, which only saves time.
    """
    made: dict[str, Wild] = {}
    folder = tmp_path_factory.mktemp("random")

    def model(name: str) -> Wild:
        if name in made:
            return made[name]
        family = CALL_SCRIPTS[name]
        path = make_tiny_model(
            folder / f"{len(made)}.gguf",
            layers=1,
            feed_forward=64,
            context_length=16384,
            chat_template=family.source,
            special=(),
            control=family.markers,
        )
        config = LoadConfig(threads=1, parallel=8, context_length=16384)
        wild = Wild(Answering(path, kernels, config), WILD).inclined(" ", "\n", "\r", "\t", bias=-3.0)
        closing = family.closing.strip()
        made[name] = wild.inclined(closing, bias=4.5) if closing in family.markers else wild
        return made[name]

    yield model
    for wild in made.values():
        wild.answering.close()


def check_calls(answers: Sequence[Answer], *, name: str = "", most: int | None = None) -> None:
    """Each answer is valid calls and nothing else."""
    for answer in answers:
        assert 0 < len(answer.calls) <= (most or len(answer.calls)), answer
        assert answer.text == ""
        assert answer.stats.stop_reason == "toolCalls"
        for call in answer.calls:
            assert call.name == name or not name
            jsonschema.validate(json.loads(call.arguments), SCHEMAS[call.name])


def fits(text: str, schema: dict[str, Any]) -> bool:
    try:
        jsonschema.validate(json.loads(text), schema)
    except (ValueError, jsonschema.ValidationError):
        return False
    return True


OFTEN = [
    "tagged JSON (Qwen)",
    "name and arguments (Magistral)",
    "qualified names (Kimi)",
    "keys and values (GLM)",
    "as Python writes them (LFM2)",
    "braces (Gemma 4)",
]


@pytest.mark.parametrize("family", OFTEN)
def test_a_required_call_comes_100_times_of_100(models: Models, family: str) -> None:
    request = GenerationRequest("m", ASK, tools=TOOLS, tool_choice=ToolChoice("required"))
    check_calls(models(family).answers(request))


@pytest.mark.parametrize("family", OFTEN)
def test_a_named_call_comes_100_times_of_100(models: Models, family: str) -> None:
    choice = ToolChoice("required", "save_note", parallel=False)
    request = GenerationRequest("m", ASK, tools=TOOLS, tool_choice=choice)
    check_calls(models(family).answers(request), name="save_note", most=1)


@pytest.mark.parametrize("family", [family for family in CALL_SCRIPTS if family not in OFTEN])
def test_a_required_call_comes_in_the_other_families_too(models: Models, family: str) -> None:
    request = GenerationRequest("m", ASK, tools=TOOLS, tool_choice=ToolChoice("required"))
    check_calls(models(family).answers(request, 10))


def test_calls_end_before_the_second_where_one_alone_may_be(models: Models) -> None:
    # Free words come first; the opening is made likely, or they would be all that comes.
    model = models("tagged JSON (Hermes)").inclined("<tool_call>", bias=5.0)
    request = GenerationRequest("m", ASK, tools=TOOLS, tool_choice=ToolChoice("auto", parallel=False))
    answers = model.answers(request, 40)
    assert {len(answer.calls) for answer in answers} <= {0, 1}
    called = [answer for answer in answers if answer.calls]
    assert len(called) > 20
    for answer in called:
        jsonschema.validate(json.loads(answer.calls[0].arguments), SCHEMAS[answer.calls[0].name])


@pytest.mark.parametrize("family", ["invocations (MiniMax)", "tagged JSON (Qwen)"])
def test_a_schema_holds_behind_the_reasoning_100_times_of_100(models: Models, family: str) -> None:
    """In the first the prompt opens the reasoning; the second opens it by itself, mostly, being so inclined."""
    model = models(family)
    if family == "tagged JSON (Qwen)":
        model = model.inclined("<think>", bias=7.0)
    answers = model.answers(GenerationRequest("m", ASK, constraint=FORM))
    assert [answer.text for answer in answers if not fits(answer.text, ANSWER_SCHEMA)] == []
    assert sum(bool(answer.reasoning) for answer in answers) > ROUNDS / 2
    assert {answer.stats.stop_reason for answer in answers} == {"eosFound"}


@pytest.mark.parametrize("family", ["tagged JSON (Hermes)", "invocations (MiniMax)", "braces (Gemma 4)"])
def test_an_answer_is_a_call_or_has_its_form(models: Models, family: str) -> None:
    opening = {"invocations (MiniMax)": "<minimax:tool_call>", "braces (Gemma 4)": "<|tool_call>"}
    # As likely as what else may be first, so that there are calls as well.
    model = models(family).inclined(opening.get(family, "<tool_call>"), bias=0.5)
    answers = model.answers(GenerationRequest("m", ASK, tools=TOOLS, constraint=FORM), 40)
    called = [answer for answer in answers if answer.calls]
    said = [answer for answer in answers if not answer.calls]
    assert len(called) > 3
    assert len(said) > 3
    check_calls(called)
    assert [answer.text for answer in said if not fits(answer.text, ANSWER_SCHEMA)] == []


def test_a_required_call_comes_whatever_form_later_answers_have(models: Models) -> None:
    choice = ToolChoice("required", parallel=False)
    request = GenerationRequest("m", ASK, tools=TOOLS, tool_choice=choice, constraint=FORM)
    check_calls(models("braces (Gemma 4)").answers(request, 10), most=1)
