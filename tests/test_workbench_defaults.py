"""The composition root's one road from presets and the defaults of models to a load and an answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.model_maker import make_scripted_model
from tui.config import Source
from tui.domain import BadRequest, Failed, GenerationRequest, LoadConfig, SamplingConfig, StorageFailed, text_message
from tui.paths import find_paths
from tui.threads import ThreadSettings
from tui.workbench import Workbench

TOLD = {"sampling.top_k": 3, "answer.system_prompt": "Be kind."}


@pytest.fixture
def workbench(lmdeck_home: Path) -> Iterator[Workbench]:
    (lmdeck_home / "models").mkdir()
    wishes = {"general.sampling.temp": 0.25, "general.sampling.top_k": 9}
    make_scripted_model(lmdeck_home / "models" / "hello.gguf", "Hello.", metadata=wishes)
    workbench = Workbench(find_paths())
    workbench.decisions.defaults.save("hello", {"load.threads": 1, "load.parallel": 2, "sampling.min_p": 0.2})
    yield workbench
    workbench.close()


def test_a_model_file_says_how_it_wants_to_be_sampled(workbench: Workbench) -> None:
    found = workbench.defaults_of("hello")
    assert (found.sampling.temperature, found.sampling.top_k, found.sampling.min_p) == (0.25, 9, 0.2)
    assert found.source("sampling.temperature") == Source("file")
    assert found.source("load.parallel") == Source("model")


def test_a_load_without_parameters_takes_the_models(workbench: Workbench) -> None:
    assert workbench.load("hello").config == LoadConfig(threads=1, parallel=2)
    assert workbench.load_config("hello", {"parallel": 5}) == LoadConfig(threads=1, parallel=5)


def test_an_answer_in_a_thread_takes_them(workbench: Workbench) -> None:
    preset = workbench.decisions.presets.create("Kind", TOLD)
    workbench.decisions.defaults.save_preset("hello", preset.identifier)
    thread = workbench.threads.create_thread()
    workbench.threads.add_message(thread.id, text_message("user", "Hi"))
    generation = workbench.answer(thread.id, "hello").generation
    assert generation.wait(60)
    request = generation.request
    assert [message.text for message in request.messages] == ["Be kind.", "Hi"]
    assert (request.sampling.temperature, request.sampling.top_k, request.sampling.min_p) == (0.25, 3, 0.2)
    assert workbench.loaded()[0].config == LoadConfig(threads=1, parallel=2)
    asked = workbench.answer(thread.id, "hello", SamplingConfig(temperature=0.0, top_k=40)).generation
    assert asked.wait(60)
    assert (asked.request.sampling.temperature, asked.request.sampling.top_k) == (0.0, 40)


@pytest.mark.parametrize("of_thread", [True, False])
def test_a_preset_that_is_gone_stops_no_answer(workbench: Workbench, of_thread: bool) -> None:
    thread = workbench.threads.create_thread()
    if of_thread:
        workbench.threads.save_thread_settings(thread.id, ThreadSettings(preset="gone"))
    else:
        workbench.decisions.defaults.save_preset("hello", "gone")
    workbench.threads.add_message(thread.id, text_message("user", "Hi"))
    assert workbench.settings_of(thread.id, "hello").missing_preset == "gone"
    answer = workbench.answer(thread.id, "hello")
    assert answer.generation.wait(60)
    question, reply = workbench.threads.messages(thread.id)
    assert (question.message.text, reply.message.text) == ("Hi", "Hello.")
    assert "preset" not in reply.settings
    assert answer.generation.request.sampling.top_k == 9


def test_a_preset_whose_file_is_broken_stops_no_answer(workbench: Workbench) -> None:
    thread = workbench.threads.create_thread(settings=ThreadSettings(preset="@local:bad"))
    workbench.threads.add_message(thread.id, text_message("user", "Hi"))
    file = workbench.paths.presets / "bad.preset.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("no JSON")
    assert workbench.answer(thread.id, "hello").generation.wait(60)
    assert workbench.threads.messages(thread.id)[-1].message.text == "Hello."
    assert str(file) in workbench.settings_of(thread.id, "hello").preset_problem


def test_a_request_that_names_a_preset_that_is_gone_fails(workbench: Workbench) -> None:
    asked = GenerationRequest("hello", (text_message("user", "Hi"),), decided=frozenset(), preset="gone")
    generation = workbench.generate(asked)
    assert generation.wait(60)
    failed = generation.take()[-1]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, BadRequest)
    assert "gone" in failed.error.message


def test_a_damaged_file_of_defaults_is_said(workbench: Workbench) -> None:
    (workbench.paths.model_defaults / "hello.json").write_text("{")
    with pytest.raises(StorageFailed, match=r"hello\.json"):
        workbench.load("hello")
    generation = workbench.generate(GenerationRequest("hello", (text_message("user", "Hi"),), decided=frozenset()))
    assert generation.wait(60)
    assert "hello.json" in str(generation.take()[-1])


def test_an_answer_says_how_fast_the_next_one_will_be(workbench: Workbench) -> None:
    make_scripted_model(workbench.paths.models / "endless.gguf", "On and on. ", loop=True)
    config = LoadConfig(threads=1)
    workbench.load("endless", config)
    assert workbench.expected_speed("endless", config) is None
    request = GenerationRequest("endless", (text_message("user", "Hi"),), SamplingConfig(max_tokens=40))
    assert workbench.generate(request).wait(60)
    found = workbench.expected_speed("endless", config)
    assert found is not None
    assert found.generation > 0
    assert workbench.expected_speed("endless", LoadConfig(threads=2)) is None


def test_answers_side_by_side_say_nothing_about_speed(workbench: Workbench) -> None:
    make_scripted_model(workbench.paths.models / "endless.gguf", "On and on. ", loop=True, context_length=65536)
    config = LoadConfig(threads=1, context_length=65536)
    workbench.load("endless", config)
    long = workbench.generate(GenerationRequest("endless", (text_message("user", "Hi"),)))
    for event in long:
        if type(event).__name__ == "TextDelta":
            break
    short = GenerationRequest("endless", (text_message("user", "Ho"),), SamplingConfig(max_tokens=40))
    assert workbench.generate(short).wait(60)
    assert not long.done
    assert workbench.expected_speed("endless", config) is None
    long.cancel()


def test_a_virtual_models_fields_reach_the_prompt_also_once_its_base_is_loaded(
    workbench: Workbench, lmdeck_home: Path
) -> None:
    recipe = lmdeck_home / "models" / "acme" / "mood" / "model.yaml"
    recipe.parent.mkdir(parents=True)
    field = "{key: mood, type: string, defaultValue: calm, effects: [{type: setJinjaVariable, variable: mood}]}"
    template = "{{ mood }}|{% for message in messages %}{{ message.content }}{% endfor %}"
    recipe.write_text(f"model: acme/mood\nbase: hello\ncustomFields: [{field}]\n")
    workbench.decisions.defaults.save("acme/mood", {"load.chat_template": template})
    workbench.catalogue.refresh()
    thread = workbench.threads.create_thread()
    workbench.threads.add_message(thread.id, text_message("user", "Hi"))
    workbench.load("hello")
    prompts = []
    for overrides in ({}, {"custom.mood": "wild"}):
        workbench.threads.save_thread_settings(thread.id, ThreadSettings(overrides=overrides))
        answer = workbench.answer(thread.id, "acme/mood", parent_id=workbench.threads.messages(thread.id)[0].id)
        assert answer.generation.wait(60)
        prompts.append(answer.generation.prompt)
    assert [prompt.partition("|")[0][-4:] for prompt in prompts] == ["calm", "wild"]
    last = workbench.threads.message(answer.message_id)
    assert last is not None
    assert last.settings["template.mood"] == "wild"
    asked = GenerationRequest(
        "acme/mood", (text_message("user", "Hi"),), decided=frozenset(), template_options=(("mood", '"merry"'),)
    )
    generation = workbench.generate(asked)
    assert generation.wait(60)
    assert "merry|" in generation.prompt
