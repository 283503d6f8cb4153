"""What is asked on the wire, as the generation that it means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tui.domain import BadRequest, Constraint, GenerationRequest, ReasoningEffort, text_message
from tui.server.bodies import parsed
from tui.server.responses.items import listed
from tui.server.responses.request import ResponsesRequest
from tui.server.responses.resource import new_response

SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}}


def request(**fields: Any) -> GenerationRequest:
    wire = parsed(ResponsesRequest, {"model": "m", "input": "Hi", **fields})
    wire.check()
    return wire.to_request([], listed(wire.input))


def test_everything_that_shapes_the_answer() -> None:
    found = request(
        instructions="Be kind.",
        temperature=0.1,
        top_k=3,
        repeat_penalty=1.0,
        max_output_tokens=50,
        top_logprobs=2,
        truncation="auto",
        reasoning={"effort": "max"},
        num_ctx=512,
        ttl=9,
        chat_template_kwargs={"deep": True},
        text={"format": {"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": True}},
    )
    assert found.messages == (text_message("system", "Be kind."), text_message("user", "Hi"))
    sampling = found.sampling
    assert (sampling.temperature, sampling.top_k, sampling.max_tokens, sampling.top_logprobs) == (0.1, 3, 50, 2)
    assert found.load is not None
    assert (found.load.context_length, found.ttl, found.overflow) == (512, 9, "truncateMiddle")
    assert found.reasoning_effort == "high"
    assert found.template_options == (("deep", "true"),)
    assert found.constraint == Constraint("json_schema", json.dumps(SCHEMA))


def test_what_is_left_out() -> None:
    found = request()
    assert found.sampling.top_logprobs is None
    assert found.sampling.max_tokens is None
    assert (found.constraint, found.load, found.reasoning_effort) == (None, None, None)
    assert found.overflow == "stopAtLimit"
    assert request(max_output_tokens=-1).sampling.max_tokens is None


@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high"])
def test_efforts(effort: ReasoningEffort) -> None:
    assert request(reasoning={"effort": effort}).reasoning_effort == ("off" if effort == "none" else effort)


def test_the_other_forms() -> None:
    assert request(text={"format": {"type": "json_object"}}).constraint == Constraint("json_object")
    assert request(text={"format": {"type": "text"}}, grammar="root ::= x").constraint == Constraint(
        "gbnf", "root ::= x"
    )
    assert request(include=["message.output_text.logprobs"]).sampling.top_logprobs == 0


def test_what_the_answer_repeats() -> None:
    fields = {
        "instructions": "Be kind.",
        "metadata": {"a": "b"},
        "max_output_tokens": 50,
        "max_tool_calls": 3,
        "previous_response_id": "resp_1",
        "prompt_cache_key": "key",
        "safety_identifier": "somebody",
        "user": "me",
        "temperature": 0.5,
        "top_logprobs": 2,
        "parallel_tool_calls": False,
        "store": False,
        "tool_choice": "none",
        "truncation": "auto",
    }
    wire = parsed(
        ResponsesRequest,
        {
            **fields,
            "input": "Hi",
            "service_tier": "flex",
            "reasoning": {"effort": "low", "summary": "auto"},
            "text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}, "verbosity": "low"},
        },
    )
    found = new_response(wire, wire.to_request([], listed("Hi")), "m")
    assert {name: found[name] for name in fields} == fields
    assert found["id"].startswith("resp_")
    assert found["reasoning"] == {"effort": "low", "summary": "auto"}
    assert found["text"]["verbosity"] == "low"
    assert found["text"]["format"]["schema"] == SCHEMA
    assert found["service_tier"] == "default"
    assert found["top_p"] == 0.95


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": ["x"]}, "input"),
        ({"input": None}, "input"),
        ({"background": True, "store": False}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"truncation": "middle"}, "truncation"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"reasoning": {"summary": "long"}}, "reasoning.summary"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "name": "a"}}}, "text.format.schema"),
        ({"text": {"format": {"type": "json_object"}}, "regex": "a"}, "text.format"),
        ({"text": {"verbosity": "very"}}, "text.verbosity"),
        ({"metadata": {"a": 5}}, "metadata.a"),
        ({"metadata": {str(n): "x" for n in range(17)}}, "metadata"),
        ({"top_logprobs": 200}, "top_logprobs"),
        ({"tools": [{"type": "mcp", "server_label": "x", "server_url": "http://x"}]}, "tools[0].type"),
        ({"tools": [{"name": "x"}]}, "tools[0].type"),
    ],
)
def test_mistakes_name_the_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest) as problem:
        request(**fields)
    assert problem.value.field == field
