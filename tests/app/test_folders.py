"""The list of threads as a tree: folders, order, pins, archive and trash."""

from __future__ import annotations

from tests.app.driving import Person, add_thread, person_at
from tests.app.fake_workbench import FakeWorkbench
from tui.threads import ThreadSettings

NARROW = (80, 24)


def rows(person: Person) -> list[str]:
    """What the list shows, without ages and counts."""
    shown = person.chat.thread_list
    return [
        "".join(text for text, _ in shown.pieces(item, 60, at_cursor=False)[: None if item.folder else -1]).rstrip()
        for item in shown._shown
    ]


async def test_folder_thread_in_it_collapse_and_expand(ready: FakeWorkbench) -> None:
    add_thread(ready, "outside")
    async with person_at(ready, NARROW) as person:
        await person.press("ctrl+t", "F")
        await person.type("Work")
        await person.press("enter")
        assert "▾ Work" in person.text()
        await person.press("n")
        assert person.chat.composer.has_focus
        await person.ask("inside")
        thread = next(thread for thread in ready.threads.list_threads() if thread.title == "inside")
        assert thread.folder_id == ready.threads.folders.all()[0].id
        await person.press("ctrl+t")
        assert any(row.endswith("inside") for row in rows(person))
        await person.press("space")
        assert not any(row.endswith("inside") for row in rows(person))
        assert "▸ Work" in person.text()
        assert ready.threads.folders.all()[0].collapsed
        await person.press("enter")
        assert any(row.endswith("inside") for row in rows(person))


async def test_nested_folders_rename_and_move(ready: FakeWorkbench) -> None:
    add_thread(ready, "wanderer")
    outer = ready.threads.folders.create("Outer")
    ready.threads.folders.create("Inner", parent_id=outer.id)
    async with person_at(ready) as person:
        await person.press("ctrl+t", "G", "m")
        await person.type("inn")
        await person.until(lambda: "Outer / Inner" in person.text() and "outside all" not in person.text())
        await person.press("enter")
        inner = next(folder for folder in ready.threads.folders.all() if folder.title == "Inner")
        assert ready.threads.list_threads()[0].folder_id == inner.id
        await person.press("g", "r", "ctrl+u")
        await person.type("Renamed")
        await person.press("enter")
        assert any("Renamed" in row for row in rows(person))
        await person.press("u", "u")
        assert ready.threads.list_threads()[0].folder_id is None
        assert any("Outer" in row for row in rows(person))


async def test_move_makes_a_folder_that_is_not_there(ready: FakeWorkbench) -> None:
    add_thread(ready, "wanderer")
    async with person_at(ready) as person:
        await person.press("ctrl+t", "m")
        await person.type("Fresh")
        await person.until(lambda: "new folder “Fresh”" in person.text())
        await person.press("enter")
        (folder,) = ready.threads.folders.all()
        assert folder.title == "Fresh"
        assert ready.threads.list_threads()[0].folder_id == folder.id


async def test_deleting_a_folder_and_undo(ready: FakeWorkbench) -> None:
    folder = ready.threads.folders.create("Work")
    thread_id = add_thread(ready, "inside")
    ready.threads.move_thread(thread_id, folder.id)
    ready.settings.set("last_thread", thread_id)
    async with person_at(ready) as person:
        assert "inside" in person.text()
        await person.press("ctrl+t", "g", "d")
        assert ready.threads.folders.all() == []
        assert ready.threads.list_threads() == []
        assert person.chat.conversation.thread_id == ""
        await person.press("u")
        assert [folder.title for folder in ready.threads.folders.all()] == ["Work"]
        assert [thread.title for thread in ready.threads.list_threads()] == ["inside"]


async def test_pin_sort_and_order_by_hand(ready: FakeWorkbench) -> None:
    for title in ("alpha", "beta", "gamma"):
        add_thread(ready, title)
    async with person_at(ready) as person:
        await person.press("ctrl+t", "G", "p")
        assert rows(person)[0].lstrip().startswith("★ alpha")
        await person.press("p")
        while ready.settings.get("thread_sort") != "title":
            await person.press("s")
        assert [row.strip() for row in rows(person)] == ["alpha", "beta", "gamma"]
        await person.press("g", "J")
        assert ready.settings.get("thread_sort") == "manual"
        before = [row.strip() for row in rows(person)]
        await person.press("g", "J")
        assert [row.strip() for row in rows(person)] == [before[1], before[0], before[2]]
        await person.press("K")
        assert [row.strip() for row in rows(person)] == before


async def test_duplicate(ready: FakeWorkbench) -> None:
    thread_id = add_thread(ready, "original", "its answer")
    async with person_at(ready) as person:
        await person.press("ctrl+t", "c")
        assert len(ready.threads.list_threads()) == 2
        assert person.chat.conversation.thread_id != thread_id
        assert "its answer" in person.text()


async def test_copies_are_told_apart_where_the_list_cuts_their_titles(ready: FakeWorkbench) -> None:
    add_thread(ready, "A title that is longer than the list is wide")
    async with person_at(ready, NARROW) as person:
        await person.press("ctrl+t", "c")
        assert any("A title that is longe… (copy) " in row for row in person.rows())
        await person.press("c")
        assert any("A title that is lon… (copy 2) " in row for row in person.rows())


async def test_copies_are_told_apart_in_the_narrow_list_of_a_wide_screen(ready: FakeWorkbench) -> None:
    add_thread(ready, "A title that is longer than the list is wide")
    async with person_at(ready) as person:
        await person.press("ctrl+t", "c", "c")
        assert any("… (copy 2) " in row for row in person.rows())


