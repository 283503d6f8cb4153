"""The bench in the load editor: figures as they come, stopping it, keeping the best."""

from __future__ import annotations

from tests.app.driving import person_at
from tests.app.fake_workbench import FakeWorkbench
from tests.app.test_models import open_load_dialog
from tui.app.screens.bench_screen import BenchScreen
from tui.app.screens.load_dialog import LoadDialog
from tui.domain import LoadConfig, ModelWillNotFit

MODEL = "gemma-3-4b-it"


async def test_the_best_is_saved_and_put_into_the_form(workbench: FakeWorkbench) -> None:
    async with person_at(workbench, (80, 24)) as person:
        dialog = await open_load_dialog(person)
        await person.press("b")
        assert isinstance(person.app.screen, BenchScreen)
        await person.until(lambda: "Best: CPU threads 4" in person.text())
        assert "CPU threads (tokens per second, generating)" in person.text()
        assert "20.0" in person.text()
        await person.press("s")
        assert person.app.screen is dialog
        assert dialog.config == LoadConfig(threads=4)
        await person.until(lambda: workbench.decisions.defaults.get(MODEL).values == {"load.threads": 4})


async def test_it_can_be_stopped(workbench: FakeWorkbench) -> None:
    workbench.load_may_end.clear()
    async with person_at(workbench) as person:
        await open_load_dialog(person)
        await person.press("b")
        await person.until(lambda: "20.0" in person.text())
        await person.press("s", "escape")
        await person.until(lambda: isinstance(person.app.screen, LoadDialog))
        assert workbench.decisions.defaults.get(MODEL).values == {}


async def test_why_nothing_can_be_measured_is_said(workbench: FakeWorkbench) -> None:
    workbench.load_error = ModelWillNotFit("It needs more.", "Try a smaller model.")
    async with person_at(workbench) as person:
        await open_load_dialog(person)
        await person.press("b")
        await person.until(lambda: "Try a smaller model." in person.text())
        await person.press("escape")
        assert isinstance(person.app.screen, LoadDialog)
