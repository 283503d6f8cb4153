"""What can be done to the message under the cursor."""

from __future__ import annotations

import pytest

from tests.app.driving import Person, add_thread, person_at
from tests.app.fake_workbench import FakeWorkbench
from tui.app.screens.message_commands import with_reasoning, with_text
from tui.domain import ImagePart, Message, ReasoningPart, TextPart


def open_thread(workbench: FakeWorkbench, *texts: str) -> str:
    thread_id = add_thread(workbench, *texts)
    workbench.settings.set("last_thread", thread_id)
    return thread_id


def texts(workbench: FakeWorkbench, thread_id: str) -> list[str]:
    return [stored.message.text for stored in workbench.threads.messages(thread_id)]


async def rewrite(person: Person, text: str, *keep: str) -> None:
    """In the dialog that has opened: other words, and the key that keeps them."""
    await person.press("ctrl+u")
    await person.type(text)
    await person.press(*keep)


def test_another_text_leaves_reasoning_and_attachments_where_they_are() -> None:
    parts = (ReasoningPart("hm"), ImagePart(b"x"), TextPart("old"), TextPart(" words"))
    assert with_text(Message("user", parts), "new").parts == (ReasoningPart("hm"), ImagePart(b"x"), TextPart("new"))
    assert with_text(Message("user", (ReasoningPart("hm"),)), "new").parts == (ReasoningPart("hm"), TextPart("new"))
    changed = with_reasoning(Message("assistant", parts), "other").parts
    assert changed == (ReasoningPart("other"), ImagePart(b"x"), TextPart("old"), TextPart(" words"))
    assert with_reasoning(Message("assistant", parts), " ").parts[0] == ImagePart(b"x")


async def test_edit_in_place_and_undo(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, "question", "a wrong answer")
    async with person_at(ready) as person:
        await person.press("escape", "e")
        await rewrite(person, "the right answer", "ctrl+s")
        assert texts(ready, thread_id) == ["question", "the right answer"]
        assert "the right answer" in person.text()
        assert "edited" in person.text()
        await person.press("u")
        assert texts(ready, thread_id) == ["question", "a wrong answer"]
        assert "a wrong answer" in person.text()
        await person.press("U")
        assert "the right answer" in person.text()


async def test_escape_keeps_the_old_text_but_asks_first(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, "question")
    async with person_at(ready) as person:
        await person.press("escape", "e", "x", "escape")
        assert "Discard the changes?" in person.text()
        await person.press("escape")
        assert "Edit the message" in person.text()
        await person.press("escape", "y")
        assert texts(ready, thread_id) == ["question"]
        await person.press("e", "escape")
        assert "Discard" not in person.text()


async def test_new_version_of_a_question_is_answered_and_the_old_one_stays(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, "first wording", "first answer")
    async with person_at(ready) as person:
        await person.press("escape", "k", "e")
        await rewrite(person, "second wording", "ctrl+r")
        ready.answers[0].generation.say("second answer")
        ready.answers[0].generation.finish()
        await person.hear()
        assert texts(ready, thread_id) == ["second wording", "second answer"]
        shown = person.text()
        assert "2 of 2" in shown
        assert "first answer" not in shown
        await person.press("k", "left")
        assert texts(ready, thread_id) == ["first wording", "first answer"]
        assert "1 of 2" in person.text()
        assert "first answer" in person.text()
        await person.press("right")
        assert "second answer" in person.text()


async def test_regenerate_keeps_versions_and_arrows_switch(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, "roll a die", "four")
    async with person_at(ready) as person:
        await person.press("escape", "r")
        ready.answers[0].generation.say("six")
        ready.answers[0].generation.finish()
        await person.hear()
        assert "◂ 2 of 2 ▸" in person.text()
        assert "four" not in person.text()
        await person.press("left")
        assert "◂ 1 of 2 ▸" in person.text()
        assert "four" in person.text()
        assert texts(ready, thread_id) == ["roll a die", "four"]
        await person.press("left")
        assert "four" in person.text()


