"""The model picker and the load dialog."""

from __future__ import annotations

import pytest

from tests.app.driving import Person, person_at
from tests.app.fake_workbench import GIB, FakeWorkbench, model
from tui.app.screens.load_dialog import LoadDialog
from tui.app.screens.model_picker import ModelPicker
from tui.config import LOAD_PARAMETERS
from tui.domain import BadRequest, LoadConfig, LoadedValue, ModelWillNotFit


async def open_load_dialog(person: Person) -> LoadDialog:
    await person.press("ctrl+o", "enter")
    dialog = person.app.screen
    assert isinstance(dialog, LoadDialog)
    return dialog


async def test_empty_folder_says_where_files_go_and_shows_them_when_they_come(workbench: FakeWorkbench) -> None:
    files = workbench.catalogue.on_disk[:]
    workbench.catalogue.on_disk.clear()
    async with person_at(workbench, (80, 24)) as person:
        await person.press("ctrl+o")
        shown = "".join(row.strip(" ┃│╭╮╰╯━") for row in person.rows())
        assert str(workbench.paths.models) in shown
        workbench.catalogue.on_disk.extend(files)
        await person.until(lambda: "gemma-3-4b-it" in person.text())


async def test_unusable_model_is_listed_with_its_whole_reason(workbench: FakeWorkbench) -> None:
    reason = "The file ends after 312 bytes, in the middle of its header. Download it once more, completely."
    workbench.catalogue.on_disk.append(model("zzz-broken", problem=reason))
    async with person_at(workbench, (80, 24)) as person:
        await person.press("ctrl+o", "G")
        assert "✗ zzz-broken" in person.text()
        shown = " ".join(" ".join(row.strip(" ┃│╭╮╰╯━─") for row in person.rows()).split())
        assert reason in shown
        await person.press("enter")
        assert isinstance(person.app.screen, ModelPicker)


async def test_loaded_model_is_used_with_enter_and_marked(ready: FakeWorkbench) -> None:
    ready.put("gemma-3-4b-it")
    async with person_at(ready) as person:
        assert "Qwen3-8B-Q4_K_M" in person.top
        await person.press("ctrl+o")
        assert "● gemma-3-4b-it" in person.text()
        await person.press("g", "enter")
        assert person.app.screen is person.chat
        assert "gemma-3-4b-it" in person.top
        await person.ask("who are you")
        assert ready.answers[0].model == "gemma-3-4b-it"


