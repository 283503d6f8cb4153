"""Search over everything, and jumping by a few letters."""

from __future__ import annotations

from tests.app.driving import add_thread, person_at
from tests.app.fake_workbench import FakeWorkbench
from tui.domain import text_message

NARROW = (80, 24)


async def test_search_shows_hits_while_typing_and_opens_the_message(ready: FakeWorkbench) -> None:
    add_thread(ready, "about birds", "the albatross flies far", *(f"filler {n}" for n in range(40)))
    add_thread(ready, "about fish", "the herring swims")
    async with person_at(ready, NARROW) as person:
        await person.press("ctrl+f")
        await person.type("albatr")
        await person.until(lambda: "albatross" in person.text())
        assert "about birds" in person.text()
        assert "herring" not in person.text()
        await person.press("enter")
        assert "the albatross flies far" in person.text()
        assert person.chat.transcript.has_focus
        cursor = person.chat.transcript.cursor_message()
        assert cursor is not None
        assert "albatross" in cursor.text


async def test_search_brings_back_another_version(ready: FakeWorkbench) -> None:
    thread_id = add_thread(ready, "question", "hidden walrus")
    answer = ready.threads.messages(thread_id)[-1]
    ready.threads.editor.edit(answer.id, text_message("assistant", "shown seal"))
    async with person_at(ready) as person:
        await person.press("ctrl+f")
        await person.type("walrus")
        await person.until(lambda: "hidden walrus" in person.text())
        await person.press("enter")
        assert "1 of 2" in person.text()
        assert "hidden walrus" in person.text()


async def test_search_without_a_hit_says_so_and_escape_leaves(ready: FakeWorkbench) -> None:
    add_thread(ready, "about birds")
    async with person_at(ready, NARROW) as person:
        await person.press("ctrl+f")
        await person.type("zebra")
        await person.until(lambda: "No message and no title" in person.text())
        await person.press("enter")
        assert "Search all threads" in person.text()
        await person.press("escape")
        assert "Search all threads" not in person.text()


async def test_jump_by_a_few_letters(ready: FakeWorkbench) -> None:
    for title in ("Linear algebra homework", "Trip packing", "Regex help"):
        add_thread(ready, title)
    async with person_at(ready, NARROW) as person:
        await person.press("ctrl+g", "j")
        await person.until(lambda: "Trip packing" in person.text())
        await person.type("lnalg")
        await person.until(lambda: "Trip packing" not in person.text())
        await person.press("enter")
        assert person.chat.transcript.border_title == "Linear algebra homework"


async def test_sent_before_comes_back_with_the_arrow(ready: FakeWorkbench) -> None:
    add_thread(ready, "an older message")
    async with person_at(ready) as person:
        await person.ask("the newest")
        ready.answers[0].generation.finish()
        await person.hear()
        await person.press("up")
        assert person.chat.composer.text == "the newest"
        await person.press("up")
        assert person.chat.composer.text == "an older message"
        await person.press("down", "down")
        assert person.chat.composer.text == ""
        await person.type("draft")
        await person.press("up")
        assert person.chat.composer.text == "draft"
        await person.press("alt+up")
        assert person.chat.composer.text == "the newest"
        await person.press("alt+down")
        assert person.chat.composer.text == "draft"


async def test_tokens_of_the_draft_and_what_will_be_left_out(ready: FakeWorkbench) -> None:
    add_thread(ready, "something")
    async with person_at(ready, NARROW) as person:
        await person.type("three little words")
        await person.until(lambda: "3 tok ·" in person.text())
        ready.left_out = 4
        ready.models["Qwen3-8B-Q4_K_M"].config = type(ready.models["Qwen3-8B-Q4_K_M"].config)(context_length=4)
        await person.chat.models.refresh()
        await person.type(" more")
        await person.until(lambda: "4 messages will be left out" in person.text())


async def test_model_gives_the_title_after_the_first_answer(ready: FakeWorkbench) -> None:
    ready.says = "“Sorting in Rust”"
    async with person_at(ready) as person:
        await person.ask("how do I sort a vector in rust")
        ready.answers[0].generation.say("Use sort.")
        ready.answers[0].generation.finish()
        await person.hear()
        assert ready.threads.list_threads()[0].title == "Sorting in Rust"
        await person.ask("thanks")
        ready.answers[1].generation.finish()
        await person.hear()
        assert len(ready.requests) == 1


async def test_enter_before_anything_is_found_takes_the_first_that_is(ready: FakeWorkbench) -> None:
    for title in ("Trip packing", "Regex help"):
        add_thread(ready, title)
    async with person_at(ready, NARROW) as person:
        await person.press("ctrl+g", "j")
        await person.pilot.press(*"trip", "enter")
        await person.until(lambda: person.chat.transcript.border_title == "Trip packing")


async def test_an_archived_thread_says_so_when_it_is_found(ready: FakeWorkbench) -> None:
    ready.threads.archive_thread(add_thread(ready, "old stuff"), True)
    async with person_at(ready, NARROW) as person:
        await person.press("ctrl+g", "j")
        await person.type("old")
        await person.until(lambda: "archived" in person.text())
        await person.press("enter")
        assert "old stuff · archived" in person.rows()[1]


async def test_a_title_that_the_model_finds_can_be_taken_back(ready: FakeWorkbench) -> None:
    thread_id = add_thread(ready, "how do I sort", "Use sort.")
    ready.says = "Sorting"

    def title() -> str:
        return ready.threads.list_threads()[0].title

    async with person_at(ready) as person:
        await person.press("ctrl+t", "t")
        assert title() == "Sorting"
        assert "Title: Sorting. u undoes it" in person.toasts()
        await person.press("u")
        assert title() == "how do I sort"
        ready.says = ""
        await person.press("t")
        assert "The model found no title." in person.toasts()
        ready.threads.rename_thread(thread_id, "Mine")
        await person.chat.refresh_threads()
        await person.press("t")
        assert "You have named this thread yourself." in person.toasts()
        assert len(ready.requests) == 2
