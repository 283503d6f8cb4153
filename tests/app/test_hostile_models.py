"""Damaged and hostile files on the screen: in the list with their reason, in the load dialog with theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.support.hostile import hostile_files
from tui.__main__ import make_server
from tui.app.app import LmdeckApp
from tui.app.screens.load_dialog import LoadDialog
from tui.app.screens.model_picker import ModelPicker
from tui.domain import LoadConfig
from tui.paths import find_paths
from tui.workbench import Workbench

PATIENCE = 60.0


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await pilot.pause(0.02)


@pytest.mark.timeout(600)
async def test_fifty_hostile_files_have_their_reasons_and_the_screen_lives_on(lmdeck_home: Path) -> None:
    hostile_files(lmdeck_home / "models")
    workbench = Workbench(find_paths())
    app = LmdeckApp(workbench, lambda: make_server(workbench, "screen"))
    reasons: dict[str, str] = {}
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, ModelPicker) and bool(app.screen.model_list.items))
        picker = app.screen
        assert isinstance(picker, ModelPicker)
        models = list(picker.model_list.items)
        for model in models:
            if not model.usable:
                picker.model_list.highlight(model.key)
                await pilot.pause()
                assert model.problem.split()[0] in str(picker.facts.content)
                reasons[model.key] = model.problem
        for model in models:
            if not model.usable:
                continue
            dialog = LoadDialog(app.workbench, model, LoadConfig(threads=1, context_length=256))
            await app.push_screen(dialog)
            await pilot.press("enter")
            await until(pilot, lambda dialog=dialog: app.screen is not dialog or bool(dialog._problem))  # type: ignore[misc]
            if app.screen is dialog:
                reasons[model.key] = dialog._problem
                await until(pilot, lambda dialog=dialog: not dialog._started)  # type: ignore[misc]
                await pilot.press("escape")
            await until(pilot, lambda: app.screen is picker)
            await asyncio.to_thread(app.workbench.unload, model.key)
        assert all(len(reason) > 15 for reason in reasons.values())
        assert len(reasons) >= 50
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not picker)
        assert app.is_running
