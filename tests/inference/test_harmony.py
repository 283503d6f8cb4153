"""gpt-oss's messages from a model's tokens to events, and its history back into prompts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.answering import Answering, read_answer
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tui.domain import (
    Constraint,
    GenerationRequest,
    LoadConfig,
    Logprobs,
    Message,
    ReasoningEffort,
    ReasoningPart,
    SamplingConfig,
    TextPart,
    Tool,
    ToolChoice,
    ToolResultPart,
    text_message,
)
from tui.engine.loading import Kernels

TEMPLATE = (Path(__file__).parents[1] / "support" / "templates" / "gpt-oss.jinja").read_text(encoding="utf-8")
MARKERS = ("<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>", "<|return|>", "<|call|>")
THOUGHT = "<|channel|>analysis<|message|>I need the weather.<|end|>"
PREAMBLE = "<|start|>assistant<|channel|>commentary<|message|>Let me see.<|end|>"
CALL = (
    "<|start|>assistant to=functions.get_weather<|channel|>commentary <|constrain|>json<|message|>"
    '{"city": "Ulm"}<|call|>'
)
FINAL = "<|start|>assistant<|channel|>final<|message|>It is fine.<|return|>"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 6}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS = (Tool("get_weather", "The weather in a city.", json.dumps(SCHEMA)),)
ASK = text_message("user", "How is the weather?")
REQUEST = GenerationRequest("m", (ASK,), tools=TOOLS)
FORM = Constraint("json_schema", json.dumps(SCHEMA))


@contextmanager
def saying(tmp_path: Path, kernels: Kernels, script: str) -> Iterator[Answering]:
    path = make_scripted_model(tmp_path / "m.gguf", script, chat_template=TEMPLATE, special=(), control=MARKERS)
    answering = Answering(path, kernels)
    yield answering
    answering.close()


def test_thoughts_a_preamble_and_a_call(tmp_path: Path, kernels: Kernels) -> None:
    with saying(tmp_path, kernels, THOUGHT + PREAMBLE + CALL) as model:
        answer = model.answer(REQUEST)
    assert (answer.reasoning, answer.text) == ("I need the weather.", "Let me see.")
    assert [(call.name, call.arguments) for call in answer.calls] == [("get_weather", '{"city": "Ulm"}')]
    assert answer.stats.stop_reason == "toolCalls"
    assert 0 < answer.stats.reasoning_tokens < answer.stats.generated_tokens


def test_thoughts_and_a_final_answer(tmp_path: Path, kernels: Kernels) -> None:
    with saying(tmp_path, kernels, THOUGHT + FINAL) as model:
        answer = model.answer(REQUEST)
    assert (answer.reasoning, answer.text, answer.calls) == ("I need the weather.", "It is fine.", ())
    assert answer.stats.stop_reason == "eosFound"


def test_a_call_that_is_cut_off_is_not_completed(tmp_path: Path, kernels: Kernels) -> None:
    with saying(tmp_path, kernels, THOUGHT + CALL) as model:
        whole = model.answer(REQUEST)
        # The last tokens are the end of the arguments and the end of the call.
        limit = whole.stats.generated_tokens - 2
        answer = model.answer(replace(REQUEST, sampling=SamplingConfig(max_tokens=limit)))
    (call,) = answer.calls
    assert call.name == "get_weather"
    assert '{"city": "Ulm"}'.startswith(call.arguments)
    assert call.arguments not in ("", '{"city": "Ulm"}')
    assert answer.stats.stop_reason == "maxPredictedTokensReached"


def test_what_has_no_header_is_text(tmp_path: Path, kernels: Kernels) -> None:
    with saying(tmp_path, kernels, "It is fine, to=functions.nothing {}.") as model:
        answer = model.answer(REQUEST)
    assert (answer.reasoning, answer.text, answer.calls) == ("", "It is fine, to=functions.nothing {}.", ())


def test_a_tool_that_nobody_offered_is_a_thought(tmp_path: Path, kernels: Kernels) -> None:
    script = '<|channel|>commentary to=browser.search<|message|>{"query": "Ulm"}<|call|>'
    with saying(tmp_path, kernels, script) as model:
        answer = model.answer(REQUEST)
    assert (answer.reasoning, answer.text, answer.calls) == ('{"query": "Ulm"}', "", ())


@pytest.mark.parametrize("effort", ["low", "medium", "high"])
def test_the_effort_is_in_the_prompt(tmp_path: Path, kernels: Kernels, effort: ReasoningEffort) -> None:
    with saying(tmp_path, kernels, THOUGHT + FINAL) as model:
        generation = model.start(replace(REQUEST, reasoning_effort=effort))
        assert generation.wait(60)
    assert f"\n\nReasoning: {effort}\n" in generation.prompt


def test_the_history_keeps_thoughts_until_the_final_answer(tmp_path: Path, kernels: Kernels) -> None:
    """A call's thoughts are shown again with its result, and no more when the turn is over."""
    with saying(tmp_path, kernels, THOUGHT + CALL) as model:
        first = model.answer(REQUEST)
        called = Message("assistant", (ReasoningPart(first.reasoning), *first.calls))
        result = Message("tool", (ToolResultPart(first.calls[0].id, "get_weather", "clear"),))
        second = model.start(replace(REQUEST, messages=(ASK, called, result)))
        assert second.wait(60)
        final = Message("assistant", (ReasoningPart("Clear is good."), TextPart("It is fine.")))
        third = model.start(replace(REQUEST, messages=(ASK, called, result, final, ASK)))
        assert third.wait(60)
    assert "analysis<|message|>I need the weather.<|end|>" in second.prompt
    for prompt in (second.prompt, third.prompt):
        assert "to=functions.get_weather" in prompt
        assert "functions.get_weather to=assistant<|channel|>commentary<|message|>" in prompt
        assert prompt.endswith("<|start|>assistant")
    assert "final<|message|>It is fine.<|end|>" in third.prompt
    assert "I need the weather." not in third.prompt
    assert "Clear is good." not in third.prompt


