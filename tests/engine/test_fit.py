"""Fitting: which context length and how many GPU layers go into the memory that is free, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.support.engines import info_of
from tests.support.model_maker import make_tiny_model
from tui.domain import DeviceMemory, Guardrail, LoadConfig, MemoryEstimate, ModelInfo, ModelWillNotFit
from tui.engine import Engine, LogRing
from tui.engine.fit import fit_load
from tui.engine.guardrail import judge, margin

GB = 1024**3
TRAINED, LAYERS = 131_072, 33
FIT = LoadConfig(fit=True)


@dataclass
class Machine:
    """A model of 8 GB and a cache of 128 KB a token, both spread over 33 layers, on a GPU and in ordinary memory."""

    gpu: float
    host: float
    """Free bytes in GB, of half as much again in all."""
    weights: int = 8 * GB
    tried: list[LoadConfig] = field(default_factory=list)

    def __call__(self, config: LoadConfig) -> MemoryEstimate:
        self.tried.append(config)
        on_gpu = (LAYERS if config.gpu_layers is None else config.gpu_layers) / LAYERS if self.gpu else 0.0
        cache = 128 * 1024 * -(-(config.context_length or 8192) // 256) * 256
        compute = GB // 4 + 2048 * (config.context_length or 8192)
        parts = [("CPU", 1 - on_gpu, self.host)] + ([("CUDA0", on_gpu, self.gpu)] if self.gpu else [])
        devices = tuple(
            DeviceMemory(
                name, int(self.weights * part), int(cache * part), compute, int(free * GB), int(1.5 * free * GB)
            )
            for name, part, free in parts
        )
        return judge(devices, Guardrail("relaxed"))

    def left(self, config: LoadConfig) -> int:
        return min(margin(device, "relaxed") for device in self(config).devices)


def test_what_fits_as_it_is_asked_is_left_alone() -> None:
    machine = Machine(gpu=24, host=32)
    fitted = fit_load(replace(FIT, context_length=8192), TRAINED, LAYERS, machine)
    assert fitted.config == replace(FIT, context_length=8192)
    assert fitted.changes == ()
    assert len(machine.tried) == 1


def test_an_open_context_becomes_as_long_as_fits() -> None:
    machine = Machine(gpu=24, host=32)
    fitted = fit_load(FIT, TRAINED, LAYERS, machine)
    assert fitted.config.context_length == TRAINED - TRAINED % 256 or fitted.estimate.shortage is None
    length = fitted.config.context_length
    assert length is not None
    assert 100_000 < length <= TRAINED
    assert machine.left(fitted.config) >= 0
    if length < TRAINED:
        assert machine.left(replace(fitted.config, context_length=length + 256)) < 0, "not one step more fits"
    assert fitted.config.gpu_layers is None, "all of it stays on the GPU"
    assert [(change.name, change.asked, change.fitted) for change in fitted.changes] == [
        ("context_length", "auto", f"{length:,}")
    ]


def test_few_layouts_are_needed() -> None:
    for gpu in (9.8, 12, 16, 20):
        machine = Machine(gpu=gpu, host=32)
        fitted = fit_load(FIT, TRAINED, LAYERS, machine)
        assert fitted.estimate.shortage is None
        assert len(machine.tried) <= 8
        length = fitted.config.context_length
        assert length is not None
        assert machine.left(replace(fitted.config, context_length=length + 256)) < 0


def test_layers_go_before_a_usual_conversation_gets_too_little_room() -> None:
    machine = Machine(gpu=6, host=32)
    fitted = fit_load(FIT, TRAINED, LAYERS, machine)
    assert fitted.config.context_length == 8192
    layers = fitted.config.gpu_layers
    assert layers is not None
    assert 15 < layers < 25
    assert machine.left(replace(fitted.config, gpu_layers=layers + 1)) < 0
    assert {change.name: change.fitted for change in fitted.changes} == {
        "context_length": "8,192",
        "gpu_layers": str(layers),
    }


def test_layers_go_before_a_context_that_was_asked_for() -> None:
    fitted = fit_load(replace(FIT, context_length=32_768), TRAINED, LAYERS, Machine(gpu=10, host=32))
    assert fitted.config.context_length == 32_768
    assert fitted.config.gpu_layers is not None
    assert fitted.config.gpu_layers < LAYERS
    assert [change.name for change in fitted.changes] == ["gpu_layers"]


def test_layers_that_were_asked_for_stay_and_the_context_goes_down() -> None:
    asked = replace(FIT, context_length=32_768, gpu_layers=LAYERS)
    fitted = fit_load(asked, TRAINED, LAYERS, Machine(gpu=10, host=32))
    assert fitted.config.gpu_layers == LAYERS
    length = fitted.config.context_length
    assert length is not None
    assert 4096 < length < 32_768
    assert [(change.name, change.asked) for change in fitted.changes] == [("context_length", "32,768")]


def test_when_both_memories_are_small_layers_and_context_go_down() -> None:
    machine = Machine(gpu=5, host=5)
    fitted = fit_load(replace(FIT, context_length=32_768), TRAINED, LAYERS, machine)
    assert fitted.estimate.shortage is None
    assert fitted.config.context_length is not None
    assert 4096 <= fitted.config.context_length < 32_768
    assert fitted.config.gpu_layers is not None
    assert 0 < fitted.config.gpu_layers < LAYERS


@pytest.mark.parametrize("asked", [FIT, replace(FIT, context_length=32_768), replace(FIT, gpu_layers=20)])
def test_never_below_the_least_context(asked: LoadConfig) -> None:
    fitted = fit_load(asked, TRAINED, LAYERS, Machine(gpu=0, host=8.5))
    assert fitted.estimate.shortage is not None
    assert fitted.config.context_length == asked.fit_minimum_context
    lower = fit_load(replace(asked, fit_minimum_context=512), TRAINED, LAYERS, Machine(gpu=0, host=8.5))
    assert lower.estimate.shortage is None
    assert lower.config.context_length is not None
    assert 512 <= lower.config.context_length < 4096


def test_a_context_below_the_least_was_asked_for_and_stays() -> None:
    fitted = fit_load(replace(FIT, context_length=1000), TRAINED, LAYERS, Machine(gpu=0, host=64))
    assert (fitted.config.context_length, fitted.changes) == (1000, ())


@pytest.fixture
def small_machine(tmp_path: Path) -> Iterator[tuple[Engine, ModelInfo]]:
    """An engine that may take 150 MB, and a model with a cache of 1 KB a token."""
    path = make_tiny_model(
        tmp_path / "m.gguf", layers=4, embedding=128, heads=4, kv_heads=2, context_length=2**20, extra_tokens=300
    )
    engine = Engine(tmp_path / "verdicts.json", LogRing(), guardrail=lambda: Guardrail("custom", 150 / 1024))
    yield engine, replace(info_of(path), context_length=2**20)
    engine.close()


def test_asked_fitted_and_loaded_stand_side_by_side(small_machine: tuple[Engine, ModelInfo]) -> None:
    engine, info = small_machine
    asked = LoadConfig(threads=1, parallel=1, context_length=500_000)
    with pytest.raises(ModelWillNotFit):
        engine.load(info, asked)
    fitted = engine.fit(info, asked)
    assert fitted.config.fit is False, "what was fitted can be loaded as it is"
    length = fitted.config.context_length
    assert length is not None
    assert 4096 < length < 500_000
    assert 100 * 2**20 < fitted.estimate.needed <= 150 * 2**20
    model = engine.load(info, replace(asked, fit=True))
    (value,) = [value for value in model.values if value.name == "context_length"]
    assert (value.asked, value.fitted, value.loaded) == ("500,000", f"{length:,}", f"{length:,}")
    assert model.context_length == length
    assert model.config.context_length == 500_000
    assert engine.load(info, replace(asked, fit=True)) is model, "the same was asked for again"
    assert engine.estimate(info, replace(asked, fit=True)).needed == model.memory.needed


def test_what_does_not_fit_at_all_is_refused_or_forced(small_machine: tuple[Engine, ModelInfo]) -> None:
    engine, info = small_machine
    asked = LoadConfig(threads=1, parallel=1, fit=True, fit_minimum_context=400_000)
    for attempt in (engine.fit, engine.load):
        with pytest.raises(ModelWillNotFit, match="custom"):
            attempt(info, asked)
    model = engine.load(info, asked, force=True)
    assert model.context_length == 400_000
