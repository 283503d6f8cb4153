"""My models: what the table shows and what can be done there, over real folders."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

import pytest

from tests.app.driving import Person, person_at
from tests.app.fake_workbench import FakeCatalogue, FakeWorkbench
from tests.models.test_catalogue import put
from tests.support.raw_gguf import RawFile, number_value, small_model, text_value
from tests.support.stores import ollama_model
from tui.app.model_rows import COLUMNS, ModelRow, header_text, sums_text
from tui.app.model_text import facts
from tui.app.screens.import_dialog import ImportDialog
from tui.app.screens.library import LibraryScreen
from tui.app.screens.load_dialog import LoadDialog
from tui.domain import CustomField, LoadConfig, ModelInfo
from tui.models import Abilities, Catalogue, Library, SoFar, known_sources
from tui.models.describe import Reading, read
from tui.models.gguf_bytes import KnownTexts

SIZES = [(80, 24), (120, 36)]


def quantised(file_type: int, name: str = "Small") -> RawFile:
    return (
        small_model().with_key("general.file_type", number_value(file_type)).with_key("general.name", text_value(name))
    )


@pytest.fixture
def own(workbench: FakeWorkbench) -> Path:
    """The models folder, with some models, and Ollama's with another one."""
    folder = workbench.paths.models
    for kind, number in (("Q2_K", 10), ("Q4_K_M", 15), ("Q8_0", 7)):
        put(folder / "qwen" / "Qwen3-8B-GGUF" / f"Qwen3-8B-{kind}.gguf", quantised(number))
    (folder / "qwen" / "Qwen3-8B-GGUF" / "README.md").write_text("# About Qwen3\n\nA very good model.\n")
    put(folder / "gemma-Q4_K_M.gguf", quantised(15, "Gemma"))
    (folder / "broken.gguf").write_bytes(b"GGUF")
    home = workbench.root / "person"
    ollama_model(home / ".ollama" / "models", "llama:1b", {"model": quantised(15, "Llama").encode()})
    catalogue = Catalogue(known_sources(folder, [], {}, home), probe=lambda _: Abilities(tools=True, thinks=True))
    workbench.catalogue = cast(FakeCatalogue, catalogue)
    workbench.library = Library(folder, catalogue, workbench.usage)
    return folder


def screen_of(person: Person) -> LibraryScreen:
    screen = person.app.screen
    assert isinstance(screen, LibraryScreen)
    return screen


async def open_library(person: Person) -> LibraryScreen:
    await person.press("f2")
    await person.until(lambda: "broken" in person.text())
    # What the load dialog asks for goes by these.
    workbench = cast(FakeWorkbench, person.app.workbench)
    workbench.disk_models = list(workbench.catalogue.models())
    return screen_of(person)


def names(person: Person) -> list[str]:
    return [row.name for row in screen_of(person).rows._shown]


async def go_to(person: Person, name: str) -> None:
    await person.press("g")
    for _ in names(person):
        row = screen_of(person).row
        if row is not None and row.name == name:
            return
        await person.press("j")
    raise AssertionError(f"no row {name} in {names(person)}")


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("size", SIZES)
async def test_table(workbench: FakeWorkbench, size: tuple[int, int]) -> None:
    async with person_at(workbench, size) as person:
        await open_library(person)
        assert names(person) == ["gemma-q4_k_m", "llama:1b", "qwen3-8b", "broken"]
        text = person.text()
        for title in ("MODEL", "QUANT", "SIZE", "CTX", "CAN", "USED", "PARAMS"):
            assert title in text
        row = next(row for row in person.rows() if "qwen3-8b" in row)
        assert "▸qwen3-8b" in row
        assert "3 kinds" in row
        assert "TR" in row
        assert ("Ollama" in text) == (size[0] >= 120)
        assert "4 models" in text
        await go_to(person, "broken")
        await person.press("enter")
        assert "cannot be loaded" in person.toasts()


@pytest.mark.parametrize("width", range(0, 200, 7))
def test_header_stands_above_the_columns(width: int) -> None:
    assert len(header_text(width)) == max(width, sum(c.width + 1 for c in COLUMNS if width >= c.from_width))