async def test_regenerating_in_the_middle_keeps_what_followed(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, "one", "answer one", "two", "answer two")
    async with person_at(ready) as person:
        await person.press("escape", "g", "r")
        ready.answers[0].generation.say("another answer one")
        ready.answers[0].generation.finish()
        await person.hear()
        assert texts(ready, thread_id) == ["one", "another answer one"]
        await person.press("left")
        assert texts(ready, thread_id) == ["one", "answer one", "two", "answer two"]
        assert "answer two" in person.text()


async def test_continue_goes_on_in_the_same_message(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, "count", "one two")
    async with person_at(ready) as person:
        await person.press("escape", "C")
        assert "one two" in person.text()
        ready.answers[0].generation.say(" three")
        await person.hear()
        assert "one two three" in person.text()
        ready.answers[0].generation.finish()
        await person.hear()
        assert texts(ready, thread_id) == ["count", "one two three"]
        assert person.text().count("one two") == 1


async def test_only_the_last_answer_is_continued(ready: FakeWorkbench) -> None:
    open_thread(ready, "count", "one two")
    async with person_at(ready) as person:
        await person.press("escape", "k", "C")
        assert "Only the last answer" in person.toasts()
        assert not ready.answers


async def test_branch_in_the_thread(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, "one", "answer one", "two", "answer two")
    async with person_at(ready) as person:
        await person.press("escape", "g", "j", "o")
        assert "answer two" not in person.text()
        assert "another branch" in person.text()
        assert person.chat.composer.has_focus
        await person.ask("instead of two")
        assert texts(ready, thread_id)[:3] == ["one", "answer one", "instead of two"]
        ready.answers[0].generation.say("fine")
        ready.answers[0].generation.finish()
        await person.hear()
        await person.press("escape", "k", "left")
        assert texts(ready, thread_id) == ["one", "answer one", "two", "answer two"]


async def test_branch_into_a_new_thread(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, "one", "answer one", "two")
    async with person_at(ready) as person:
        await person.press("escape", "k", "B")
        assert person.chat.conversation.thread_id != thread_id
        assert texts(ready, person.chat.conversation.thread_id) == ["one", "answer one"]
        assert texts(ready, thread_id) == ["one", "answer one", "two"]


async def test_delete_one_and_what_follows_moves_up(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, "one", "answer one", "two")
    async with person_at(ready) as person:
        await person.press("escape", "k", "d")
        assert texts(ready, thread_id) == ["one", "two"]
        assert "answer one" not in person.text()
        assert "u undoes it" in person.toasts()
        await person.press("u")
        assert texts(ready, thread_id) == ["one", "answer one", "two"]


async def test_notices_of_what_was_done_do_not_pile_up(ready: FakeWorkbench) -> None:
    open_thread(ready, "Q", "A")
    async with person_at(ready, (80, 24)) as person:
        person.app.warn("Mind this.")
        await person.press("escape", "d")
        await person.press("u")
        await person.press("d")
        on_screen = [notice.message for notice in person.app._notifications]
        assert on_screen == ["Mind this.", "Deleted a message. u undoes it (ctrl+g u anywhere)."]
        assert "Undone: Deleted a message." in person.toasts()


async def test_delete_from_here_on(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, "one", "answer one", "two")
    async with person_at(ready) as person:
        await person.press("escape", "k", "D")
        assert texts(ready, thread_id) == ["one"]
        await person.press("u")
        assert texts(ready, thread_id) == ["one", "answer one", "two"]


async def test_insert_without_generating_and_as_an_answer(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, "one", "answer one")
    async with person_at(ready) as person:
        await person.press("escape", "k", "a")
        await person.type("between")
        await person.press("ctrl+r")
        assert [(s.message.role, s.message.text) for s in ready.threads.messages(thread_id)] == [
            ("user", "one"), ("assistant", "between"), ("assistant", "answer one"),
        ]  # fmt: skip
        assert not ready.answers


