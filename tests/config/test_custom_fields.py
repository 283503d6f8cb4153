"""Fields that only some models have: which values count, and what they do to a request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tui.config import (
    Decisions,
    Layer,
    ModelDefaultsStore,
    PresetStore,
    Settings,
    Source,
    checked_value,
    field_parameters,
)
from tui.domain import BadRequest, CustomField, GenerationRequest, Message, ModelInfo, RawPrompt, text_message

THINKING = CustomField(
    "enableThinking", "Enable Thinking", "boolean", True, "Whether it thinks",
    variables=("enable_thinking",), before=("Think hard.",), after=("Then answer.",),
)  # fmt: skip
MOOD = CustomField("mood", "mood", "choice", "calm", choices=(("calm", "Calm"), ("wild", "wild")), variables=("mood",))
BUDGET = CustomField("budget", "Budget", "number", 8, minimum=1, maximum=64, whole=True)
MODEL = ModelInfo("a/v", Path("/m.gguf"), 1, custom_fields=(THINKING, MOOD, BUDGET))
OTHER = ModelInfo("plain", Path("/p.gguf"), 1)
HELLO = text_message("user", "Hello")
OFF = ("enable_thinking", "false")


@pytest.fixture
def decisions(tmp_path: Path) -> Decisions:
    return Decisions(
        Settings(tmp_path / "settings.json"),
        PresetStore(tmp_path / "presets"),
        ModelDefaultsStore(tmp_path / "defaults"),
        lambda _: {},
    )


def settled(
    decisions: Decisions,
    *above: Layer,
    model: ModelInfo = MODEL,
    messages: tuple[Message, ...] = (HELLO,),
    decided: frozenset[str] = frozenset(),
    **asked: object,
) -> GenerationRequest:
    request = GenerationRequest(model.key, messages, decided=decided)
    return decisions.settled(replace(request, **asked), model, above)  # type: ignore[arg-type]


def test_the_makers_values_count_where_nobody_chose(decisions: Decisions) -> None:
    found = decisions.collapsed(MODEL)
    assert found.custom == {"enableThinking": True, "mood": "calm", "budget": 8}
    assert (found.value("custom.mood"), found.source("custom.mood")) == ("calm", Source("file"))
    request = settled(decisions)
    assert request.template_options == ()
    assert request.template_defaults == (("enable_thinking", "true"), ("mood", '"calm"'))


def test_a_choice_of_a_thread_a_preset_or_the_models_defaults_counts(decisions: Decisions) -> None:
    decisions.presets.create("Wild", {"custom.mood": "wild", "custom.budget": 16})
    decisions.defaults.save("a/v", {"custom.budget": 32, "custom.mood": "calm", "custom.enableThinking": False})
    found = decisions.collapsed(MODEL, [Layer("thread", {"custom.budget": 4})], preset="Wild")
    assert found.custom == {"budget": 4, "mood": "wild", "enableThinking": False}
    names = [found.source(f"custom.{name}").name for name in ("budget", "mood", "enableThinking")]
    assert names == ["thread", "preset", "model"]


def test_values_that_this_model_does_not_take_do_not_count(decisions: Decisions) -> None:
    decisions.defaults.save("a/v", {"custom.mood": "wild"})
    thread = Layer("thread", {"custom.mood": "sad", "custom.budget": 65, "custom.other": True})
    assert decisions.collapsed(MODEL, [thread]).custom == {"mood": "wild", "budget": 8, "enableThinking": True}
    found = decisions.collapsed(OTHER, [thread])
    assert (found.custom, dict(found.sources)) == ({}, {})
    request = settled(decisions, thread, model=OTHER)
    assert (request.template_options, request.template_defaults, request.messages) == ((), (), (HELLO,))


def test_what_the_request_tells_the_template_goes_first(decisions: Decisions) -> None:
    thread = Layer("thread", {"custom.enableThinking": False, "custom.mood": "wild"})
    request = settled(decisions, thread, template_options=(("mood", '"merry"'), ("more", "1")))
    assert dict(request.template_options) == {"enable_thinking": "false", "mood": '"merry"', "more": "1"}


def test_of_field_and_reasoning_effort_the_nearer_one_counts(decisions: Decisions) -> None:
    decisions.defaults.save("a/v", {"answer.reasoning_effort": "high"})
    off = {"custom.enableThinking": False}
    assert OFF in settled(decisions, Layer("thread", off)).template_options
    both = Layer("thread", {**off, "answer.reasoning_effort": "high"})
    assert OFF in settled(decisions, both).template_options
    asked = settled(
        decisions, Layer("thread", off), decided=frozenset({"answer.reasoning_effort"}), reasoning_effort="high"
    )
    assert OFF not in asked.template_options
    assert OFF in asked.template_defaults


def test_a_field_that_is_on_adds_to_the_system_prompt(decisions: Decisions) -> None:
    def system(*above: Layer, messages: tuple[Message, ...] = (HELLO,)) -> list[str]:
        found = settled(decisions, *above, messages=messages).messages
        return [message.text for message in found if message.role == "system"]

    told = Layer("thread", {"answer.system_prompt": "Be kind."})
    assert system() == ["Think hard.\n\nThen answer."]
    assert system(told) == ["Think hard.\n\nBe kind.\n\nThen answer."]
    spoken = (text_message("system", "Be brief."), HELLO)
    assert system(told, messages=spoken) == ["Think hard.\n\nBe brief.\n\nThen answer."]
    off = Layer("thread", {"custom.enableThinking": False})
    assert system(off) == []
    assert system(off, messages=spoken) == ["Be brief."]
    raw = settled(decisions, messages=(), raw_prompt=RawPrompt("Once"))
    assert raw.messages == ()


def test_values_survive_in_files_and_only_plain_ones_are_taken(decisions: Decisions, tmp_path: Path) -> None:
    values = {"custom.enableThinking": False, "custom.mood": "wild", "custom.budget": 2.5}
    preset = decisions.presets.create("Mine", values)
    assert PresetStore(tmp_path / "presets").get("Mine").values == values
    assert '"lmdeck.custom.mood"' in preset.path.read_text()
    Settings(tmp_path / "settings.json").set("defaults", {"custom.mood": "wild"})
    assert decisions.collapsed(MODEL).source("custom.mood").name == "file", "the app knows no model"
    for wrong in (None, [1], {"a": 1}, float("nan"), 1e300):
        with pytest.raises(BadRequest, match=r"custom\.mood cannot be"):
            checked_value("custom.mood", wrong)


def test_forms_show_fields_as_parameters() -> None:
    thinking, mood, budget = field_parameters(MODEL.custom_fields)
    assert (thinking.name, thinking.label, thinking.kind) == ("custom.enableThinking", "Enable Thinking", "boolean")
    assert (mood.kind, mood.choices, mood.help) == ("choice", ("calm", "wild"), "(calm is Calm)")
    assert (budget.kind, budget.minimum, budget.maximum, budget.default) == ("integer", 1, 64, 8)
