"""LM Studio's keys: its files say the same here, and ours say the same there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.config import default_values, parameters_by_key, read_fields, read_parts, write_parts
from tui.domain import Constraint


def box(value: Any, checked: bool = True) -> dict[str, Any]:
    return {"checked": checked, "value": value}


@pytest.mark.parametrize(
    ("wire", "value", "ours"),
    [
        ("llm.load.contextLength", 8192, {"load.context_length": 8192}),
        ("llm.load.llama.acceleration.offloadRatio", "max", {"load.gpu_offload_ratio": 1.0}),
        ("llm.load.llama.acceleration.offloadRatio", "off", {"load.gpu_offload_ratio": 0.0}),
        ("llm.load.llama.acceleration.offloadRatio", 0.5, {"load.gpu_offload_ratio": 0.5}),
        ("llm.load.numExperts", 0, {"load.experts_used": None}),
        ("llm.load.llama.flashAttention", True, {"load.flash_attention": "on"}),
        ("llm.load.llama.kCacheQuantizationType", box("q8_0"), {"load.key_cache_type": "q8_0"}),
        ("llm.load.llama.kCacheQuantizationType", box("q8_0", False), {"load.key_cache_type": "f16"}),
        ("llm.load.llama.ropeFrequencyBase", box(0, False), {"load.rope_frequency_base": None}),
        ("llm.load.seed", box(-1), {"load.seed": None}),
        ("llm.load.llama.speculativeDecoding.draftMtp", True, {"load.speculation": "mtp"}),
        (
            "load.gpuSplitConfig",
            {"strategy": "custom", "disabledGpus": [1], "priority": [], "customRatio": [3, 1]},
            {"load.split_mode": "layer", "load.disabled_gpus": (1,), "load.tensor_split": (3, 1)},
        ),
        ("llm.prediction.temperature", 0.3, {"sampling.temperature": 0.3}),
        ("llm.prediction.topPSampling", box(0.9), {"sampling.top_p": 0.9}),
        ("llm.prediction.topPSampling", 0.9, {"sampling.top_p": 0.9}),
        ("embedding.load.contextLength", 512, {"load.context_length": 512}),
        ("embedding.load.llama.acceleration.offloadRatio", "off", {"load.gpu_offload_ratio": 0.0}),
        ("embedding.load.seed", 7, {"load.seed": 7}),
        ("llm.prediction.topPSampling", box(0.9, False), {"sampling.top_p": 1.0}),
        ("llm.prediction.minPSampling", box(0.05, False), {"sampling.min_p": 0.0}),
        ("llm.prediction.repeatPenalty", box(1.1, False), {"sampling.repeat_penalty": 1.0}),
        ("llm.prediction.maxPredictedTokens", box(512), {"sampling.max_tokens": 512}),
        ("llm.prediction.maxPredictedTokens", box(512, False), {"sampling.max_tokens": None}),
        ("llm.prediction.stopStrings", ["##"], {"sampling.stop": ("##",)}),
        ("llm.prediction.contextOverflowPolicy", "rollingWindow", {"answer.overflow": "rollingWindow"}),
        ("llm.prediction.structured", {"type": "none"}, {"answer.constraint": None}),
        (
            "llm.prediction.structured",
            {"type": "json", "jsonSchema": {"type": "object"}},
            {"answer.constraint": Constraint("json_schema", '{"type": "object"}')},
        ),
        (
            "llm.prediction.structured",
            {"type": "gbnf", "gbnfGrammar": "root ::= x"},
            {"answer.constraint": Constraint("gbnf", "root ::= x")},
        ),
        ("llm.prediction.reasoning.enableThinking", False, {"answer.reasoning_effort": "off"}),
        (
            "llm.prediction.llama.mirostatSampling",
            {"version": 2, "learningRate": 0.2, "targetEntropy": 4},
            {
                "sampling.mirostat": 2,
                "sampling.mirostat_learning_rate": 0.2,
                "sampling.mirostat_target_entropy": 4,
            },
        ),
        (
            "llm.prediction.promptTemplate",
            {"type": "jinja", "jinjaPromptTemplate": {"template": "{{ x }}"}, "stopStrings": []},
            {"load.chat_template": "{{ x }}"},
        ),
    ],
)
def test_a_key_of_lm_studio(wire: str, value: Any, ours: dict[str, Any]) -> None:
    read = read_fields([{"key": wire, "value": value}])
    assert (read.values, read.unread) == (ours, ())
    # What is written says the same again.
    assert read_parts(write_parts(read.values)).values == ours


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ("llm.load.contextLength", "many"),
        ("llm.load.contextLength", -5),
        ("llm.prediction.topPSampling", box(7)),
        ("llm.prediction.topPSampling", {"checked": True}),
        ("llm.load.llama.kCacheQuantizationType", box("q9")),
        ("llm.prediction.structured", {"type": "magic"}),
        ("load.gpuSplitConfig", {"strategy": "priorityOrder", "disabledGpus": [], "priority": [1], "customRatio": []}),
        ("llm.prediction.promptTemplate", {"type": "manual"}),
        ("llm.load.llama.flashAttention", []),
        ("lmdeck.load.parallel", "x"),
    ],
)
def test_a_value_of_another_form_is_kept_with_the_reason(wire: str, value: Any) -> None:
    field = {"key": wire, "value": value}
    read = read_fields([field])
    assert read.values == {}
    assert read.unread[0].reason
    parts = write_parts({}, read.unread)
    assert parts["load"]["fields"] + parts["operation"]["fields"] == [field]


def test_what_lmdeck_does_not_have_is_kept() -> None:
    fields = [
        {"key": "llm.load.mlx.autoFit", "value": True},
        {"key": "llm.prediction.tools", "value": {"type": "none"}},
        {"key": "llm.prediction.reasoning.enableThinking", "value": True},
        {"key": "lmdeck.sampling.from_the_future", "value": 1},
    ]
    read = read_fields(fields)
    assert [one.reason for one in read.unread] == ["", "", "", ""]
    assert [one.known for one in read.unread] == [False, False, True, False]
    assert [field["key"] for field in write_parts({}, read.unread)["operation"]["fields"]] == [
        "llm.prediction.tools",
        "llm.prediction.reasoning.enableThinking",
        "lmdeck.sampling.from_the_future",
    ]


def test_lists_of_anything_are_survived() -> None:
    for fields in (None, 5, {}, [None, 5, {}, {"key": 3}, {"key": "llm.load.seed"}]):
        assert read_fields(fields).values == {}


SOME = {"sampling.top_k": 3, "load.flash_attention": "auto", "sampling.dry_multiplier": 0.5, "load.speculation": "off"}


def test_what_lm_studio_has_no_key_for_comes_back() -> None:
    assert read_parts(json.loads(json.dumps(write_parts(SOME)))).values == SOME


WORDS = st.text('aß\n\\"{', max_size=5)
VALUES = {
    "integer": st.integers(1, 64),
    "number": st.floats(0, 1),
    "boolean": st.booleans(),
    "text": WORDS,
    "strings": st.lists(WORDS, max_size=3).map(tuple),
    "texts": st.lists(WORDS, max_size=3).map(tuple),
    "numbers": st.lists(st.integers(0, 9), max_size=3).map(tuple),
    "scaled files": st.lists(st.tuples(WORDS, st.floats(0, 1)), max_size=2).map(tuple),
    "pairs": st.lists(st.tuples(WORDS, WORDS), max_size=2).map(tuple),
    "biases": st.lists(st.tuples(st.integers(0, 9), st.floats(-9, 9)), max_size=2).map(tuple),
}


@given(st.data())
def test_any_values_come_back_from_a_file(data: st.DataObject) -> None:
    keys = data.draw(st.sets(st.sampled_from(sorted(parameters_by_key())), max_size=12))
    values: dict[str, Any] = {}
    for key in keys:
        parameter = parameters_by_key()[key]
        kind = st.sampled_from(parameter.choices) if parameter.choices else VALUES[parameter.kind]
        least, most = parameter.minimum, parameter.maximum
        value = data.draw(kind)
        usable = not isinstance(value, int | float) or (
            (least is None or value >= least) and (most is None or value <= most)
        )
        values[key] = value if usable else default_values()[key]
    assert read_parts(json.loads(json.dumps(write_parts(values)))).values == values