async def test_note_is_in_the_thread_and_says_that_it_is_never_sent(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, "one", "answer one")
    async with person_at(ready) as person:
        await person.press("escape", "t")
        await person.type("remember this")
        await person.press("ctrl+s")
        assert "remember this" in person.text()
        assert "never sent" in person.text()
        assert [stored.kind for stored in ready.threads.messages(thread_id)] == ["message", "message", "note"]


async def test_switch_role(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, "one", "answer one")
    async with person_at(ready) as person:
        await person.press("escape", "s")
        assert [stored.message.role for stored in ready.threads.messages(thread_id)] == ["user", "user"]
        await person.press("u")
        assert [stored.message.role for stored in ready.threads.messages(thread_id)] == ["user", "assistant"]


@pytest.mark.parametrize("key", ["e", "d", "D", "s", "r", "C", "a", "o"])
async def test_nothing_is_changed_while_the_answer_is_coming(ready: FakeWorkbench, key: str) -> None:
    async with person_at(ready) as person:
        await person.ask("long story")
        ready.answers[0].generation.say("Once upon a time")
        await person.hear()
        await person.press("escape", key)
        assert len(person.app.screen_stack) == 1
        assert len(ready.answers) == 1
        assert texts(ready, person.chat.conversation.thread_id)[0] == "long story"
        assert "Once upon a time" in person.text()


async def test_next_message_stands_behind_an_answer_that_has_just_ended(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("one")
        ready.answers[0].generation.say("answer one")
        ready.answers[0].generation.finish()
        person.chat.bridge.drain()
        await person.ask("two")
        thread_id = person.chat.conversation.thread_id
        assert texts(ready, thread_id)[:3] == ["one", "answer one", "two"]


async def test_about_tells_model_settings_and_figures(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("one")
        ready.answers[0].generation.say("answer one")
        ready.answers[0].generation.finish()
        await person.hear()
        await person.press("escape", "m")
        shown = person.text()
        assert "Qwen3-8B-Q4_K_M" in shown
        assert "12 tokens, 41.8 a second" in shown
        assert "after 0.31 s" in shown


async def test_prompt_of_the_answer_and_of_now(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("one")
        ready.answers[0].generation.prompt = "<|im_start|>user one"
        ready.answers[0].generation.say("answer one")
        ready.answers[0].generation.finish()
        await person.hear()
        await person.press("escape", "p")
        assert "<|im_start|>user one" in person.text()
        await person.press("escape", "k", "p")
        assert "<user>one" in person.text()
        assert "The prompt of now" in person.text()


async def test_find_in_the_thread(ready: FakeWorkbench) -> None:
    open_thread(ready, "a walrus", "no such animal", "the walrus again")
    async with person_at(ready) as person:
        await person.press("escape", "g", "slash")
        await person.type("walrus")
        assert "/walrus▏ 1 of 2 messages" in person.text()
        await person.press("enter", "n")
        assert "/walrus 2 of 2 messages" in person.text()
        await person.press("N")
        assert "/walrus 1 of 2 messages" in person.text()
        await person.press("escape")
        assert "/walrus" not in person.text()
        assert person.chat.transcript.has_focus


async def test_copying_the_thread(ready: FakeWorkbench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    open_thread(ready, "one", "answer one")
    async with person_at(ready) as person:
        await person.press("escape", "Y")
        assert person.app.clipboard.startswith("**you**\n\none\n\n**")
        assert person.app.clipboard.endswith("\n\nanswer one\n")


async def test_long_thread_is_there_whole(ready: FakeWorkbench) -> None:
    thread_id = open_thread(ready, *(f"message {number}" for number in range(150)))
    async with person_at(ready) as person:
        await person.until(lambda: person.chat.transcript.message_count == 150)
        assert "message 149" in person.text()
        await person.press("escape", "g")
        assert "message 0" in person.text()
        assert texts(ready, thread_id)[0] == "message 0"
