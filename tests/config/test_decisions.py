"""What counts in the end: presets, model defaults, the file and the app below a request and a thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tui.config import Decisions, Layer, ModelDefaultsStore, PresetStore, Settings
from tui.domain import (
    BadRequest,
    GenerationRequest,
    LoadConfig,
    ModelInfo,
    RawPrompt,
    SamplingConfig,
    StorageFailed,
    text_message,
)

MODEL = ModelInfo("m", Path("/m.gguf"), 1)
HELLO = (text_message("user", "Hello"),)


@pytest.fixture
def decisions(tmp_path: Path) -> Decisions:
    file: dict[str, Any] = {"sampling.top_k": 20, "sampling.top_p": float("nan"), "sampling.min_p": 0.2}
    made = Decisions(
        Settings(tmp_path / "settings.json"),
        PresetStore(tmp_path / "presets"),
        ModelDefaultsStore(tmp_path / "defaults"),
        lambda _: file,
    )
    made.presets.create("Kind", {"answer.system_prompt": "Be kind.", "sampling.temperature": 0.5})
    made.presets.create("Long", {"sampling.max_tokens": 9999, "load.context_length": 2048})
    made.defaults.save("m", {"sampling.temperature": 0.3, "sampling.min_p": 0.3, "load.parallel": 2})
    return made


def settle(decisions: Decisions, request: GenerationRequest, *above: Layer) -> GenerationRequest:
    return decisions.settled(request, MODEL, above)


def test_every_layer_below_the_request_counts_in_its_turn(decisions: Decisions, tmp_path: Path) -> None:
    Settings(tmp_path / "settings.json").set("defaults", {"sampling.seed": 7, "sampling.top_k": 1})
    found = decisions.collapsed(MODEL, [Layer("thread", {"sampling.min_p": 0.4})], preset="Kind")
    names = ("min_p", "temperature", "top_k", "top_p", "seed")
    sources = [found.source(f"sampling.{name}").name for name in names]
    assert sources == ["thread", "preset", "file", "app", "app"]
    values = [getattr(found.sampling, name) for name in names]
    assert values == [0.4, 0.5, 20, 0.95, 7]  # what a file says that cannot be does not count
    assert found.load.parallel == 2


def test_a_profile_goes_before_the_models_defaults(decisions: Decisions) -> None:
    decisions.defaults.save_profile("m", "wide", {"load.parallel": 16})
    found = decisions.collapsed(MODEL, profile="wide")
    assert (found.load.parallel, found.source("load.parallel").text) == (16, "the profile “wide”")
    with pytest.raises(BadRequest):
        decisions.collapsed(MODEL, profile="none")


def test_the_model_may_name_the_preset(decisions: Decisions) -> None:
    decisions.defaults.save_preset("m", "@local:kind")
    assert decisions.collapsed(MODEL).sampling.temperature == 0.5
    assert decisions.collapsed(MODEL, preset="").sampling.temperature == 0.3
    assert decisions.collapsed(MODEL, preset="Long").sampling.temperature == 0.3


def test_a_request_keeps_what_it_asked_for_and_gets_the_rest(decisions: Decisions) -> None:
    request = GenerationRequest(
        "m",
        HELLO,
        SamplingConfig(temperature=0.8, max_tokens=16),
        overflow="stopAtLimit",
        decided=frozenset({"sampling.temperature"}),
        preset="Kind",
    )
    found = settle(decisions, request)
    assert found.sampling.temperature == 0.8  # the same as the app's default, but asked for
    assert found.sampling.min_p == 0.3
    assert found.sampling.max_tokens == 16  # nobody else decided it
    assert found.overflow == "stopAtLimit"
    assert [message.text for message in found.messages] == ["Be kind.", "Hello"]
    assert found.decided is None
    assert found.load is None
    # Settled is settled.
    assert settle(decisions, found).sampling == found.sampling


def test_a_preset_decides_what_happens_on_overflow(decisions: Decisions) -> None:
    decisions.presets.create("Rolling", {"answer.overflow": "rollingWindow"})
    request = GenerationRequest("m", HELLO, overflow="stopAtLimit", decided=frozenset(), preset="Rolling")
    assert settle(decisions, request).overflow == "rollingWindow"


def test_a_system_message_of_the_conversation_stays_the_only_one(decisions: Decisions) -> None:
    spoken = (text_message("system", "Be brief."), *HELLO)
    request = GenerationRequest("m", spoken, decided=frozenset(), preset="Kind")
    assert settle(decisions, request).messages == spoken
    raw = GenerationRequest("m", (), decided=frozenset(), preset="Kind", raw_prompt=RawPrompt("x"))
    assert settle(decisions, raw).messages == ()


def test_load_values_of_a_request_stand_over_the_models(decisions: Decisions) -> None:
    request = GenerationRequest(
        "m", HELLO, load=LoadConfig(context_length=512), decided=frozenset({"load.context_length"})
    )
    found = settle(decisions, request)
    assert found.load == LoadConfig(context_length=512, parallel=2)
    assert decisions.load_config(found, MODEL) == found.load
    whole = GenerationRequest("m", HELLO, load=LoadConfig(context_length=512))
    assert decisions.load_config(whole, MODEL) == LoadConfig(context_length=512)


def test_a_model_is_loaded_with_its_defaults_and_those_of_the_preset(decisions: Decisions) -> None:
    plain = GenerationRequest("m", HELLO)
    assert decisions.load_config(plain, MODEL) == LoadConfig(parallel=2)
    found = settle(decisions, GenerationRequest("m", HELLO, decided=frozenset(), preset="Long"))
    assert decisions.load_config(found, MODEL) == LoadConfig(parallel=2, context_length=2048)


def test_an_unknown_preset_is_refused_by_name(decisions: Decisions) -> None:
    with pytest.raises(BadRequest) as refused:
        settle(decisions, GenerationRequest("m", HELLO, decided=frozenset(), preset="None"))
    assert refused.value.field == "preset"


@pytest.mark.parametrize("preset", ["Gone", None])
def test_what_a_thread_or_a_model_prefers_may_be_gone(decisions: Decisions, preset: str | None) -> None:
    decisions.defaults.save_preset("m", "Gone")
    found = decisions.collapsed(MODEL, preset=preset)
    assert (found.missing_preset, found.sampling.temperature) == ("Gone", 0.3)
    request = GenerationRequest("m", HELLO, decided=frozenset())
    settled = decisions.settled(request, MODEL, preset=preset)
    assert (settled.preset, settled.messages) == ("", HELLO)
    assert decisions.load_config(settled, MODEL).parallel == 2
    # One that is there, or that was not wanted, is not missed.
    assert not decisions.collapsed(MODEL, preset="Kind").missing_preset
    assert not decisions.collapsed(MODEL, preset="").missing_preset


@pytest.mark.parametrize("preset", ["bad", None])
def test_a_preset_whose_file_is_broken_stops_nothing(decisions: Decisions, tmp_path: Path, preset: str | None) -> None:
    file = tmp_path / "presets" / "bad.preset.json"
    file.write_text("{")
    decisions.defaults.save_preset("m", "bad")
    found = decisions.collapsed(MODEL, preset=preset)
    assert (found.missing_preset, found.sampling.temperature) == ("bad", 0.3)
    assert found.preset_problem.startswith(f"{file} is damaged: ")
    settled = decisions.settled(GenerationRequest("m", HELLO, decided=frozenset()), MODEL, preset=preset)
    assert (settled.preset, settled.messages) == ("", HELLO)
    assert file.read_text() == "{"
    # A request that names it itself wants it and nothing else.
    with pytest.raises(StorageFailed, match="damaged"):
        settle(decisions, GenerationRequest("m", HELLO, decided=frozenset(), preset="bad"))


def test_what_is_wrong_inside_a_preset_is_told_and_the_rest_of_it_counts(decisions: Decisions, tmp_path: Path) -> None:
    fields = (
        '[{"key": "llm.prediction.temperature", "value": "hot"}, {"key": "llm.prediction.topKSampling", "value": 7}]'
    )
    (tmp_path / "presets" / "half.preset.json").write_text(f'{{"operation": {{"fields": {fields}}}}}')
    found = decisions.collapsed(MODEL, preset="half")
    assert (found.missing_preset, found.sampling.temperature, found.sampling.top_k) == ("", 0.3, 7)
    assert "llm.prediction.temperature" in found.preset_problem
    assert not decisions.collapsed(MODEL, preset="Kind").preset_problem


def test_a_model_that_nobody_knows_has_only_the_apps_values(decisions: Decisions) -> None:
    assert decisions.collapsed(None).sampling == SamplingConfig()


def test_a_remote_model_has_defaults_but_no_file(decisions: Decisions) -> None:
    remote = ModelInfo("m", Path(), 0, remote="other")
    assert decisions.collapsed(remote).sampling.top_k == SamplingConfig().top_k
    assert decisions.collapsed(remote).sampling.min_p == 0.3


@pytest.mark.parametrize("wrong", [[], {"sampling.top_k": "many"}, {"magic": 1}])
def test_wrong_defaults_in_the_settings_are_said(decisions: Decisions, tmp_path: Path, wrong: object) -> None:
    settings = Settings(tmp_path / "settings.json")
    settings.set("defaults", wrong)
    again = Decisions(settings, decisions.presets, decisions.defaults, lambda _: {})
    with pytest.raises(StorageFailed, match="defaults"):
        again.collapsed(MODEL)
