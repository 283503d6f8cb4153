"""Two threads side by side, each with its own answer and draft."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection

import pytest

from tests.app.driving import Person, add_thread, person_at
from tests.app.fake_workbench import FakeWorkbench
from tui.app.attachments import parts_of

NARROW = (80, 24)


async def two_threads(person: Person) -> None:
    """One question in each of two transcripts; the second one is written to."""
    await person.ask("first thread")
    await person.press("ctrl+backslash")
    await person.ask("second thread")


async def test_both_generate_and_both_are_seen(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await two_threads(person)
        one, two = (answer.generation for answer in ready.answers)
        one.say("alpha")
        two.say("omega")
        await person.hear()
        assert "alpha" in person.text()
        assert "omega" in person.text()
        row = next(row for row in person.rows() if "first thread" in row and "second thread" in row)
        assert row.index("first thread") < row.index("second thread")
        one.say(" beta")
        two.say(" psi")
        one.finish()
        two.finish()
        await person.hear()
        assert "alpha beta" in person.text()
        assert "omega psi" in person.text()
        saved = sorted(ready.threads.messages(t.id)[-1].message.text for t in ready.threads.list_threads())
        assert saved == ["alpha beta", "omega psi"]


async def test_narrow_screen_switches_between_the_two(ready: FakeWorkbench) -> None:
    async with person_at(ready, NARROW) as person:
        await two_threads(person)
        one, two = (answer.generation for answer in ready.answers)
        one.say("alpha")
        two.say("omega")
        await person.hear()
        assert "omega" in person.text()
        assert "alpha" not in person.text()
        assert "2/2" in person.text()
        await person.press("f6")
        assert "alpha" in person.text()
        assert "omega" not in person.text()
        one.say(" beta")
        await person.hear()
        assert "alpha beta" in person.text()
        await person.press("ctrl+right_square_bracket")
        assert "omega" in person.text()


async def test_draft_goes_and_comes_with_its_thread(ready: FakeWorkbench) -> None:
    add_thread(ready, "left one")
    ready.settings.set("last_thread", ready.threads.list_threads()[0].id)
    async with person_at(ready) as person:
        await person.type("for the left")
        await person.press("ctrl+backslash")
        assert person.chat.composer.text == ""
        await person.type("for the right")
        await person.press("f6")
        assert person.chat.composer.text == "for the left"
        await person.press("f6")
        assert person.chat.composer.text == "for the right"


async def test_focus_on_a_transcript_takes_the_composer_along(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await two_threads(person)
        person.chat.transcript_of(0).focus()
        await person.settle()
        assert person.chat.active == 0
        await person.press("ctrl+c")
        assert ready.answers[0].generation.cancelled
        assert not ready.answers[1].generation.cancelled


async def test_one_alone_again_and_the_other_goes_on(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await two_threads(person)
        await person.press("ctrl+backslash")
        assert not person.chat.split
        assert person.chat.transcript.border_title == "second thread"
        ready.answers[0].generation.say("unseen")
        ready.answers[0].generation.finish()
        await person.hear()
        first = next(thread for thread in ready.threads.list_threads() if thread.title == "first thread")
        assert ready.threads.messages(first.id)[-1].message.text == "unseen"
        await person.press("ctrl+t", "g", "enter")
        assert "unseen" in person.text()


async def test_thread_that_is_open_already_is_gone_to(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await two_threads(person)
        first = next(thread for thread in ready.threads.list_threads() if thread.title == "first thread")
        await person.chat.open_thread(first.id)
        assert person.chat.active == 0
        assert person.chat.conversations[1].thread_id != first.id


async def test_open_beside_from_the_list(ready: FakeWorkbench) -> None:
    add_thread(ready, "older", "old answer")
    add_thread(ready, "newer", "new answer")
    ready.settings.set("last_thread", ready.threads.list_threads()[0].id)
    async with person_at(ready) as person:
        await person.press("ctrl+t", "down", "o")
        assert "old answer" in person.text()
        assert "new answer" in person.text()
        assert person.chat.transcript.border_title == "▸2/2 · older"


async def test_message_goes_to_the_thread_in_front_of_which_enter_was_pressed(
    ready: FakeWorkbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = threading.Event()

    def slow(text: str, attached: Collection[str]) -> object:
        read.wait(10)
        return parts_of(text, attached)

    async with person_at(ready, NARROW) as person:
        await person.ask("first thread")
        await person.press("ctrl+backslash")
        await person.type("second thread")
        monkeypatch.setattr("tui.app.attachments.parts_of", slow)
        await person.pilot.press("enter")
        await person.pilot.press("f6")
        await person.pilot.pause()
        read.set()
        await person.until(lambda: len(ready.threads.list_threads()) == 2)
        assert "1/2" in person.text()
        assert person.chat.composer.text == ""
        asked = {thread.title: len(ready.threads.messages(thread.id)) for thread in ready.threads.list_threads()}
        assert asked == {"first thread": 2, "second thread": 2}


async def test_what_is_typed_while_a_thread_is_opened_is_for_that_thread(
    ready: FakeWorkbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread_id = add_thread(ready, "older", "its answer")
    ready.threads.save_draft(thread_id, "kept")
    opened = threading.Event()
    read_now = ready.threads.last_messages

    def slow(thread_id: str, count: int) -> object:
        opened.wait(10)
        return read_now(thread_id, count)

    async def type_while_it_opens(person: Person, *keys: str) -> None:
        opened.clear()
        opening = asyncio.create_task(person.chat.open_thread(thread_id))
        await person.pilot.press(*keys)
        opened.set()
        await opening
        await person.settle()

    async with person_at(ready, NARROW) as person:
        monkeypatch.setattr(ready.threads, "last_messages", slow)
        await type_while_it_opens(person, "h", "i", "enter")
        # What had been kept there stands before it, so that it is not sent unseen.
        assert person.chat.composer.text == "kept\nhi"
        assert "Not sent" in person.toasts()
        assert len(ready.threads.messages(thread_id)) == 2
        await type_while_it_opens(person, "!")
        assert person.chat.composer.text == "kept\nhi!"
        await person.press("backspace", "enter")
        assert ready.threads.messages(thread_id)[2].message.text == "kept\nhi"
