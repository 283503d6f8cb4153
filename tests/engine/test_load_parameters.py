"""Every load parameter has an effect, or is refused by its name."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.engines import collect, info_of, loaded
from tests.support.lora_maker import make_lora
from tests.support.model_maker import make_scripted_model, make_tiny_model
from tui.domain import BadRequest, LmdeckError, LoadConfig, SamplingConfig
from tui.engine import Engine, LoadedModel, LogRing
from tui.engine.checks import ModelFacts, check_against_model
from tui.engine.facts import read_facts
from tui.engine.model_parameters import ModelParameters

SCRIPT = "Everything is as it was before."
GREEDY = SamplingConfig(temperature=0.0, repeat_penalty=1.0, max_tokens=12)
PLAIN = LoadConfig(threads=1, context_length=512)


@pytest.fixture(scope="module")
def random_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "random.gguf", extra_tokens=500, quantization="f32")


def answer(model: LoadedModel) -> bytes:
    return collect(model.submit([65, 66, 67, 10], GREEDY)).data


@pytest.mark.parametrize(
    "change",
    [
        {"unified_kv_cache": False},
        {"full_sliding_window_cache": True},
        {"try_mmap": False},
        {"direct_io": True},
        {"split_mode": "row"},
        {"gpu_offload_ratio": 0.5},
        {"gpu_layers": 1},
        {"cpu_expert_layers_ratio": 1.0},
        {"tensor_split": (1.0,)},
        {"disabled_gpus": (0,)},
        {"tensor_overrides": (("blk.0.*", "CPU"),)},
        {"rope_scaling": "none"},
        {"key_cache_type": "f32", "value_cache_type": "f32"},
        {"flash_attention": "off"},
        {"evaluation_batch_size": 8, "physical_batch_size": 4},
        {"batch_threads": 1},
    ],
    ids=str,
)
def test_where_and_how_things_are_held_does_not_change_what_is_said(random_path: Path, change: dict[str, Any]) -> None:
    with loaded(random_path, PLAIN) as model:
        expected = answer(model)
    with loaded(random_path, replace(PLAIN, **change)) as model:
        assert answer(model) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"rope_frequency_base": 100.0},
        {"rope_frequency_scale": 0.25},
        {
            "rope_scaling": "yarn",
            "yarn_original_context": 64,
            "rope_frequency_scale": 0.1,
            "yarn_extrapolation_factor": 1.0,
        },
    ],
    ids=str,
)
def test_positions_shape_what_is_said(random_path: Path, change: dict[str, Any]) -> None:
    prompt = list(range(40, 140))
    texts = []
    for config in (PLAIN, replace(PLAIN, **change)):
        with loaded(random_path, config) as model:
            texts.append(collect(model.submit(list(prompt), GREEDY)).data)
    assert texts[0] != texts[1]


def test_a_divided_cache_gives_each_conversation_its_part(random_path: Path) -> None:
    with loaded(random_path, replace(PLAIN, unified_kv_cache=False, parallel=2)) as model:
        assert model.context_length == 256
        first, second = (model.submit([65 + n, 10], GREEDY) for n in range(2))
        assert collect(first).tokens == collect(second).tokens == 12
        again = collect(model.submit([65, 10, *b"more"], GREEDY))
        assert again.tokens == 12


def test_a_context_may_be_stretched_beyond_training(tmp_path: Path) -> None:
    path = make_scripted_model(tmp_path / "short.gguf", SCRIPT, context_length=512)
    with loaded(path, LoadConfig(threads=1, context_length=1024, rope_scaling="yarn")) as model:
        assert model.context_length == 1024
        assert collect(model.submit([65] * 700, SamplingConfig())).text == SCRIPT


def test_the_default_seed_makes_answers_repeat(random_path: Path) -> None:
    sampling = SamplingConfig(temperature=1.5, top_k=0, top_p=1.0, min_p=0.0, max_tokens=12)
    with loaded(random_path, replace(PLAIN, seed=11)) as model:
        first, second = (collect(model.submit([65, 10], sampling)).data for _ in range(2))
        other = collect(model.submit([65, 10], replace(sampling, seed=12))).data
    assert first == second != other


def test_a_lora_adapter_changes_what_is_said_by_its_scale(random_path: Path, tmp_path: Path) -> None:
    adapter = str(make_lora(tmp_path / "adapter.gguf", strength=3.0))
    texts = []
    for scale in (None, 0.0, 1.0, -1.0):
        lora = () if scale is None else ((adapter, scale),)
        with loaded(random_path, replace(PLAIN, lora=lora)) as model:
            texts.append(answer(model))
    assert texts[0] == texts[1]
    assert len({texts[0], texts[2], texts[3]}) == 3


@pytest.mark.parametrize(
    ("change", "field", "hint"),
    [
        ({"gpu_layers": 1, "gpu_offload_ratio": 0.5}, "gpu_offload_ratio", "one of them"),
        ({"gpu_offload_ratio": 1.5}, "gpu_offload_ratio", "0 to 1"),
        ({"gpu_offload_ratio": float("nan")}, "gpu_offload_ratio", "0 to 1"),
        ({"experts_used": 2}, "experts_used", "no experts"),
        ({"split_mode": "sideways"}, "split_mode", "layer"),
        ({"tensor_split": (0.0,)}, "tensor_split", "above 0"),
        ({"tensor_split": (1.0,) * 200}, "tensor_split", "at most"),
        ({"tensor_overrides": (("x", "Nowhere"),)}, "tensor_overrides", "CPU"),
        ({"tensor_overrides": (("", "CPU"),)}, "tensor_overrides", "expression"),
        ({"lora": (("/nowhere/a.gguf", 1.0),)}, "lora", "a.gguf"),
        ({"projector": "/nowhere/p.gguf"}, "projector", "p.gguf"),
        ({"rpc_servers": ("nonsense",)}, "rpc_servers", "host:port"),
        ({"rpc_servers": ("localhost:50052",)}, "rpc_servers", "RPC"),
        ({"draft_min_tokens": 9, "draft_max_tokens": 3}, "draft_min_tokens", "smaller"),
        ({"speculation": "draft"}, "draft_model", "Name a small model"),
        ({"draft_model": "other"}, "draft_model", "Set speculation to draft"),
        ({"context_length": 2, "parallel": 4, "unified_kv_cache": False}, "context_length", "unified"),
        ({"parallel": True}, "parallel", "1 to 256"),
        ({"yarn_beta_fast": float("inf")}, "yarn_beta_fast", "number"),
        ({"pooling": "most"}, "pooling", "mean"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_by_name(
    random_path: Path, tmp_path: Path, change: dict[str, Any], field: str, hint: str
) -> None:
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    try:
        with pytest.raises(BadRequest) as refusal:
            engine.load(info_of(random_path), replace(PLAIN, **change))
    finally:
        engine.close()
    assert refusal.value.field == f"load.{field}"
    assert hint in str(refusal.value)


@pytest.mark.parametrize("pattern", ["(", "[a", "*", "(" * 3000, "a{2,1}", "(a*)*(a*)*(a*)*b"])
def test_an_expression_that_cpp_refuses_ends_nothing(random_path: Path, tmp_path: Path, pattern: str) -> None:
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    # Whether it takes the expression or not is llama.cpp's to say; it must not take the process with it.
    with suppress(LmdeckError):
        engine.load(info_of(random_path), replace(PLAIN, tensor_overrides=((pattern, "CPU"),)))
    engine.close()
    with loaded(random_path, PLAIN) as model:
        assert answer(model)


@pytest.mark.parametrize("kind", ["text", "model", "narrow"])
def test_a_file_that_is_no_fitting_adapter_is_refused(random_path: Path, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "adapter.gguf"
    if kind == "text":
        file.write_text("no adapter")
    elif kind == "model":
        make_tiny_model(file)
    else:
        make_lora(file, width=32)
    engine = Engine(tmp_path / "verdicts.json", LogRing())
    try:
        with pytest.raises(BadRequest) as refusal:
            engine.load(info_of(random_path), replace(PLAIN, lora=((str(file), 1.0),)))
    finally:
        engine.close()
    assert refusal.value.field == "load.lora"
    assert "adapter.gguf" in str(refusal.value)


def test_facts_are_those_of_the_file(random_path: Path) -> None:
    facts = read_facts(random_path)
    assert facts == ModelFacts("llama", 2, 2048, 0, 16, 16)
    with pytest.raises(BadRequest) as refusal:
        check_against_model(LoadConfig(experts_used=9), replace(facts, experts=8))
    assert "1 to 8" in str(refusal.value)
    check_against_model(LoadConfig(experts_used=8), replace(facts, experts=8))


def test_ratios_count_layers(random_path: Path) -> None:
    def native(**change: Any) -> Any:
        return ModelParameters(random_path, LoadConfig(**change), extra_buffers=True, gpu=True, simulate=True).native

    assert native().n_gpu_layers == -1
    assert native(gpu_layers=0).n_gpu_layers == 0
    assert native(gpu_offload_ratio=0.0).n_gpu_layers == 0
    assert native(gpu_offload_ratio=1.0).n_gpu_layers == 3, "two layers and the output"
    assert native(gpu_offload_ratio=0.34).n_gpu_layers == 1
    assert native(cpu_expert_layers_ratio=0.5).tensor_buft_overrides
    assert not native().tensor_buft_overrides