async def test_what_works_on_threads_only_says_so_on_a_folder(ready: FakeWorkbench) -> None:
    ready.threads.folders.create("Work")
    async with person_at(ready, NARROW) as person:
        await person.press("ctrl+t", "g")
        for number, key in enumerate("capt", start=1):
            await person.press(key)
            assert person.notices.count("That works on threads, not on folders.") == number


async def test_archive_and_back(ready: FakeWorkbench) -> None:
    add_thread(ready, "old stuff", "its answer")
    async with person_at(ready, NARROW) as person:
        await person.press("ctrl+t", "A")
        assert "The archive is empty." in person.toasts()
        await person.press("a")
        assert "“old stuff” is in the archive (ctrl+g A)" in person.toasts()
        assert ready.threads.list_threads() == []
        await person.press("A")
        await person.until(lambda: "old stuff" in person.text())
        await person.press("enter")
        assert [thread.title for thread in ready.threads.list_threads()] == ["old stuff"]
        assert "· archived" not in person.text()
        assert "its answer" in person.text()


async def test_trash_view_restores_and_empties_after_asking(ready: FakeWorkbench) -> None:
    for title in ("keep me", "lose me"):
        ready.threads.trash_thread(add_thread(ready, title))
    async with person_at(ready, NARROW) as person:
        await person.press("ctrl+g", "T")
        await person.until(lambda: "keep me" in person.text())
        await person.type("keep")
        await person.until(lambda: "lose me" not in person.text())
        await person.press("enter")
        assert [thread.title for thread in ready.threads.list_threads()] == ["keep me"]
        person.chat.action_view("empty_trash")
        await person.settle()
        assert "1 thread in the trash would be gone for good" in " ".join(person.text().split())
        await person.press("n")
        assert len(ready.threads.list_threads("trashed")) == 1
        person.chat.action_view("empty_trash")
        await person.settle()
        await person.press("y")
        assert ready.threads.list_threads("trashed") == []


async def test_system_prompt_of_a_new_thread_and_what_the_folder_says(ready: FakeWorkbench) -> None:
    folder = ready.threads.folders.create("Work")
    ready.threads.folders.save_settings(folder.id, ThreadSettings(system_prompt="Be formal."))
    async with person_at(ready) as person:
        await person.press("ctrl+t", "g", "n", "ctrl+g", "S")
        assert "takes that of the folder “Work”: Be formal." in " ".join(person.text().split())
        await person.type("Be brief.")
        await person.press("ctrl+s")
        thread_id = person.chat.conversation.thread_id
        assert ready.threads.effective_settings(thread_id).system_prompt == "Be brief."


async def test_folder_defaults_choose_the_model(ready: FakeWorkbench) -> None:
    folder = ready.threads.folders.create("Work")
    async with person_at(ready) as person:
        await person.press("ctrl+t", "g", "f")
        await person.until(lambda: "System prompt" in person.text())
        await person.press("down", "enter")
        await person.until(lambda: "gemma-3-4b-it" in person.text())
        await person.type("gemma")
        await person.until(lambda: "Qwen3-8B" not in person.rows()[10])
        await person.press("enter", "escape")
        found = ready.threads.folders.get(folder.id)
        assert found is not None
        assert found.settings.model == "gemma-3-4b-it"
        await person.press("n")
        await person.ask("hello")
        assert ready.answers[0].model == "gemma-3-4b-it"


async def test_folder_defaults_show_that_their_preset_is_gone(ready: FakeWorkbench) -> None:
    folder = ready.threads.folders.create("Work")
    ready.threads.folders.save_settings(folder.id, ThreadSettings(preset="gone"))
    async with person_at(ready) as person:
        await person.press("ctrl+t", "g", "f")
        await person.until(lambda: "gone  (not installed)" in person.text())


async def test_folder_defaults_choose_a_preset_and_refuse_a_broken_one(ready: FakeWorkbench) -> None:
    folder = ready.threads.folders.create("Work")
    kind = ready.decisions.presets.create("Kind", {"sampling.temperature": 0.3})
    (ready.paths.presets / "sad.preset.json").write_text("{")

    def chosen() -> str | None:
        found = ready.threads.folders.get(folder.id)
        return found.settings.preset if found else ""

    async def choose(person: Person, name: str) -> None:
        await person.until(lambda: "System prompt" in person.text())
        await person.press("down", "down", "enter")
        await person.until(lambda: "broken" in person.text())
        await person.type(name)
        await person.until(lambda: len([row for row in person.rows() if "broken" in row]) == (name == "sad"))
        await person.press("enter")

    async with person_at(ready) as person:
        await person.press("ctrl+t", "g", "f")
        await choose(person, "sad")
        await person.until(lambda: "sad.preset.json is damaged" in person.toasts())
        assert chosen() is None
        await choose(person, "kind")
        await person.until(lambda: chosen() is not None)
        # A preset that is renamed is still the folder's.
        assert chosen() == kind.identifier
        ready.decisions.presets.rename("Kind", "Gentle")
        await person.press("escape", "f")
        await person.until(lambda: "Gentle" in person.text())


async def test_filter_looks_into_closed_folders(ready: FakeWorkbench) -> None:
    folder = ready.threads.folders.create("Work")
    ready.threads.move_thread(add_thread(ready, "needle"), folder.id)
    add_thread(ready, "hay")
    ready.threads.folders.set_collapsed(folder.id, True)
    async with person_at(ready) as person:
        assert not any("needle" in row for row in rows(person))
        await person.press("ctrl+t", "slash")
        await person.type("need")
        assert [row.strip() for row in rows(person)] == ["needle"]
        await person.press("escape")
        assert [row.strip() for row in rows(person)] == ["▸ Work", "hay"]
