"""Writing: growing, pasting, and what stands for a long paste."""

from __future__ import annotations

import time

from textual import events

from tests.app.driving import person_at
from tests.app.fake_workbench import FakeWorkbench


async def test_grows_with_its_text_up_to_a_limit(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        heights = []
        for _ in range(9):
            heights.append(person.chat.composer.size.height)
            await person.press("ctrl+j")
        assert heights[0] == 2
        assert heights[-1] == 6
        assert heights == sorted(heights)


async def test_pasted_megabytes_are_kept_whole_and_do_not_freeze(ready: FakeWorkbench) -> None:
    text = "some line of text\r\n" * 200_000
    async with person_at(ready) as person:
        await person.type("look: ")
        began = time.monotonic()
        person.app.post_message(events.Paste(text))
        await person.settle()
        assert time.monotonic() - began < 2
        assert "[pasted text 1: 3,600,000 characters]" in person.chat.composer.text
        await person.type(" end")
        expected = "look: " + text.replace("\r\n", "\n") + " end"
        assert person.chat.composer.message_text == expected


async def test_long_paste_is_sent_whole(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        person.app.post_message(events.Paste("a word\n" * 2_000))
        await person.settle()
        await person.press("enter")
        thread = ready.threads.list_threads()[0]
        assert ready.threads.messages(thread.id)[0].message.text == "a word\n" * 2_000
        assert person.chat.composer.text == ""


async def test_deleting_the_word_deletes_the_paste_and_undo_brings_it_back(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        person.app.post_message(events.Paste("x" * 20_000))
        await person.settle()
        await person.press("ctrl+u")
        assert person.chat.composer.message_text == ""
        await person.press("ctrl+z")
        assert person.chat.composer.message_text == "x" * 20_000


async def test_short_paste_is_plain_text(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        person.app.post_message(events.Paste("two\r\nlines"))
        await person.settle()
        assert person.chat.composer.text == "two\nlines"


async def test_long_draft_comes_back_whole(ready: FakeWorkbench) -> None:
    thread = ready.threads.create_thread("long")
    ready.threads.save_draft(thread.id, "word " * 10_000)
    ready.settings.set("last_thread", thread.id)
    async with person_at(ready) as person:
        assert person.chat.composer.message_text == "word " * 10_000
        assert len(person.chat.composer.text) < 100
