"""The load editor: where values come from, saving and taking them again, the guardrail, what to expect."""

from __future__ import annotations

import threading

import pytest

from tests.app.driving import PATIENCE, Person, person_at
from tests.app.fake_workbench import FakeWorkbench
from tests.app.test_models import open_load_dialog
from tui.app.screens import load_dialog
from tui.config import Speed
from tui.domain import LoadConfig, MemoryEstimate

MODEL = "gemma-3-4b-it"


@pytest.fixture
def saved(workbench: FakeWorkbench) -> FakeWorkbench:
    workbench.decisions.defaults.save(MODEL, {"load.context_length": 2048, "sampling.top_k": 5})
    workbench.decisions.defaults.save_profile(MODEL, "long", {"load.context_length": 32768})
    return workbench


def row_of(person: Person, label: str) -> str:
    return next(row for row in person.rows() if label in row)


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_the_editor_begins_with_what_was_saved_and_says_so(saved: FakeWorkbench, size: tuple[int, int]) -> None:
    async with person_at(saved, size) as person:
        dialog = await open_load_dialog(person)
        assert dialog.config == LoadConfig(context_length=2048)
        assert "saved" in row_of(person, "Context length")
        assert "from the model's defaults" in person.text()
        await person.press("right")
        assert "changed" in row_of(person, "Context length")
        assert "changed here" in person.text()
        await person.press("r")
        assert dialog.config == LoadConfig(context_length=2048)
        await person.press("right", "down", "right", "R")
        assert dialog.config == LoadConfig(context_length=2048)


async def test_saving_as_defaults_counts_for_every_way_to_load(saved: FakeWorkbench) -> None:
    async with person_at(saved) as person:
        await open_load_dialog(person)
        await person.press("right", "s", "1")
        assert "is loaded so from now on" in person.text()
        assert "saved" in row_of(person, "Context length")
    kept = saved.decisions.defaults.get(MODEL).values
    assert kept == {"load.context_length": 4096, "sampling.top_k": 5}
    assert saved.defaults_of(MODEL).load == LoadConfig(context_length=4096)


async def test_profiles_are_saved_and_taken(saved: FakeWorkbench) -> None:
    async with person_at(saved) as person:
        dialog = await open_load_dialog(person)
        await person.press("p", "1")
        assert dialog.config.context_length == 32768
        assert "profile" in row_of(person, "Context length")
        await person.press("down", "right", "s", "2")
        await person.type("half")
        await person.press("enter")
        assert "Saved as the profile “half”" in person.text()
        await person.press("p", "3")
        assert dialog.config == LoadConfig(context_length=2048)
    assert saved.decisions.defaults.profile(MODEL, "half") == {"load.context_length": 32768, "load.gpu_layers": 0}


async def test_a_model_without_profiles_says_how_to_make_one(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        await open_load_dialog(person)
        await person.press("p")
        assert "has no profile yet. s saves one." in person.text()


async def test_saved_defaults_are_forgotten(saved: FakeWorkbench) -> None:
    async with person_at(saved) as person:
        dialog = await open_load_dialog(person)
        await person.press("s", "3")
        assert dialog.config == LoadConfig()
        assert "Forgotten" in person.text()
    assert saved.decisions.defaults.get(MODEL).values == {}
    assert saved.decisions.defaults.get(MODEL).profiles


async def test_the_guardrail_is_changed_from_here(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        await open_load_dialog(person)
        before = len(workbench.estimates)
        await person.press("w", "1")
        assert workbench.settings.get("guardrail") == "off"
        await person.until(lambda: len(workbench.estimates) > before)
        await person.press("w", "5")
        await person.press("backspace")
        await person.type("x")
        await person.press("enter")
        assert "no number of GB" in person.text()
        assert workbench.settings.get("guardrail") == "off"
        await person.press("w", "5")
        await person.press("backspace")
        await person.type("12.5")
        await person.press("enter")
        assert (workbench.settings.get("guardrail"), workbench.settings.get("guardrail_limit")) == ("custom", 12.5)


async def test_what_was_measured_before_is_said(workbench: FakeWorkbench) -> None:
    workbench.speeds[(MODEL, LoadConfig())] = Speed(41.8, 900, 3)
    async with person_at(workbench) as person:
        await open_load_dialog(person)
        await person.until(lambda: "41.8 tok/s in 3 answers" in person.text())
        await person.press("down", "right")
        await person.until(lambda: "41.8 tok/s" not in person.text())


async def test_a_damaged_file_of_defaults_keeps_nobody_from_loading(workbench: FakeWorkbench) -> None:
    file = workbench.paths.model_defaults / f"{MODEL}.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")
    async with person_at(workbench) as person:
        dialog = await open_load_dialog(person)
        assert dialog.config == LoadConfig()
        assert "is damaged" in person.toasts()
        await person.press("s", "1")
        assert "is damaged" in person.toasts()
        assert file.read_text() == "{"


async def test_parameters_are_found_by_lm_studios_name(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        await open_load_dialog(person)
        await person.press("slash", *"concurrent")
        assert "Parallel answers" in person.text()
        await person.press("enter")
        assert "LM Studio calls it Max Concurrent Predictions" in " ".join(person.text().split())


async def test_stepping_quickly_leads_to_few_estimates_and_never_stops_the_screen(
    workbench: FakeWorkbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an estimate lasts, keys are taken and drawn, and then the next is made of what stands there by then."""
    may_end = threading.Event()
    at_once: list[int] = [0]

    def slow(model_key: str, config: LoadConfig) -> MemoryEstimate:
        at_once.append(at_once[-1] + 1)
        may_end.wait(PATIENCE)
        at_once.append(at_once[-1] - 1)
        return quick(model_key, config)

    # So that every single step asks for an estimate.
    monkeypatch.setattr(load_dialog, "ESTIMATE_DELAY", 0.001)
    async with person_at(workbench) as person:
        dialog = await open_load_dialog(person)
        quick, workbench.estimate = workbench.estimate, slow  # type: ignore[method-assign]
        before = len(workbench.estimates)
        await person.pilot.press("down", *["right"] * 20)
        await person.pilot.pause(0.01)
        assert len(workbench.estimates) == before, "the first one has not ended"
        assert dialog.config.gpu_layers == 19
        assert "19" in row_of(person, "GPU layers")
        may_end.set()
        await person.until(lambda: workbench.estimates[-1] == dialog.config)
        assert max(at_once) == 1
        assert len(workbench.estimates) - before == 2, "the first step's, and the last one's"
