"""Calls that a model begins by itself: whatever it says, they are calls of what is offered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

import tui.builtin
from tests.support.answering import Answering, read_answer
from tui.domain import GenerationRequest, LoadConfig, SamplingConfig, Tool, text_message
from tui.engine.loading import Kernels

SCHEMAS = {
    "get_weather": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}, "days": {"type": "integer", "minimum": 1}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
    "set_lamp": {
        "type": "object",
        "properties": {"room": {"enum": ["kitchen", "hall"]}, "on": {"type": "boolean"}},
        "required": ["room", "on"],
        "additionalProperties": False,
    },
}
TOOLS = tuple(Tool(name, "It does.", json.dumps(schema)) for name, schema in SCHEMAS.items())
SEEDS = 24


@pytest.fixture(scope="module")
def guide(kernels: Kernels) -> Iterator[Answering]:
    answering = Answering(
        Path(tui.builtin.__file__).parent / "guide.gguf",
        kernels,
        LoadConfig(threads=1, parallel=4, context_length=2048),
    )
    yield answering
    answering.close()


def test_a_hot_model_calls_only_what_is_offered(guide: Answering) -> None:
    sampling = SamplingConfig(temperature=1.6, top_k=0, top_p=1.0, min_p=0.0, max_tokens=200)
    asked = GenerationRequest("m", (text_message("user", "How is the weather in Ulm tomorrow?"),), tools=TOOLS)
    started = [guide.start(replace(asked, sampling=replace(sampling, seed=seed))) for seed in range(SEEDS)]
    answers = [read_answer(list(generation)) for generation in started]
    whole = [answer for answer in answers if answer.stats.stop_reason == "toolCalls"]
    assert len(whole) > SEEDS / 4
    for call in (call for answer in whole for call in answer.calls):
        jsonschema.validate(json.loads(call.arguments), SCHEMAS[call.name])
    for name in (call.name for answer in answers for call in answer.calls):
        assert name in SCHEMAS