@pytest.mark.usefixtures("own")
async def test_variants_unfold_and_each_can_be_loaded(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        await open_library(person)
        await go_to(person, "qwen3-8b")
        await person.press("space")
        assert names(person)[2:6] == ["qwen3-8b", "qwen3-8b@q2_k", "qwen3-8b@q4_k_m", "qwen3-8b@q8_0"]
        await go_to(person, "qwen3-8b@q8_0")
        await person.press("enter")
        assert isinstance(person.app.screen, LoadDialog)
        assert "qwen3-8b-q8_0" in person.text()
        await person.press("escape")
        await person.press("left")
        assert names(person)[2:] == ["qwen3-8b", "broken"]
        row = screen_of(person).row
        assert row is not None
        assert row.name == "qwen3-8b"


@pytest.mark.usefixtures("own")
async def test_loading_uses_the_model_and_comes_back_to_the_chat(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        await open_library(person)
        await go_to(person, "gemma-q4_k_m")
        await person.press("enter", "enter")
        await person.until(lambda: person.app.screen is person.chat)
        assert "gemma-q4_k_m" in person.top
        assert workbench.models["gemma-q4_k_m"].config == LoadConfig()
        await open_library(person)
        row = next(row for row in person.rows() if "gemma-q4_k_m" in row)
        assert "●" in row
        await person.press("U")
        await person.until(lambda: not workbench.models)


@pytest.mark.usefixtures("own")
async def test_filter_by_name_and_ability(workbench: FakeWorkbench) -> None:
    async with person_at(workbench, (80, 24)) as person:
        await open_library(person)
        await person.press("slash", *"ollama")
        assert names(person) == ["llama:1b"]
        await person.press("enter", "escape")
        assert len(names(person)) == 4
        await person.press("slash", *"tools")
        assert names(person) == ["gemma-q4_k_m", "llama:1b", "qwen3-8b"]
        assert "My models · /tools" in person.text()


@pytest.mark.usefixtures("own")
async def test_sorting_and_pinning(workbench: FakeWorkbench) -> None:
    workbench.usage.note(workbench.catalogue.find("llama:1b"))  # type: ignore[attr-defined]
    async with person_at(workbench) as person:
        await open_library(person)
        await person.press("s")
        assert names(person)[0] == "llama:1b"
        assert "by last used" in person.text()
        await person.press("s")
        assert names(person)[0] == "qwen3-8b"
        await go_to(person, "gemma-q4_k_m")
        await person.press("p")
        assert names(person)[0] == "gemma-q4_k_m"
        assert "★" in person.text()
        await person.press("p")
        assert names(person)[0] == "qwen3-8b"
    assert workbench.settings.get("library_sort") == "size"


async def test_delete_and_undo(workbench: FakeWorkbench, own: Path) -> None:
    async with person_at(workbench) as person:
        await open_library(person)
        await go_to(person, "gemma-q4_k_m")
        await person.press("d")
        await person.until(lambda: "gemma-q4_k_m" not in names(person))
        assert not (own / "gemma-Q4_K_M.gguf").exists()
        assert "u brings it back" in person.toasts()
        await person.press("u")
        await person.until(lambda: "gemma-q4_k_m" in names(person))
        assert (own / "gemma-Q4_K_M.gguf").exists()


async def test_all_variants_are_deleted_only_when_asked(workbench: FakeWorkbench, own: Path) -> None:
    async with person_at(workbench) as person:
        await open_library(person)
        await go_to(person, "qwen3-8b")
        await person.press("d")
        assert "All 3 variants" in person.text()
        await person.press("escape")
        assert (own / "qwen" / "Qwen3-8B-GGUF" / "Qwen3-8B-Q2_K.gguf").exists()
        await person.press("d", "y")
        await person.until(lambda: "qwen3-8b" not in names(person))
        assert not (own / "qwen").exists()
        await person.press("X")
        assert "cannot be brought back" in person.text()
        await person.press("y")
        await person.until(lambda: not any((own / ".trash").iterdir()))


@pytest.mark.usefixtures("own")
async def test_models_of_others_are_refused_with_their_command(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        await open_library(person)
        await go_to(person, "llama:1b")
        await person.press("d")
        assert "ollama rm llama:1b" in person.toasts()
        assert "llama:1b" in names(person)


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("size", SIZES)
async def test_details(workbench: FakeWorkbench, size: tuple[int, int]) -> None:
    async with person_at(workbench, size) as person:
        await open_library(person)
        await go_to(person, "qwen3-8b")
        await person.press("m")
        await person.until(lambda: "general.architecture" in person.text())
        assert "12 F32" in person.text()
        await person.press("end")
        assert "more lines; space shows them" in person.text()
        await person.press("space", "end")
        assert "more lines" not in person.text()
        await person.press("right")
        await person.until(lambda: "A very good model." in person.text())
        await person.press("right")
        assert "qwen3-8b@q2_k" in person.text()
        await person.press("escape")
        assert screen_of(person).focused is screen_of(person).rows
        await person.press("tab")
        assert screen_of(person).focused is screen_of(person).detail
        await person.press("escape", "escape")
        assert person.app.screen is person.chat


async def test_import(workbench: FakeWorkbench, own: Path, tmp_path: Path) -> None:
    file = put(tmp_path / "downloads" / "New-Q8_0.gguf", quantised(7, "New"))
    async with person_at(workbench, (80, 24)) as person:
        await open_library(person)
        await person.press("a")
        assert isinstance(person.app.screen, ImportDialog)
        await person.press(*"/nowhere.gguf")
        await person.until(lambda: "There is no file" in person.text())
        dialog = person.app.screen
        dialog.query_one("#import-file").value = str(file)  # type: ignore[attr-defined]
        await person.until(lambda: "imported/New/New-Q8_0.gguf" in person.text())
        await person.press("tab", *"me", "enter")
        await person.until(lambda: "of the form owner/name" in person.text())
        await person.press(*"/mine", "tab", "backspace", "backspace", "backspace", "backspace", "c", "enter")
        await person.until(lambda: isinstance(person.app.screen, LibraryScreen))
        await person.until(lambda: "new-q8_0" in names(person))
    assert (own / "me" / "mine" / "New-Q8_0.gguf").exists()
    assert file.exists()


async def test_empty_library_says_what_to_do(workbench: FakeWorkbench) -> None:
    workbench.catalogue.on_disk.clear()
    async with person_at(workbench, (80, 24)) as person:
        await person.press("f2")
        await person.until(lambda: "No models yet." in person.text())
        assert "press a to import" in " ".join(person.text().split())


async def test_screen_does_not_wait_for_the_disk(
    workbench: FakeWorkbench, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = threading.Event()
    held: list[Path] = []

    def slow(path: Path, known: KnownTexts) -> Reading:
        if path.name.startswith("Late") and not held:
            held.append(path)
            may_go_on.wait(20)
        return read(path, known)

    monkeypatch.setattr("tui.models.scanner.read", slow)
    monkeypatch.setattr("tui.models.scanner._SHOW_EVERY", 0.0)
    async with person_at(workbench) as person:
        put(own / "Late-Q4_K_M.gguf", quantised(15, "Late"))
        try:
            await person.press("f2")
            await person.until(lambda: bool(held) and "gemma-q4_k_m" in names(person))
            assert "late-q4_k_m" not in names(person)
            await person.press("s")
            assert "by last used" in person.text(), "keys work meanwhile"
            await person.press("escape", "ctrl+o")
            await person.until(lambda: "gemma-q4_k_m" in person.text())
        finally:
            may_go_on.set()
        await person.until(lambda: "late-q4_k_m" in person.text())


def test_the_letters_are_explained_where_there_is_room() -> None:
    so_far = SoFar((ModelInfo("a", Path("a.gguf"), 2**30),), done=True)
    assert sums_text(so_far, 1, "name", 60) == "1 model · 1.0 GB · by name"
    assert sums_text(so_far, 1, "name", 80).startswith("T tools V vision R reasoning E embeds · 1 model")
    reading = sums_text(SoFar(so_far.models, 3, 1500), 1, "last used", 74)
    assert reading == "reading 3 of 1,500 files · 1 model · 1.0 GB · by last used"
    assert len(sums_text(SoFar((), done=True), 10, "last used", 74)) <= 74


async def test_a_filter_shows_what_comes_first(workbench: FakeWorkbench, own: Path) -> None:  # noqa: ARG001
    async with person_at(workbench) as person:
        await open_library(person)
        await person.press("end", "slash", *"a")
        shown = names(person)
        assert "broken" not in shown
        row = screen_of(person).row
        assert row is not None
        assert row.name == shown[0]


def test_the_facts_name_what_the_maker_of_a_model_lets_one_choose() -> None:
    fields = (CustomField("think", "Thinking", "boolean", True), CustomField("n", "Budget", "number", 8, whole=True))
    info = ModelInfo("a/v", Path("/m.gguf"), 1, custom_fields=fields)
    assert ("own settings", "Thinking=on, Budget=8") in facts(ModelRow(info, "a/v"))
