"""A conversation on the main screen: send, watch, stop, again, fail."""

from __future__ import annotations

import pytest

from tests.app.driving import add_thread, person_at
from tests.app.fake_workbench import FakeWorkbench
from tui.domain import ContextExceeded, Queued, ReasoningDelta, StorageFailed


async def test_empty_state_tells_a_newcomer_what_to_do(workbench: FakeWorkbench) -> None:
    async with person_at(workbench) as person:
        assert "No threads yet." in person.text()
        assert "no model: ctrl+o" in person.top
        assert "Type a message." in person.text()


async def test_the_transcript_has_the_colours_of_the_stylesheet(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        palette = person.chat.transcript._messages.palette
        assert palette.text.bgcolor is not None
        assert palette.dim.color != palette.text.color
        assert palette.code_keyword.color not in (None, palette.code.color)


async def test_what_is_sent_is_seen_by_one_who_had_scrolled_up(ready: FakeWorkbench) -> None:
    thread_id = add_thread(ready, *(f"message {number}" for number in range(40)))
    ready.settings.set("last_thread", thread_id)
    async with person_at(ready, (80, 24)) as person:
        await person.press("escape", "g", "i")
        assert "message 0" in person.text()
        await person.ask("and now")
        assert "and now" in person.text()
        ready.answers[0].generation.say("This.")
        await person.hear()
        assert "This." in person.text()


async def test_enter_saves_the_message_and_the_model_answers(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("hello there")
        assert person.chat.composer.text == ""
        (thread,) = ready.threads.list_threads()
        assert ready.threads.messages(thread.id)[0].message.text == "hello there"
        ready.answers[0].generation.say("General Kenobi", 3)
        await person.hear()
        assert "General Kenobi" in person.text()
        ready.answers[0].generation.finish()
        await person.hear()
        assert "12 tok · 41.8 tok/s · ttft 0.31 s" in person.text()
        assert "41.8 tok/s" in person.top
        assert "2.1k/8.2k" in person.top


async def test_message_is_on_disk_before_the_composer_lets_go_of_it(ready: FakeWorkbench) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise StorageFailed("The disk is full.", "Free some space.")

    async with person_at(ready) as person:
        ready.threads.add_message = refuse  # type: ignore[method-assign, assignment]
        await person.ask("precious words")
        assert person.chat.composer.text == "precious words"
        assert "The disk is full." in person.toasts()
        assert "Free some space." in person.toasts()
        assert not ready.answers


async def test_newline_key_writes_a_second_line_and_enter_sends_both(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.press("a", "ctrl+j", "b", "enter")
        (thread,) = ready.threads.list_threads()
        assert ready.threads.messages(thread.id)[0].message.text == "a\nb"


async def test_blank_text_is_not_sent(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.press("space", "ctrl+j", "enter")
        assert ready.threads.list_threads() == []


async def test_ctrl_c_stops_the_answer_and_keeps_what_came(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("count")
        ready.answers[0].generation.say("one two")
        await person.hear()
        assert "^c stop" in person.bottom
        await person.press("ctrl+c")
        await person.hear()
        assert ready.answers[0].generation.cancelled
        assert "one two" in person.text()
        assert "stopped by you" in person.text()
        assert "^c stop" not in person.bottom


async def test_ctrl_c_without_an_answer_says_how_to_quit(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.press("ctrl+c")
        assert "ctrl+q quits" in person.toasts()


async def test_ctrl_c_copies_the_selection_of_the_composer(
    ready: FakeWorkbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMUX", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    async with person_at(ready) as person:
        await person.type("copy me")
        person.chat.composer.select_all()
        await person.press("ctrl+c")
        assert person.app.clipboard == "copy me"
        assert "OSC 52" in person.toasts()


async def test_second_message_waits_for_the_running_answer(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("first")
        await person.ask("second")
        assert person.chat.composer.text == "second"
        assert "still coming" in person.toasts()
        assert len(ready.answers) == 1


async def test_ctrl_r_answers_the_last_question_again_beside_the_first_answer(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("roll a die")
        ready.answers[0].generation.say("four")
        ready.answers[0].generation.finish()
        await person.hear()
        await person.press("ctrl+r")
        ready.answers[1].generation.say("six")
        await person.hear()
        assert "six" in person.text()
        assert "four" not in person.text()
        thread = ready.threads.list_threads()[0]
        question, answer = ready.threads.messages(thread.id)
        assert answer.parent_id == question.id
        assert answer.id == ready.answers[1].message_id


async def test_earlier_answers_stay_on_screen_in_the_next_turn(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        for number in (1, 2):
            await person.ask(f"question {number}")
            ready.answers[-1].generation.say(f"reply {number}")
            ready.answers[-1].generation.finish()
            await person.hear()
        for text in ("question 1", "reply 1", "question 2", "reply 2"):
            assert text in person.text()
        assert "4 messages" in person.text()


async def test_failed_answer_says_what_and_what_to_do_and_the_thread_lives(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("too long")
        error = ContextExceeded(
            "The prompt has 9,000 tokens.", "Load with a longer context.", prompt_tokens=9000, context_length=8192
        )
        ready.answers[0].generation.fail(error)
        await person.hear()
        assert "The prompt has 9,000 tokens." in person.text()
        assert "Load with a longer context." in person.text()
        assert "too long" in person.text()
        await person.press("ctrl+r")
        ready.answers[1].generation.say("now it worked")
        await person.hear()
        assert "now it worked" in person.text()


async def test_state_before_the_first_token_is_shown(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("wait")
        ready.answers[0].generation.feed(Queued(2))
        person.chat.conversation._noted = 0.0
        await person.hear()
        assert "place 2" in person.text()


async def test_reasoning_reaches_the_transcript_apart_from_the_text(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("think")
        ready.answers[0].generation.feed(ReasoningDelta("pondering deeply", 2))
        ready.answers[0].generation.say("done thinking")
        ready.answers[0].generation.finish()
        await person.hear()
        thread = ready.threads.list_threads()[0]
        answer = ready.threads.messages(thread.id)[-1]
        assert answer.message.reasoning == "pondering deeply"
        assert answer.message.text == "done thinking"
        assert "done thinking" in person.text()


async def test_markup_in_titles_and_text_is_drawn_as_it_is(ready: FakeWorkbench) -> None:
    add_thread(ready, "[bold]not markup[/] [")
    ready.settings.set("last_thread", ready.threads.list_threads()[0].id)
    async with person_at(ready) as person:
        assert person.text().count("[bold]not markup[/]") >= 2


async def test_last_thread_is_there_at_the_next_start(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        await person.ask("remember me")
        ready.answers[0].generation.say("I shall")
        ready.answers[0].generation.finish()
        await person.hear()
    again = FakeWorkbench(ready.root)
    async with person_at(again) as person:
        assert "remember me" in person.text()
        assert "I shall" in person.text()
    again.close()


async def test_disk_that_refuses_drafts_is_said_once_and_switching_goes_on(ready: FakeWorkbench) -> None:
    def refuse(*_: object) -> None:
        raise StorageFailed("The disk is full.", "Free some space.")

    thread_id = add_thread(ready, "a thread to open")
    async with person_at(ready) as person:
        ready.threads.save_draft = refuse  # type: ignore[method-assign]
        await person.press("ctrl+t", "enter")
        await person.type("a draft")
        await person.press("ctrl+n")
        assert person.chat.composer.text == ""
        await person.press("ctrl+t", "enter")
        assert person.chat.conversation.thread_id == thread_id
        assert person.chat.composer.text == "a draft"
        assert person.toasts().count("The disk is full.") == 1


async def test_defect_of_ours_is_shown_and_ends_nothing(ready: FakeWorkbench) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    async with person_at(ready, defects=True) as person:
        ready.answer = broken  # type: ignore[method-assign, assignment]
        await person.ask("hello")
        assert "Something went wrong inside lmdeck: KeyError('a bug')" in person.toasts()
        await person.press("ctrl+l")
        await person.until(lambda: "in broken" in person.text())
        assert person.app.is_running


async def test_threads_of_a_newer_lmdeck_are_announced_as_read_only(ready: FakeWorkbench) -> None:
    ready.threads.read_only = True
    async with person_at(ready) as person:
        assert "can be read here, not changed" in person.toasts()


async def test_damaged_settings_are_announced(ready: FakeWorkbench) -> None:
    ready.paths.settings.write_text("{ not json")
    ready.settings._values = None
    async with person_at(ready) as person:
        assert "settings.json could not be read" in person.toasts()


async def test_clicks_choose_rows(ready: FakeWorkbench) -> None:
    add_thread(ready, "lower row", "its answer")
    add_thread(ready, "upper row")
    async with person_at(ready) as person:
        await person.pilot.click("#threads", offset=(5, 2))
        await person.settle()
        assert "its answer" in person.text()


async def test_the_frame_that_the_transcript_comes_into_is_empty(ready: FakeWorkbench) -> None:
    async with person_at(ready) as person:
        frame = next(widget for widget in person.chat.compose() if widget.id == "frame")
        assert str(frame.render()) == ""