def test_a_form_holds_in_the_final_message(tmp_path: Path, kernels: Kernels) -> None:
    """The thoughts are gone on from, as a script has every marker once as a token."""
    thinking = Message("assistant", (ReasoningPart("I need"),))
    with saying(tmp_path, kernels, f" the weather.<|end|>{FINAL}") as model:
        request = GenerationRequest("m", (ASK, thinking), continues_answer=True)
        free = model.answer(request)
        assert (free.reasoning, free.text) == ("the weather.", "It is fine.")
        answer = model.answer(replace(request, constraint=FORM))
    assert answer.reasoning == "the weather."
    jsonschema.validate(json.loads(answer.text), SCHEMA)


def test_a_form_leaves_calls_alone(tmp_path: Path, kernels: Kernels) -> None:
    with saying(tmp_path, kernels, THOUGHT + CALL) as model:
        answer = model.answer(replace(REQUEST, constraint=FORM))
    assert [call.arguments for call in answer.calls] == ['{"city": "Ulm"}']
    assert answer.stats.stop_reason == "toolCalls"


def test_a_required_call_comes_behind_the_thoughts(tmp_path: Path, kernels: Kernels) -> None:
    with saying(tmp_path, kernels, f"{THOUGHT}<|start|>assistant<|return|>") as model:
        answer = model.answer(replace(REQUEST, tool_choice=ToolChoice("required")))
    assert (answer.reasoning, answer.text) == ("I need the weather.", "")
    (call,) = answer.calls
    jsonschema.validate(json.loads(call.arguments), SCHEMA)


def test_a_required_call_comes_behind_thoughts_that_are_gone_on_from(tmp_path: Path, kernels: Kernels) -> None:
    thinking = Message("assistant", (ReasoningPart("I need"),))
    with saying(tmp_path, kernels, " the weather.<|end|><|start|>assistant<|return|>") as model:
        request = replace(REQUEST, messages=(ASK, thinking), continues_answer=True)
        answer = model.answer(replace(request, tool_choice=ToolChoice("required")))
    assert (answer.reasoning, answer.text) == ("the weather.", "")
    (call,) = answer.calls
    jsonschema.validate(json.loads(call.arguments), SCHEMA)


def test_a_header_that_was_begun_is_the_beginning_of_the_required_one(tmp_path: Path, kernels: Kernels) -> None:
    """The model begins a header as the thoughts have one, and goes on otherwise."""
    with saying(tmp_path, kernels, "<|channel|>final<|message|>It is fine.<|return|>") as model:
        request = replace(REQUEST, sampling=SamplingConfig(top_logprobs=0), tool_choice=ToolChoice("required"))
        answer = model.answer(request)
    said = b"".join(token.data for event in answer.events if isinstance(event, Logprobs) for token in event.tokens)
    assert said.decode().startswith("<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>")
    assert len(answer.calls) == 1


def test_a_required_call_comes_100_times_of_100(tmp_path: Path, kernels: Kernels) -> None:
    """Random weights; biases make headers likely, and the end of what is begun as thoughts."""
    config = LoadConfig(threads=1, parallel=8, context_length=16384)
    path = make_tiny_model(
        tmp_path / "m.gguf", layers=1, context_length=16384, chat_template=TEMPLATE, special=(), control=MARKERS
    )
    model = Answering(path, kernels, config)
    likely = (("<|channel|>", 5.0), ("<|start|>", 5.0), ("assistant", 5.0))
    sampling = SamplingConfig(
        temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.0, max_tokens=1500,
        logit_bias=tuple((model.token(text), bias) for text, bias in likely),
    )  # fmt: skip
    request = replace(REQUEST, tool_choice=ToolChoice("required"))
    started = [model.start(replace(request, sampling=replace(sampling, seed=seed))) for seed in range(100)]
    answers = [read_answer(list(generation)) for generation in started]
    model.close()
    for answer in answers:
        (call,) = answer.calls
        assert call.name == "get_weather"
        jsonschema.validate(json.loads(call.arguments), SCHEMA)
