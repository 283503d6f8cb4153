"""From place to place: the keys that lead from the chat to a screen of its own lead from that to the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.screen import Screen

from tests.app.driving import Person, person_at
from tests.app.hub_workbench import HubWorkbench, hub_workbench_at
from tui.app.palette import Palette
from tui.app.screens.discover import DiscoverScreen
from tui.app.screens.downloads import DownloadsScreen
from tui.app.screens.go import GoScreen
from tui.app.screens.library import LibraryScreen
from tui.app.screens.model_picker import ModelPicker
from tui.app.screens.server import ServerScreen

KEYS: dict[str, type[Screen[object]]] = {
    "f2": LibraryScreen, "f3": DiscoverScreen, "f4": DownloadsScreen, "ctrl+s": ServerScreen
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubWorkbench]:
    with hub_workbench_at(tmp_path, monkeypatch) as desk:
        yield desk


async def go(person: Person, *keys: str) -> list[type[Screen[object]]]:
    """Press keys one after the other; what lies above the chat then."""
    for key in keys:
        await person.press(key)
        await person.settle()
    return [type(screen) for screen in person.app.screen_stack[1:]]


@pytest.mark.parametrize("start", KEYS)
async def test_each_place_leads_to_the_others(desk: HubWorkbench, start: str) -> None:
    async with person_at(desk) as person:
        for key, place in KEYS.items():
            assert await go(person, start) == [KEYS[start]]
            above = [DiscoverScreen, DownloadsScreen] if (start, key) == ("f3", "f4") else [place]
            assert await go(person, key) == above, (start, key)
            while len(person.app.screen_stack) > 1:
                await go(person, "escape")


async def test_a_place_that_is_open_below_is_gone_back_to(desk: HubWorkbench) -> None:
    async with person_at(desk) as person:
        await go(person, "f3")
        found = person.app.screen
        assert await go(person, "f4", "f3") == [DiscoverScreen]
        assert person.app.screen is found
        assert await go(person, "f4", "f2") == [LibraryScreen]


async def test_the_letters_after_ctrl_g_work_everywhere(desk: HubWorkbench) -> None:
    async with person_at(desk, (80, 24)) as person:
        assert await go(person, "f2", "ctrl+g") == [LibraryScreen, GoScreen]
        assert await go(person, "escape") == [LibraryScreen]
        assert await go(person, "ctrl+g", "s") == [ServerScreen]
        assert await go(person, "ctrl+g", "m") == [ModelPicker]


async def test_the_palette_leaves_a_place_for_what_is_done_in_the_chat(desk: HubWorkbench) -> None:
    async with person_at(desk) as person:
        dark = person.app.current_theme.dark
        assert await go(person, "f4", "ctrl+p") == [DownloadsScreen, Palette]
        await person.type("Dark or light")
        assert await go(person, "enter") == [DownloadsScreen]
        assert person.app.current_theme.dark is not dark
        await go(person, "ctrl+p")
        await person.type("Two threads side")
        assert await go(person, "enter") == []
        assert person.chat.split
