"""The sampling panel: where values come from, changed in place, presets, the form of answers, the system prompt."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.driving import Person, add_thread, person_at
from tests.app.fake_workbench import FakeWorkbench
from tui.app.screens.sampling_panel import SamplingPanel
from tui.domain import Constraint, CustomField, Suggestion
from tui.threads import ThreadSettings

KIND = {"sampling.temperature": 0.3, "answer.system_prompt": "Be kind."}


@pytest.fixture
def thread_id(ready: FakeWorkbench) -> str:
    ready.decisions.presets.create("Kind", KIND)
    ready.decisions.defaults.save("Qwen3-8B-Q4_K_M", {"sampling.top_k": 11})
    return add_thread(ready, "Hi", "Hello")


async def open_panel(person: Person) -> SamplingPanel:
    await person.press("f8")
    panel = person.app.screen
    assert isinstance(panel, SamplingPanel)
    return panel


def row_of(person: Person, label: str) -> str:
    return next(row for row in person.rows() if label in row)


async def open_thread(person: Person, thread_id: str) -> None:
    await person.chat.open_thread(thread_id)
    await person.settle()


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_values_show_their_origin_and_are_changed_in_place(
    ready: FakeWorkbench, thread_id: str, size: tuple[int, int]
) -> None:
    async with person_at(ready, size) as person:
        await open_thread(person, thread_id)
        await open_panel(person)
        assert "saved" in row_of(person, "Top k")
        assert "11" in row_of(person, "Top k")
        await person.press("right")
        assert "0.9" in row_of(person, "Temperature")
        assert "thread" in row_of(person, "Temperature")
        assert "Now: this thread." in person.text()
        await person.press("enter")
        assert person.app.screen is person.chat
        assert ready.threads.thread_settings(thread_id) == ThreadSettings(overrides={"sampling.temperature": 0.9})
        await open_panel(person)
        assert "thread" in row_of(person, "Temperature")
        await person.press("R", "escape")
        assert ready.threads.thread_settings(thread_id) == ThreadSettings()


async def test_a_change_can_be_undone(ready: FakeWorkbench, thread_id: str) -> None:
    async with person_at(ready) as person:
        await open_thread(person, thread_id)
        await open_panel(person)
        await person.press("right", "enter", "ctrl+g", "u")
        assert ready.threads.thread_settings(thread_id) == ThreadSettings()


async def test_a_preset_is_chosen_and_taken_away(ready: FakeWorkbench, thread_id: str) -> None:
    async with person_at(ready) as person:
        await open_thread(person, thread_id)
        panel = await open_panel(person)
        await person.press("down", "right", "p", "1")
        assert "Kind" in row_of(person, "Preset   ")
        assert "Be kind." in row_of(person, "│ System prompt ")
        assert "preset" in row_of(person, "Temperature")
        assert panel.settings.overrides == {"sampling.top_k": 22}
        await person.press("escape")
        kept = ready.threads.thread_settings(thread_id)
        assert (kept.preset, kept.overrides) == ("@local:kind", {"sampling.top_k": 22})
        await open_panel(person)
        await person.press("p", "3", "enter")
        assert ready.threads.thread_settings(thread_id).preset is None


async def test_a_threads_values_become_a_preset_and_change_one(ready: FakeWorkbench, thread_id: str) -> None:
    async with person_at(ready) as person:
        await open_thread(person, thread_id)
        await open_panel(person)
        await person.press("p", "1", "down", "right", "s", "1")
        await person.type("Warm")
        await person.press("enter")
        assert "Saved as the preset “Warm”" in person.text()
        assert "preset" in row_of(person, "Top k")
        assert ready.decisions.presets.get("Warm").values == {**KIND, "sampling.top_k": 22}
        await person.press("right", "s", "3", "enter")
        assert ready.decisions.presets.get("Warm").values == {**KIND, "sampling.top_k": 44}
        assert ready.threads.thread_settings(thread_id) == ThreadSettings(preset="@local:warm")
        await open_panel(person)
        await person.press("s", "5")
        assert "The preset is deleted." in person.text()
        await person.press("enter")
        assert [preset.name for preset in ready.decisions.presets.all()] == ["Kind"]
        assert ready.threads.thread_settings(thread_id) == ThreadSettings()


async def test_lm_studios_preset_comes_in_and_ours_goes_out(
    ready: FakeWorkbench, thread_id: str, tmp_path: Path
) -> None:
    source = tmp_path / "deep.preset.json"
    fields = [{"key": "llm.prediction.temperature", "value": 0.1}, {"key": "llm.prediction.tools", "value": 1}]
    source.write_text(json.dumps({"name": "Deep", "operation": {"fields": fields}, "load": {"fields": []}}))
    async with person_at(ready) as person:
        await open_thread(person, thread_id)
        panel = await open_panel(person)
        panel._import_named(str(source))
        await person.settle()
        assert "Imported “Deep”" in person.text()
        assert "llm.prediction.tools" in person.text()
        await person.press("p", "1")
        panel._export_named(str(tmp_path / "out.preset.json"))
        await person.settle()
        assert "Exported to" in person.text()
        panel._import_named(str(tmp_path / "none.json"))
        await person.settle()
        assert "There is no file" in person.toasts()
    written = json.loads((tmp_path / "out.preset.json").read_text())
    assert fields[0] in written["operation"]["fields"]


async def test_the_form_of_answers_is_set_and_checked(ready: FakeWorkbench, thread_id: str) -> None:
    async with person_at(ready) as person:
        await open_thread(person, thread_id)
        panel = await open_panel(person)
        await person.press("o", "2")
        await person.type("not json")
        await person.press("ctrl+s")
        assert "The schema is no JSON" in person.text()
        assert panel.settings.constraint is None
        await person.press("o", "2")
        await person.press("left_curly_bracket", "right_curly_bracket", "ctrl+s")
        assert "JSON schema" in row_of(person, "Form   ")
        await person.press("escape")
        assert ready.threads.thread_settings(thread_id).constraint == Constraint("json_schema", "{}")
        await open_panel(person)
        await person.press("o", "1", "enter")
        assert ready.threads.thread_settings(thread_id).constraint is None


async def test_stop_strings_and_the_system_prompt_are_the_threads(ready: FakeWorkbench, thread_id: str) -> None:
    async with person_at(ready) as person:
        await open_thread(person, thread_id)
        panel = await open_panel(person)
        panel.form.point_at("stop")
        await person.press("equals_sign", "number_sign", "comma", "backslash", "n", "enter")
        assert panel.settings.stop == ("#", "\n")
        await person.press("y")
        await person.type("Be brief")
        await person.press("ctrl+s", "enter")
        kept = ready.threads.thread_settings(thread_id)
        assert (kept.stop, kept.system_prompt) == (("#", "\n"), "Be brief")


async def test_a_new_thread_can_be_set_up_before_its_first_message(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await open_panel(person)
        await person.press("right", "enter")
        (thread,) = ready.threads.list_threads()
        assert ready.threads.thread_settings(thread.id).overrides == {"sampling.temperature": 0.9}
        await person.ask("hello")
        assert ready.answers[0].thread_id == thread.id


async def test_looking_at_a_new_threads_settings_leaves_no_empty_thread(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await open_panel(person)
        await person.press("escape")
        await person.press("ctrl+g", "S", "escape")
        assert ready.threads.list_threads() == []
        await person.ask("hello")
        (thread,) = ready.threads.list_threads()
        assert thread.title == "hello"


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_a_preset_that_is_gone_is_said_once(ready: FakeWorkbench, thread_id: str, size: tuple[int, int]) -> None:
    ready.threads.save_thread_settings(thread_id, ThreadSettings(preset="@local:gone"))
    ready.threads.rename_thread(thread_id, "Poems")
    async with person_at(ready, size) as person:
        await open_thread(person, thread_id)
        for number in (1, 2):
            await person.ask("more")
            assert len(ready.answers) == number
            ready.answers[-1].generation.finish()
            await person.hear()
        assert person.toasts().count("The preset “gone” of “Poems” is not installed") == 1
        await open_panel(person)
        assert "gone  not installed" in row_of(person, "Preset   ")
        await person.press("down", "right", "s", "1")
        await person.type("Other")
        await person.press("enter")
        assert "Other  thread" in row_of(person, "Preset   ")
        await person.press("enter")
        assert ready.threads.thread_settings(thread_id) == ThreadSettings(preset="@local:other")
        # Gone again is said again.
        ready.decisions.presets.delete("Other")
        await person.ask("more")
        assert "The preset “other” of “Poems” is not installed" in person.toasts()


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_a_broken_preset_is_said_once_and_shown(
    ready: FakeWorkbench, thread_id: str, size: tuple[int, int]
) -> None:
    file = ready.paths.presets / "sad.preset.json"
    file.write_text("{")
    ready.threads.save_thread_settings(thread_id, ThreadSettings(preset="@local:sad"))
    ready.threads.rename_thread(thread_id, "Poems")
    async with person_at(ready, size) as person:
        await open_thread(person, thread_id)
        for number in (1, 2):
            await person.ask("more")
            assert len(ready.answers) == number
            ready.answers[-1].generation.finish()
            await person.hear()
        assert person.toasts().count("The preset “sad” of “Poems” cannot be read") == 1
        assert "sad.preset.json is damaged: Expecting property name" in person.toasts()
        await open_panel(person)
        assert "sad  broken; p says why" in row_of(person, "Preset   ")
        await person.press("p")
        assert "sad  (broken: " in person.text()
        await person.press("2")
        assert person.toasts().count("is damaged") > 1  # choosing it is refused
        # What the thread decides can still be saved elsewhere.
        await person.press("down", "right", "s", "1")
        await person.type("Other")
        await person.press("enter")
        assert "Other  thread" in row_of(person, "Preset   ")
    assert file.read_text() == "{"


async def test_a_preset_with_a_wrong_value_is_said_once_for_all_its_threads(
    ready: FakeWorkbench, thread_id: str
) -> None:
    fields = [{"key": "llm.prediction.temperature", "value": "hot"}, {"key": "llm.prediction.topKSampling", "value": 7}]
    (ready.paths.presets / "half.preset.json").write_text(json.dumps({"operation": {"fields": fields}}))
    threads = [thread_id, add_thread(ready, "Ho", "Hey")]
    async with person_at(ready) as person:
        for thread in threads:
            ready.threads.save_thread_settings(thread, ThreadSettings(preset="@local:half"))
            await open_thread(person, thread)
            await person.ask("more")
            ready.answers[-1].generation.finish()
            await person.hear()
        assert person.toasts().count("llm.prediction.temperature: Temperature cannot be 'hot'") == 1
        await open_panel(person)
        assert "half  not all of it; p says why" in row_of(person, "Preset   ")
        assert "7" in row_of(person, "Top k")


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_what_the_maker_of_a_model_lets_one_choose_stands_first(
    ready: FakeWorkbench, thread_id: str, size: tuple[int, int]
) -> None:
    fields = (
        CustomField("enableThinking", "Enable Thinking", "boolean", True, "Whether it thinks before it answers"),
        CustomField("mood", "Mood", "choice", "calm", choices=(("calm", "calm"), ("wild", "wild"))),
    )
    ready.disk_models[1] = replace(ready.disk_models[1], custom_fields=fields)
    async with person_at(ready, size) as person:
        await open_thread(person, thread_id)
        await open_panel(person)
        assert "Whether it thinks before it answers" in " ".join(person.text().split())
        assert " on" in row_of(person, "Enable Thinking")
        assert "file" in row_of(person, "Enable Thinking")
        await person.press("right")
        assert " off" in row_of(person, "Enable Thinking")
        assert "thread" in row_of(person, "Enable Thinking")
        await person.press("down", "right", "enter")
        kept = ready.threads.thread_settings(thread_id).overrides
        assert kept == {"custom.enableThinking": False, "custom.mood": "wild"}
        panel = await open_panel(person)
        await person.press("r", "m")
        assert "── This model ──" in person.text()
        await person.press("p", "1")
        assert panel.settings.overrides == {"custom.mood": "wild"}, "another preset leaves the thread's choice"


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_what_the_maker_of_a_model_suggests_is_taken_with_a_key(
    ready: FakeWorkbench, thread_id: str, size: tuple[int, int]
) -> None:
    thinking = Suggestion(
        "Recommended for thinking", (("think", True),), (("sampling.temperature", 0.6), ("sampling.top_k", 20))
    )
    other = Suggestion("Recommended without", (("think", False),), (("sampling.temperature", 0.7),))
    model = replace(
        ready.disk_models[1],
        custom_fields=(CustomField("think", "Thinking", "boolean", True),),
        suggestions=(thinking, other),
    )
    ready.disk_models[1] = model
    async with person_at(ready, size) as person:
        await open_thread(person, thread_id)
        panel = await open_panel(person)
        assert "temperature 0.6" in row_of(person, "Suggested")
        assert "t take" in person.bottom
        await person.press("t")
        assert {key: panel.settings.overrides.get(key) for key in ("sampling.temperature", "sampling.top_k")} == {
            "sampling.temperature": 0.6,
            "sampling.top_k": 20,
        }
        assert "Suggested" not in person.text()
        assert "t take" not in person.bottom
        await person.press("t", "right")
        assert "temperature 0.7" in row_of(person, "Suggested"), "another choice has other recommendations"
        await person.press("t", "enter")
        assert ready.threads.thread_settings(thread_id).overrides["sampling.temperature"] == 0.7


async def test_fields_of_another_model_stay_with_the_thread(ready: FakeWorkbench, thread_id: str) -> None:
    said = ThreadSettings(overrides={"custom.enableThinking": False})
    ready.threads.save_thread_settings(thread_id, said)
    async with person_at(ready) as person:
        await open_thread(person, thread_id)
        await open_panel(person)
        assert "Enable Thinking" not in person.text()
        await person.press("down", "right", "enter")
        assert ready.threads.thread_settings(thread_id).overrides == {**said.overrides, "sampling.top_k": 22}
