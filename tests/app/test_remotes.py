"""Remote engines on the screen: in the picker with their models, added and removed by a dialog, chosen like others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.widgets import Input

from tests.app.driving import Person, add_thread, person_at
from tests.app.fake_workbench import FakeWorkbench
from tests.support.openai_stub import Stub, openai_stub, refusing
from tui.app.screens.dialogs import ConfirmDialog
from tui.app.screens.model_picker import ModelPicker
from tui.app.screens.remote_dialog import RemoteDialog
from tui.app.widgets.model_list import ModelList

KEY = "sk-0123456789abcdefghij"
SIZES = [(80, 24), (120, 36)]


@pytest.fixture
def stub() -> Iterator[Stub]:
    with openai_stub() as stub:
        stub.serve_models("qwen3-32b", "org/llama-70b")
        yield stub


async def open_picker(person: Person, *awaited: str) -> ModelPicker:
    await person.press("ctrl+o")
    await person.until(lambda: all(text in person.text() for text in awaited))
    picker = person.app.screen
    assert isinstance(picker, ModelPicker)
    return picker


def row_of(person: Person, text: str) -> str:
    return next(row for row in person.rows() if text in row)


async def point_at(person: Person, key: str) -> None:
    person.app.screen.query_one(ModelList).highlight(key)
    await person.settle()


@pytest.mark.parametrize("size", SIZES)
async def test_remote_models_stand_among_the_others_with_a_mark_and_the_engines_name(
    ready: FakeWorkbench, stub: Stub, size: tuple[int, int]
) -> None:
    ready.add_remote("tower", stub.url)
    async with person_at(ready, size) as person:
        await open_picker(person, "qwen3-32b", "org/llama-70b")
        row = row_of(person, "qwen3-32b")
        assert "⇄ qwen3-32b" in row
        assert "on tower" in row
        assert "2 on disk · 2 remote" in person.text()
        await point_at(person, "tower/qwen3-32b")
        assert f"✓ Reachable: tower at {stub.url}" in person.text()
        assert "tower/qwen3-32b" in person.text()


async def test_a_remote_model_is_chosen_and_answers_without_a_load_dialog(workbench: FakeWorkbench, stub: Stub) -> None:
    workbench.add_remote("tower", stub.url)
    async with person_at(workbench) as person:
        await open_picker(person, "qwen3-32b")
        await point_at(person, "tower/qwen3-32b")
        await person.press("enter")
        assert person.app.screen is person.chat
        assert "tower/qwen3-32b" in person.top
        await person.ask("hello")
        assert workbench.answers[0].model == "tower/qwen3-32b"


async def test_a_thread_goes_on_with_its_remote_model_after_a_restart(workbench: FakeWorkbench, stub: Stub) -> None:
    workbench.add_remote("tower", stub.url)
    thread_id = add_thread(workbench, "hello")
    recorder = workbench.threads.begin_answer(thread_id, model="tower/qwen3-32b")
    recorder.interrupt()
    workbench.settings.set("last_thread", thread_id)
    async with person_at(workbench) as person:
        assert "tower/qwen3-32b" in person.top
        await person.ask("and then?")
        assert workbench.answers[0].model == "tower/qwen3-32b"


@pytest.mark.parametrize("size", SIZES)
async def test_an_engine_that_cannot_be_reached_is_listed_with_its_whole_reason(
    ready: FakeWorkbench, size: tuple[int, int]
) -> None:
    ready.add_remote("office", "http://127.0.0.1:9/v1")
    async with person_at(ready, size) as person:
        await open_picker(person, "✗ office")
        await point_at(person, "office/")
        assert "office is not running: 127.0.0.1:9 refuses the connection." in person.text()
        assert "Start the server there, and check the port." in person.text()
        await person.press("enter")
        assert isinstance(person.app.screen, ModelPicker)
        assert "office shows no models" in person.toasts()


async def test_an_engine_that_takes_its_time_keeps_nobody_waiting(ready: FakeWorkbench, stub: Stub) -> None:
    stub.on_models(lambda connection, _request: connection.gone() and None)
    ready.add_remote("tower", stub.url)
    async with person_at(ready) as person:
        await open_picker(person, "Qwen3-8B-Q4_K_M", "asking…")
        await point_at(person, "tower/")
        assert f"Asking tower at {stub.url} for its models…" in person.text()
        await person.press("escape")
        assert person.app.screen is person.chat


async def test_models_that_were_known_stay_when_the_engine_goes_away(
    ready: FakeWorkbench, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.app.screens.model_picker.ASK_EVERY", 0.0)
    ready.add_remote("tower", stub.url)
    async with person_at(ready) as person:
        picker = await open_picker(person, "qwen3-32b")
        await point_at(person, "tower/qwen3-32b")
        stub.on_models(refusing(503, {"error": {"message": "Loading model."}}))
        picker._look()
        await person.until(lambda: "✗ tower is not ready: Loading model." in person.text())
        assert "⇄ qwen3-32b" in person.text()


@pytest.mark.parametrize("size", SIZES)
async def test_an_engine_is_added_by_the_dialog_and_its_key_is_never_seen(
    workbench: FakeWorkbench, stub: Stub, size: tuple[int, int]
) -> None:
    async with person_at(workbench, size) as person:
        await open_picker(person, "gemma-3-4b-it")
        await person.press("a")
        assert isinstance(person.app.screen, RemoteDialog)
        await person.type("Tower")
        await person.press("enter")
        await person.type(stub.url)
        await person.press("tab")
        await person.type(KEY)
        assert KEY not in person.text()
        assert KEY not in person.app.export_screenshot()
        await person.press("enter")
        await person.until(lambda: "qwen3-32b" in person.text())
        (endpoint,) = workbench.remote_store.endpoints()
        assert (endpoint.name, endpoint.url, endpoint.key) == ("tower", stub.url, KEY)
        assert stub.requests[0].headers["authorization"] == f"Bearer {KEY}"
        assert KEY not in person.text()


async def test_wrong_values_are_said_and_their_line_is_pointed_at(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        await open_picker(person, "gemma-3-4b-it")
        await person.press("a")
        await person.type("tower")
        await person.press("enter")
        await person.type("ftp://x")
        await person.press("enter", "enter")
        assert "'ftp://x' is not an address of a server." in person.text()
        assert isinstance(person.app.focused, Input)
        assert person.app.focused.id == "url"
        await person.press("escape")
        assert isinstance(person.app.screen, ModelPicker)
        assert workbench.remote_store.endpoints() == ()


async def test_an_engine_is_removed_only_when_that_is_confirmed(workbench: FakeWorkbench, stub: Stub) -> None:
    workbench.add_remote("tower", stub.url)
    async with person_at(workbench, (80, 24)) as person:
        await open_picker(person, "qwen3-32b")
        await person.press("g", "D")
        assert "The cursor is not on a remote engine." in person.toasts()
        await point_at(person, "tower/qwen3-32b")
        assert "D remove" in person.bottom
        assert "unload" not in person.bottom
        await person.press("D")
        assert isinstance(person.app.screen, ConfirmDialog)
        await person.press("escape")
        assert workbench.remote_store.endpoints()
        await person.press("D", "y")
        assert workbench.remote_store.endpoints() == ()
        await person.until(lambda: "qwen3-32b" not in person.text())


async def test_a_damaged_file_of_engines_is_said_and_the_files_on_disk_are_shown(workbench: FakeWorkbench) -> None:
    workbench.paths.remotes.write_text("{nonsense", encoding="utf-8")
    async with person_at(workbench) as person:
        await open_picker(person, "gemma-3-4b-it")
        assert "remotes.json cannot be used" in person.toasts()


async def test_an_empty_list_says_how_to_use_another_machine(workbench: FakeWorkbench) -> None:
    workbench.catalogue.on_disk.clear()
    async with person_at(workbench, (80, 24)) as person:
        await open_picker(person, "another machine")
