"""The list of threads: open, filter, rename, delete and undo, and two models answering at once."""

from __future__ import annotations

from typing import cast

import pytest

from tests.app.driving import add_thread, person_at
from tests.app.fake_workbench import FakeWorkbench
from tui.app.drafts import Drafts
from tui.domain import EngineFault
from tui.workbench import Workbench

NARROW = (80, 24)


async def test_wide_shows_the_list_and_narrow_does_not(ready: FakeWorkbench) -> None:
    add_thread(ready, "Regex help")
    async with person_at(ready) as person:
        assert person.chat.thread_list.display
    again = FakeWorkbench(ready.root)
    async with person_at(again, NARROW) as person:
        assert not person.chat.thread_list.display
        await person.press("ctrl+t")
        assert person.chat.thread_list.display
        assert person.chat.thread_list.has_focus
        assert "Regex help" in person.text()
        await person.press("ctrl+t")
        assert not person.chat.thread_list.display
        assert person.chat.composer.has_focus
    again.close()


async def test_ctrl_t_focuses_then_hides_the_list_when_wide(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.press("ctrl+t")
        assert person.chat.thread_list.has_focus
        await person.press("ctrl+t")
        assert not person.chat.thread_list.display
        await person.press("ctrl+t")
        assert person.chat.thread_list.display


async def test_enter_opens_the_thread_and_closes_the_overlay(ready: FakeWorkbench) -> None:
    add_thread(ready, "older words", "an old reply")
    add_thread(ready, "newer words")
    async with person_at(ready, NARROW) as person:
        await person.press("ctrl+t", "down", "enter")
        assert "an old reply" in person.text()
        assert not person.chat.thread_list.display
        assert person.chat.composer.has_focus


async def test_ctrl_n_starts_an_empty_thread(ready: FakeWorkbench) -> None:
    add_thread(ready, "words of before")
    ready.settings.set("last_thread", ready.threads.list_threads()[0].id)
    async with person_at(ready, NARROW) as person:
        assert "words of before" in person.text()
        await person.press("ctrl+n")
        assert "words of before" not in person.text()
        await person.ask("fresh start")
        assert len(ready.threads.list_threads()) == 2


async def test_rename_with_r(ready: FakeWorkbench) -> None:
    thread_id = add_thread(ready, "clumsy title")
    async with person_at(ready) as person:
        await person.press("ctrl+t", "r")
        await person.type("Fine title")
        await person.press("enter")
        summary = ready.threads.thread(thread_id)
        assert summary is not None
        assert summary.title == "Fine title"
        assert "Fine title" in person.text()


async def test_escape_keeps_the_old_title(ready: FakeWorkbench) -> None:
    thread_id = add_thread(ready, "good title")
    async with person_at(ready) as person:
        await person.press("ctrl+t", "r", "x", "escape")
        summary = ready.threads.thread(thread_id)
        assert summary is not None
        assert summary.title == "good title"


async def test_delete_says_how_to_undo_and_u_undoes(ready: FakeWorkbench) -> None:
    add_thread(ready, "the only thread", "with an answer")
    ready.settings.set("last_thread", ready.threads.list_threads()[0].id)
    async with person_at(ready) as person:
        await person.press("ctrl+t", "d")
        assert ready.threads.list_threads() == []
        assert "u undoes it" in person.toasts()
        assert "No threads yet." in person.text()
        assert "with an answer" not in person.text()
        await person.press("u")
        assert [thread.title for thread in ready.threads.list_threads()] == ["the only thread"]
        assert "with an answer" in person.text()


async def test_undo_from_the_composer_by_the_go_overlay(ready: FakeWorkbench) -> None:
    add_thread(ready, "come back")
    async with person_at(ready) as person:
        await person.press("ctrl+t", "d", "escape")
        assert person.chat.composer.has_focus
        await person.press("ctrl+g", "u")
        assert len(ready.threads.list_threads()) == 1


async def test_deleting_a_thread_stops_its_answer_and_keeps_it(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("long story")
        ready.answers[0].generation.say("Once upon a time")
        await person.press("ctrl+t", "d")
        assert ready.answers[0].generation.cancelled
        await person.hear()
        await person.press("u")
        assert "Once upon a time" in person.text()


async def test_filter_narrows_the_list_and_escape_shows_all(ready: FakeWorkbench) -> None:
    for title in ("Regex help", "Trip packing", "Linear algebra"):
        add_thread(ready, title)
    async with person_at(ready) as person:
        await person.press("ctrl+t", "slash")
        await person.type("re")
        assert "/re" in person.text()
        assert "Regex help" in person.text()
        assert "Trip packing" not in person.text()
        await person.press("x", "x")
        assert "Nothing matches" in person.text()
        await person.press("backspace", "backspace", "enter", "enter")
        assert person.chat.transcript.border_title == "Regex help"
        await person.press("ctrl+t", "escape")
        assert "Trip packing" in person.text()


async def test_letters_in_the_filter_are_not_commands(ready: FakeWorkbench) -> None:
    add_thread(ready, "add dummy order")
    async with person_at(ready) as person:
        await person.press("ctrl+t", "slash", "d", "u")
        assert len(ready.threads.list_threads()) == 1
        assert "/du" in person.text()


async def test_two_threads_generate_at_once_and_switching_shows_all_text(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("first thread")
        one = ready.answers[0].generation
        one.say("alpha ")
        await person.hear()
        await person.press("ctrl+n")
        await person.ask("second thread")
        two = ready.answers[1].generation
        two.say("omega ")
        one.say("beta ")
        await person.hear()
        assert "omega" in person.text()
        assert "beta" not in person.text()
        assert person.text().count("● ") >= 3  # the loaded model, and both threads
        await person.press("ctrl+t", "down", "enter")
        assert "alpha beta" in person.text()
        one.say("gamma")
        two.say("psi")
        await person.hear()
        assert "alpha beta gamma" in person.text()
        one.finish()
        two.finish()
        await person.hear()
        await person.press("ctrl+t", "g", "enter")
        assert "omega psi" in person.text()
        assert person.text().count("● ") == 1
        texts = {t.id: ready.threads.messages(t.id)[-1].message.text for t in ready.threads.list_threads()}
        assert sorted(texts.values()) == ["alpha beta gamma", "omega psi"]


async def test_failure_in_a_thread_out_of_sight_is_announced(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("doomed thread")
        await person.press("ctrl+n")
        ready.answers[0].generation.fail(EngineFault("The decode failed.", "Load the model again."))
        await person.hear()
        assert "doomed thread" in person.toasts()
        assert "Load the model again." in person.toasts()


async def test_each_thread_keeps_its_draft(ready: FakeWorkbench) -> None:
    add_thread(ready, "bottom")
    add_thread(ready, "top")
    async with person_at(ready) as person:
        await person.type("for a new one")
        await person.press("ctrl+t", "enter")
        assert person.chat.composer.text == ""
        await person.type("for the top")
        await person.press("ctrl+t", "down", "enter")
        assert person.chat.composer.text == ""
        await person.press("ctrl+t", "up", "enter")
        assert person.chat.composer.text == "for the top"
        await person.press("ctrl+n")
        assert person.chat.composer.text == "for a new one"


async def test_draft_is_on_disk_soon_and_there_after_a_restart(ready: FakeWorkbench) -> None:
    thread_id = add_thread(ready, "a thread")
    ready.settings.set("last_thread", thread_id)
    async with person_at(ready) as person:
        await person.type("half a")
        await person.until(lambda: ready.threads.draft(thread_id) == "half a")
        await person.type(" thought")
    again = FakeWorkbench(ready.root)
    async with person_at(again) as person:
        assert person.chat.composer.text == "half a thought"
        await person.press("enter")
        assert again.threads.draft(thread_id) == ""
    again.close()


async def test_thousand_threads_list_draws_only_what_is_seen(ready: FakeWorkbench) -> None:
    for number in range(300):
        ready.threads.create_thread(f"thread {number}")
    async with person_at(ready) as person:
        await person.press("ctrl+t", "G")
        assert "thread 0 " in person.text()
        await person.press("g")
        assert "thread 299" in person.text()
        assert "300" in person.text()


def test_draft_that_is_saved_twice_at_once_is_saved(workbench: FakeWorkbench, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = Drafts(cast(Workbench, workbench), lambda _: None)
    put = workbench.settings.set
    calls: list[object] = []

    def put_while_another_does(name: str, value: object) -> None:
        calls.append(value)
        if len(calls) == 1:
            drafts.save_now("", "text")
        put(name, value)

    monkeypatch.setattr(workbench.settings, "set", put_while_another_does)
    drafts.save_now("", "text")
    assert calls == ["text", "text"]
    assert workbench.settings.get("new_thread_draft", "") == "text"
