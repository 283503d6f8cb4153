"""The widget, in a real application without a terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.color import ColorSystem
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.theme import Theme

from tests.app.transcript.samples import ANSWER
from tui.app.themes import DARK, LIGHT
from tui.app.transcript import Transcript, TranscriptMessage
from tui.app.transcript.palette import NAMES, palette_of

STYLES = Path(__file__).parents[3] / "styles" / "transcript.tcss"


class TranscriptApp(App[None]):
    """Nothing but a transcript."""

    CSS_PATH = STYLES

    def __init__(self) -> None:
        super().__init__()
        self.states: list[tuple[bool, int]] = []

    def compose(self) -> ComposeResult:
        yield Transcript(id="transcript")

    def on_mount(self) -> None:
        self.transcript.focus()

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    def on_transcript_state_changed(self, event: Transcript.StateChanged) -> None:
        self.states.append((event.transcript.following, event.transcript.message_count))


def messages(count: int) -> list[TranscriptMessage]:
    return [
        TranscriptMessage(
            str(number), "assistant" if number % 2 else "user", f"Message {number}.\n\n" + "words " * 40, author="me"
        )
        for number in range(count)
    ]


def answer(text: str = "", **others: Any) -> TranscriptMessage:
    return TranscriptMessage("answer", "assistant", text, author="model", **others)


def screen_rows(transcript: Transcript) -> list[str]:
    return [transcript.render_line(row).text.rstrip() for row in range(transcript.size.height)]


async def test_three_hundred_messages_and_an_answer_at_the_end() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        transcript.show(messages(300))
        await pilot.pause()
        assert "Message 299." in "\n".join(screen_rows(transcript))
        transcript.start_answer(answer())
        for number in range(60):
            transcript.stream(f"Line {number}.\n\n")
        await pilot.pause()
        assert screen_rows(transcript)[-1].strip("▌ ") == "Line 59.▂"
        assert transcript.following
        transcript.end_answer(answer("".join(f"Line {number}.\n\n" for number in range(60)), note="60 tok"))
        await pilot.pause()
        assert screen_rows(transcript)[-1].strip("▌ ") == "Line 59."
        assert app.states[-1] == (True, 301)


async def test_scrolling_up_releases_the_end_and_going_there_follows_it_again() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        transcript.show(messages(20))
        transcript.start_answer(answer())
        await pilot.pause()
        transcript.scroll_up(animate=False)
        await pilot.pause()
        assert not transcript.following
        rows = screen_rows(transcript)
        for _ in range(10):
            transcript.stream("More text.\n\n")
        await pilot.pause()
        assert screen_rows(transcript)[:-2] == rows[:-2]
        transcript.action_last()
        assert transcript.following
        transcript.stream("The end.")
        await pilot.pause()
        assert screen_rows(transcript)[-1].strip("▌ ") == "The end.▂"
        assert [following for following, _ in app.states][-2:] == [False, True]


async def test_an_answer_ends_without_a_jump() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        transcript.show(messages(2))
        transcript.start_answer(answer())
        for start in range(0, len(ANSWER), 9):
            transcript.stream(ANSWER[start : start + 9])
        await pilot.pause()
        came = [row.rstrip("▂") for row in screen_rows(transcript)]
        transcript.end_answer(answer(ANSWER))
        await pilot.pause()
        assert screen_rows(transcript) == came


async def test_what_an_answer_waits_for_is_shown_whole() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(40, 24)) as pilot:
        app.transcript.waiting("What you send now begins another branch here. Open it again to go back.")
        await pilot.pause()
        shown = " ".join(row.strip() for row in screen_rows(app.transcript)[:3])
        assert shown.startswith("… What you send now begins another branch here. Open it again to go back.")


async def test_what_is_waited_for_goes_with_the_messages_that_it_stood_below() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 24)) as pilot:
        app.transcript.waiting("No model is loaded.")
        await pilot.pause()
        app.transcript.show([TranscriptMessage("1", "user", "Hi", author="you")])
        await pilot.pause()
        assert "No model" not in "\n".join(screen_rows(app.transcript))


async def test_a_figure_is_not_parted_from_its_words() -> None:
    app = TranscriptApp()
    note = "7 tok · 190.3 tok/s · ttft 0.01 s · prompt 1 of 66 read"
    async with app.run_test(size=(60, 24)) as pilot:
        app.transcript.show([TranscriptMessage("1", "assistant", "Hi", author="talker", note=note)])
        await pilot.pause()
        rows = [row.strip("▌ ") for row in screen_rows(app.transcript)[:2]]
        assert rows == ["talker  7 tok · 190.3 tok/s · ttft 0.01 s ·", "prompt 1 of 66 read"]


async def test_an_answer_that_was_never_begun_is_shown_when_it_ends() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.waiting("loading model 40 %")
        await pilot.pause()
        assert screen_rows(app.transcript)[0] == "   … loading model 40 %"
        app.transcript.waiting("")
        app.transcript.stream("late text of another thread")
        app.transcript.end_answer(answer(problem="It broke."))
        await pilot.pause()
        assert [row.strip() for row in screen_rows(app.transcript)][:2] == ["▌model", "▌  ✗ It broke."]


async def test_the_cursor_bar_shows_only_with_the_focus() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        transcript.show(messages(3))
        transcript.move_cursor(-1)
        await pilot.pause()
        marked = [row for row in screen_rows(transcript) if row.startswith("▌")]
        assert marked[1].split() == ["▌", "Message", "1."]
        assert transcript.cursor_message() == messages(3)[1]
        app.set_focus(None)
        await pilot.pause()
        assert not any(row.startswith("▌") for row in screen_rows(transcript))


async def test_keys_page_and_jump() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        transcript.show(messages(50))
        await pilot.pause()
        rows = screen_rows(transcript)
        await pilot.press("pageup")
        assert not transcript.following
        assert screen_rows(transcript)[-1].strip("▌ ") == rows[0].strip("▌ ")
        assert any(row.startswith("▌") for row in screen_rows(transcript))
        await pilot.press("home")
        assert transcript.cursor_message() == messages(1)[0]
        assert screen_rows(transcript)[0] == "▌me"
        await pilot.press("down", "down")
        assert transcript.cursor_message() == messages(3)[2]
        await pilot.press("end")
        assert transcript.cursor_message() == messages(50)[-1]
        assert transcript.following


async def test_reasoning_folds_and_unfolds_in_place() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        thought = answer("Answer.", reasoning="Let me think.\nAbout it.", reasoning_note="12 tokens")
        transcript.show([thought])
        await pilot.pause()
        assert [row[3:] for row in screen_rows(transcript)[1:3]] == ["▸ thought for 12 tokens", "Answer."]
        transcript.toggle_reasoning()
        await pilot.pause()
        assert [row[3:] for row in screen_rows(transcript)[1:6]] == [
            "▾ thought for 12 tokens", "│ Let me think.", "│ About it.", "", "Answer.",
        ]  # fmt: skip
        transcript.toggle_reasoning()
        assert screen_rows(transcript)[2][3:] == "Answer."


async def test_a_resize_keeps_the_text_at_the_top_or_the_end_in_view() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(100, 24)) as pilot:
        transcript = app.transcript
        transcript.show(messages(100))
        await pilot.pause()
        await pilot.resize_terminal(60, 24)
        assert transcript.following
        assert screen_rows(transcript)[-1].startswith("▌  words")
        transcript.action_page(-3)
        await pilot.pause()
        top = next(row for row in screen_rows(transcript) if "Message" in row)
        offset = screen_rows(transcript).index(top)
        await pilot.resize_terminal(110, 30)
        assert top.strip("▌ ") in "\n".join(screen_rows(transcript)[: offset + 4])


async def test_everything_is_measured_when_there_is_time() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        transcript.show(messages(40))
        await pilot.pause()
        rows = screen_rows(transcript)
        while transcript._messages.unmeasured(0) is not None:
            transcript._measure_some()
        await pilot.pause()
        assert screen_rows(transcript) == rows
        assert transcript.virtual_size.height == transcript._messages.height


async def test_another_theme_changes_the_colours() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        transcript.show([answer("Some `code`.")])
        app.theme = "textual-dark"
        await pilot.pause()
        before = transcript.render_line(1)
        app.theme = "textual-light"
        await pilot.pause()
        after = transcript.render_line(1)
        assert before.text == after.text
        assert [segment.style for segment in before] != [segment.style for segment in after]


@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD])
@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
async def test_everything_is_readable_with_few_colours(theme: Theme, system: ColorSystem) -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.register_theme(theme)
        app.theme = theme.name
        await pilot.pause()
        palette = palette_of(app.transcript)
        for name in NAMES:
            style = getattr(palette, name)
            assert style.color is not None
            assert style.bgcolor is not None
            assert style.color.downgrade(system) != style.bgcolor.downgrade(system), name


async def test_code_and_source_can_be_copied_as_they_were_written() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.show([answer(ANSWER)])
        await pilot.pause()
        assert app.transcript.message_source("answer") == ANSWER
        shell, python = app.transcript.code_blocks("answer")
        assert shell == "pip install lmdeck"
        assert "\treturn Engine.load" in python
        assert app.transcript.code_blocks("unknown") == []


async def drag(pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(Transcript, offset=start)
    await pilot.hover(Transcript, offset=end)
    await pilot.mouse_up(Transcript, offset=end)
    await pilot.pause()


async def test_the_mouse_selects_text_without_decoration() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 24)) as pilot:
        transcript = app.transcript
        prose = "A sentence that is long enough to be wrapped over two rows of this view."
        transcript.show([answer(f"{prose}\n\n```py\nx = 1\ny = 2\n```\n\nEnd.")])
        await pilot.pause()
        assert transcript.selected_text() == ""
        await drag(pilot, (3, 1), (6, 9))
        assert transcript.selected_text() == f"{prose}\n\nx = 1\ny = 2\n\nEnd."
        assert app.screen.get_selected_text() == transcript.selected_text()
        selected = app.screen.get_component_rich_style("screen--selection").bgcolor
        assert any(segment.style and segment.style.bgcolor == selected for segment in transcript.render_line(1))
        assert not any(segment.style and segment.style.bgcolor == selected for segment in transcript.render_line(4))


async def test_a_selection_stays_on_its_text_while_an_answer_grows() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = app.transcript
        transcript.show(messages(3))
        transcript.start_answer(answer("First line."))
        await pilot.pause()
        row = next(number for number, text in enumerate(screen_rows(transcript)) if "First" in text)
        await drag(pilot, (3, row), (7, row))
        assert transcript.selected_text() == "First"
        for _ in range(20):
            transcript.stream("\n\nMore.")
        assert transcript.selected_text() == "First"


async def test_no_escape_sequence_reaches_the_screen() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 12)) as pilot:
        evil = "\x1b]0;title\x07 \x1b[2J"
        app.transcript.show(
            [TranscriptMessage("1", "user", evil, author=evil, note=evil, problem=evil, reasoning=evil)]
        )
        app.transcript.waiting(evil)
        app.transcript.toggle_reasoning()
        await pilot.pause()
        shown = "\n".join(screen_rows(app.transcript))
        assert "\x1b" not in shown
        assert shown.count("␛[2J") == 6


async def test_without_colour_it_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = TranscriptApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.transcript.show([answer("Some `code`.", problem="It broke.")])
        await pilot.pause()
        assert "✗ It broke." in screen_rows(app.transcript)[3]


def test_the_parsers_are_loaded_only_when_they_are_needed() -> None:
    program = (
        "import sys, tui.app.transcript; print([name for name in ('markdown_it', 'pygments') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


async def test_a_paint_before_the_new_size_is_told_draws_nothing_yet() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.transcript.show([answer("One.\n\n```\na\n```\n\nTwo.\n\n\n\n\n\n\n\n\n\n\nThree.")])
        await pilot.pause()
        app.transcript._messages.resize(60)  # heights are guesses again until the widget hears of its size
        assert all(not app.transcript.render_line(row).text.strip() for row in range(24))
        app.transcript.on_resize()
        assert "Three." in "".join(app.transcript.render_line(row).text for row in range(24))