async def test_message_waits_for_a_model_and_is_answered_after_the_load(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        await person.ask("is anybody there")
        (thread,) = workbench.threads.list_threads()
        assert workbench.threads.messages(thread.id)[0].message.text == "is anybody there"
        assert isinstance(person.app.screen, ModelPicker)
        await person.press("escape")
        assert "will be sent when the model is loaded" in person.text()
        assert not workbench.answers
        await open_load_dialog(person)
        await person.press("enter")
        await person.until(lambda: bool(workbench.answers))
        assert workbench.answers[0].thread_id == thread.id
        workbench.answers[0].generation.say("I am here now")
        await person.hear()
        assert "I am here now" in person.text()
        assert "will be sent when" not in person.text()


async def test_dialog_shows_the_estimate_and_loads_what_was_set(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        dialog = await open_load_dialog(person)
        await person.until(lambda: "✓ Fits" in person.text())
        assert "of 24.0 GB free" in person.text()
        assert "strict guardrail" in person.text()
        assert "weights 5.0 GB + KV 576 MB + compute 512 MB" in person.text()
        assert "load anyway" not in person.bottom, "nobody refuses it"
        await person.press("4", "0", "9", "6", "enter")
        assert dialog.config == LoadConfig(context_length=4096)
        await person.until(lambda: workbench.estimates[-1].context_length == 4096)
        await person.press("down", "right", "right", "right")
        assert dialog.config.gpu_layers == 2
        await person.press("enter")
        await person.until(lambda: person.app.screen is person.chat)
        assert workbench.models["gemma-3-4b-it"].config == LoadConfig(context_length=4096, gpu_layers=2)
        assert "4.1k" in person.top


async def test_too_large_a_model_says_that_it_does_not_fit(workbench: FakeWorkbench) -> None:
    workbench.free_memory = 4 * GIB
    async with person_at(workbench) as person:
        await open_load_dialog(person)
        await person.until(lambda: "✗ Does not fit" in person.text())
        assert "6.1 GB on CPU, the strict guardrail allows 4.0 GB" in person.text()


async def test_steps_of_context_length_are_powers_of_two_up_to_the_trained_length(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        dialog = await open_load_dialog(person)
        seen = []
        for _ in range(9):
            await person.press("right")
            seen.append(dialog.config.context_length)
        assert seen == [512, 1024, 2048, 4096, 8192, 16384, 32768, None, 512]
        await person.press("left", "left")
        assert dialog.config.context_length == 128
        await person.press("r")
        assert dialog.config.context_length is None


async def test_typed_nonsense_names_the_field_and_changes_nothing(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        dialog = await open_load_dialog(person)
        await person.press("0", "enter")
        assert "Context length cannot be '0'" in person.text()
        assert dialog.config == LoadConfig()
        await person.press("escape")
        assert isinstance(person.app.screen, LoadDialog)
        assert "cannot be" not in person.text()


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_more_shows_every_parameter_under_its_heading(workbench: FakeWorkbench, size: tuple[int, int]) -> None:
    async with person_at(workbench, size) as person:
        dialog = await open_load_dialog(person)
        assert "K cache type" not in person.text()
        assert "── Context" not in person.text()
        await person.press("m")
        assert "── Context" in person.text()
        seen = []
        for _ in LOAD_PARAMETERS:
            assert dialog.form.current is not None, "the cursor passes over headings"
            assert f"▌ {dialog.form.current.label}" in person.text(), "what the cursor is on is in view"
            seen.append(dialog.form.current.name)
            await person.press("down")
        assert sorted(seen) == sorted(parameter.name for parameter in LOAD_PARAMETERS)
        await person.press("up", *["up"] * len(seen))
        assert dialog.form.current is not None
        assert dialog.form.current.name == seen[0]
        assert "── Context" in person.text(), "the heading above the first row comes back"
        await person.press("m")
        assert "── Context" not in person.text()


async def test_choices_cycle_and_switches_switch(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        dialog = await open_load_dialog(person)
        dialog.form.point_at("key_cache_type")
        await person.press("right")
        assert dialog.config.key_cache_type == "q8_0"
        dialog.form.point_at("try_mmap")
        await person.press("space")
        assert dialog.config.try_mmap is False


async def test_parameters_are_found_by_what_they_do(workbench: FakeWorkbench) -> None:
    async with person_at(workbench, (80, 24)) as person:
        dialog = await open_load_dialog(person)
        await person.press("slash", *"mlock")
        assert "Lock in memory" in person.text()
        assert "Context length" not in person.text()
        await person.press("enter", "space")
        assert dialog.config.keep_model_in_memory is True
        await person.press("escape")
        assert isinstance(person.app.screen, LoadDialog), "it shows all again and stays"
        assert "── " in person.text()
        assert dialog.form.current is not None
        assert dialog.form.current.name == "keep_model_in_memory"
        await person.press("slash", *"4096")
        assert dialog.config.context_length is None, "digits are searched for"


async def test_fitting_changes_the_form_and_says_what(workbench: FakeWorkbench) -> None:
    workbench.free_memory = 6 * GIB
    async with person_at(workbench) as person:
        dialog = await open_load_dialog(person)
        await person.until(lambda: "✗ Does not fit" in person.text())
        await person.press("f")
        await person.until(lambda: "✓ Fits" in person.text())
        assert dialog.config.context_length == 7168
        assert "Fitted: Context length auto → 7,168" in person.text()
        assert "load anyway" not in person.bottom
        await person.press("f")
        await person.until(lambda: "nothing was changed" in person.text())
        await person.press("right")
        assert "nothing was changed" not in person.text(), "it is another configuration now"
        workbench.free_memory = GIB
        await person.press("f")
        await person.until(lambda: "Nothing fits." in person.text())
        assert "Close other programs." in person.text()


async def test_what_the_guardrail_refuses_can_be_loaded_anyway(workbench: FakeWorkbench) -> None:
    workbench.free_memory = 4 * GIB
    workbench.load_error = ModelWillNotFit("It needs 6 GB and 4 GB are free.", "Lower the context length.")
    async with person_at(workbench) as person:
        await open_load_dialog(person)
        await person.until(lambda: "a load anyway" in person.bottom)
        await person.press("enter")
        await person.until(lambda: "It needs 6 GB" in person.text())
        assert workbench.models == {}
        await person.press("a")
        await person.until(lambda: person.app.screen is person.chat)
        assert "gemma-3-4b-it" in workbench.models


async def test_loading_anyway_is_not_there_when_nothing_is_refused(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        await open_load_dialog(person)
        await person.until(lambda: "✓ Fits" in person.text())
        await person.press("a")
        assert isinstance(person.app.screen, LoadDialog)
        assert workbench.models == {}


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_asked_fitted_and_loaded_stand_in_the_picker(workbench: FakeWorkbench, size: tuple[int, int]) -> None:
    workbench.loaded_values = (
        LoadedValue("context_length", "auto", "60,928", "60,928"),
        LoadedValue("threads", "4", "4"),
    )
    workbench.put("gemma-3-4b-it")
    async with person_at(workbench, size) as person:
        await person.press("ctrl+o")
        table = [row.strip(" ┃│╭╮╰╯━").split() for row in person.rows() if "60,928" in row or " asked " in row]
        assert table == [["asked", "fitted", "loaded"], ["Context", "length", "auto", "60,928", "60,928"]]
        assert "CPU threads" in person.text()
        await person.press("down")
        assert "asked" not in person.text(), "the other one is not loaded"


async def test_refused_parameter_is_named_and_pointed_at(workbench: FakeWorkbench) -> None:
    workbench.load_error = BadRequest(
        "V cache type q4_0 needs flash attention.", "Turn flash attention on.", field="load.value_cache_type"
    )
    async with person_at(workbench) as person:
        dialog = await open_load_dialog(person)
        await person.press("enter")
        await person.until(lambda: "needs flash attention" in person.text())
        assert dialog.form.current is not None
        assert dialog.form.current.name == "value_cache_type"
        assert dialog.form.has_focus
        workbench.load_error = None
        await person.press("enter")
        await person.until(lambda: person.app.screen is person.chat)


async def test_failed_load_keeps_the_dialog_and_says_why(workbench: FakeWorkbench) -> None:
    workbench.load_error = ModelWillNotFit("It needs 6 GB and 4 GB are free.", "Lower the context length.")
    async with person_at(workbench) as person:
        await open_load_dialog(person)
        await person.press("enter")
        await person.until(lambda: "Lower the context length." in person.text())
        assert isinstance(person.app.screen, LoadDialog)


async def test_escape_stops_a_load_that_is_running(workbench: FakeWorkbench) -> None:
    workbench.load_may_end.clear()
    async with person_at(workbench) as person:
        await open_load_dialog(person)
        await person.press("enter")
        await person.until(lambda: "50%" in person.text())
        await person.press("escape")
        workbench.load_may_end.set()
        await person.until(lambda: "Loading was stopped." in person.text())
        assert workbench.models == {}


async def test_what_nobody_chose_is_no_reason_to_warn(workbench: FakeWorkbench) -> None:
    workbench.loaded_values = (
        LoadedValue("context_length", "1,024", "1,000"),
        LoadedValue("evaluation_batch_size", "2,048", "1,024"),
    )
    async with person_at(workbench) as person:
        await open_load_dialog(person)
        await person.press("1", "0", "2", "4", "enter", "enter")
        await person.until(lambda: "Context length: asked for 1,024, loaded with 1,000" in person.toasts())
        assert "Evaluation batch" not in person.toasts(), "longer batches than the context are the default"


async def test_value_that_was_loaded_differently_is_not_kept_silent(workbench: FakeWorkbench) -> None:
    workbench.loaded_values = (
        LoadedValue("context_length", "9000", "8192", "8300"),
        LoadedValue("gpu_layers", "auto", "0"),
        LoadedValue("threads", "auto", "3", "3"),
    )
    async with person_at(workbench) as person:
        await open_load_dialog(person)
        await person.press("enter")
        await person.until(lambda: "asked for 9000, fitted to 8300, loaded with 8192" in person.toasts())
        assert "CPU threads: asked for auto, fitted to 3, loaded with 3" in person.toasts()
        assert "GPU layers" not in person.toasts()


async def test_unload_asks_only_while_the_model_answers(ready: FakeWorkbench) -> None:
    ready.models["Qwen3-8B-Q4_K_M"].running = 1
    async with person_at(ready) as person:
        await person.press("ctrl+o", "U")
        assert "is answering" in person.text()
        await person.press("escape")
        assert ready.models
        ready.models["Qwen3-8B-Q4_K_M"].running = 0
        await person.press("U")
        assert not ready.models
        await person.press("escape")
        assert "no model: ctrl+o" in person.top


async def test_filter_in_the_picker(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.press("ctrl+o", "slash", *"gem", "enter", "enter")
        dialog = person.app.screen
        assert isinstance(dialog, LoadDialog)
        assert "Load gemma-3-4b-it" in person.text()


async def test_loaded_model_can_be_reloaded_from_its_own_parameters(ready: FakeWorkbench) -> None:
    ready.put("Qwen3-8B-Q4_K_M", LoadConfig(context_length=2048))
    async with person_at(ready) as person:
        await person.press("ctrl+o", "e")
        dialog = person.app.screen
        assert isinstance(dialog, LoadDialog)
        assert dialog.config.context_length == 2048
