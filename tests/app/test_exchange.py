"""Export and import from the screen."""

from __future__ import annotations

from pathlib import Path

from tests.app.driving import add_thread, person_at
from tests.app.fake_workbench import FakeWorkbench

NARROW = (80, 24)


async def test_export_asks_for_format_and_place_and_says_where(ready: FakeWorkbench, tmp_path: Path) -> None:
    ready.settings.set("last_thread", add_thread(ready, "Where do they sleep", "In the water."))
    async with person_at(ready, NARROW) as person:
        await person.press("ctrl+g", "X")
        await person.until(lambda: "Markdown" in person.text())
        await person.press("enter")
        assert "Export to" in person.text()
        await person.press("ctrl+u")
        await person.type(str(tmp_path / "out" / "walrus.md"))
        await person.press("enter")
        assert "walrus.md" in person.toasts()
        assert "In the water." in (tmp_path / "out" / "walrus.md").read_text()
        assert ready.settings.get("export_folder") == str(tmp_path / "out")


async def test_one_message_is_exported_alone(ready: FakeWorkbench, tmp_path: Path) -> None:
    ready.settings.set("last_thread", add_thread(ready, "Where do they sleep", "In the water."))
    ready.settings.set("export_folder", str(tmp_path))
    async with person_at(ready) as person:
        await person.press("escape", "x")
        await person.until(lambda: "Markdown" in person.text())
        await person.press("enter", "enter")
        (written,) = tmp_path.glob("*.md")
        text = written.read_text()
        assert "In the water." in text
        assert '"role": "user"' not in text  # what was asked is there as the title only


async def test_place_that_cannot_be_written_is_said(ready: FakeWorkbench, tmp_path: Path) -> None:
    ready.settings.set("last_thread", add_thread(ready, "Where do they sleep"))
    (tmp_path / "taken").write_text("a file")
    ready.settings.set("export_folder", str(tmp_path / "taken"))
    async with person_at(ready) as person:
        await person.press("ctrl+g", "X")
        await person.until(lambda: "Markdown" in person.text())
        await person.press("enter", "enter")
        assert "taken" in person.toasts()
        assert "Something went wrong" not in person.toasts()


async def test_folder_goes_out_and_comes_back(ready: FakeWorkbench, tmp_path: Path) -> None:
    folder = ready.threads.folders.create("Animals")
    ready.threads.move_thread(add_thread(ready, "Where do they sleep", "In the water."), folder.id)
    ready.settings.set("export_folder", str(tmp_path))
    async with person_at(ready) as person:
        await person.press("ctrl+t", "g", "x")
        await person.until(lambda: "everything" in person.text())
        await person.type("every")
        await person.until(lambda: "Markdown" not in person.text())
        await person.press("enter", "enter")
        assert (tmp_path / "Animals.zip").exists()
        await person.press("d")
        assert ready.threads.list_threads() == []
        await person.press("ctrl+g", "I")
        await person.until(lambda: "Animals.zip" in person.text())
        await person.type("Ani")
        await person.press("enter")
        await person.until(lambda: "In the water." in person.text())
        await person.press("ctrl+g", "u")
        assert ready.threads.list_threads() == []
