"""Layers: the most specific one decides, and every value knows who did."""

from __future__ import annotations

import pytest

from tui.config import Layer, collapse


def test_the_most_specific_layer_decides() -> None:
    found = collapse(
        [
            Layer("request", {"sampling.temperature": 0.1}),
            Layer("thread", {"sampling.temperature": 0.2, "sampling.top_k": 2}),
            Layer("preset", {"sampling.top_k": 3, "sampling.top_p": 0.3, "answer.system_prompt": "Be kind."}, "Kind"),
            Layer("model", {"load.parallel": 9, "sampling.top_p": 0.9}),
        ]
    )
    assert (found.sampling.temperature, found.sampling.top_k, found.sampling.top_p) == (0.1, 2, 0.3)
    assert found.answer.system_prompt == "Be kind."
    assert found.load.parallel == 9
    names = [found.source(f"sampling.{name}").name for name in ("temperature", "top_k", "top_p", "min_p")]
    assert names == ["request", "thread", "preset", "app"]
    assert found.source("sampling.top_p").text == "the preset “Kind”"
    assert found.value("sampling.top_p") == 0.3
    assert found.value("load.context_length") is None


def test_auto_is_a_decision() -> None:
    found = collapse([Layer("request", {"load.context_length": None}), Layer("model", {"load.context_length": 4096})])
    assert found.load.context_length is None
    assert found.source("load.context_length").name == "request"


def test_two_ways_to_say_one_thing_do_not_meet() -> None:
    found = collapse([Layer("request", {"load.gpu_layers": 5}), Layer("model", {"load.gpu_offload_ratio": 0.5})])
    assert (found.load.gpu_layers, found.load.gpu_offload_ratio) == (5, None)
    found = collapse([Layer("request", {"load.gpu_offload_ratio": 0.5}), Layer("model", {"load.gpu_layers": 5})])
    assert (found.load.gpu_layers, found.load.gpu_offload_ratio) == (None, 0.5)
    # Who says both in one place is told by the engine that it cannot be.
    both = collapse([Layer("request", {"load.gpu_layers": 5, "load.gpu_offload_ratio": 0.5})])
    assert (both.load.gpu_layers, both.load.gpu_offload_ratio) == (5, 0.5)


def test_an_unknown_key_has_no_value() -> None:
    with pytest.raises(KeyError):
        collapse([]).value("load.magic")
