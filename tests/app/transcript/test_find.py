"""Finding text in a transcript, as it is drawn."""

from __future__ import annotations

import re

import pytest

from tests.app.transcript.test_transcript import TranscriptApp, answer, messages, screen_rows
from tui.app.transcript import Transcript, TranscriptMessage
from tui.app.transcript.find import Finder, ranges_in
from tui.app.transcript.layout import Layout


def layout_of(*texts: str, width: int = 40) -> Layout:
    layout = Layout()
    layout.resize(width)
    layout.show(TranscriptMessage(str(number), "assistant", text) for number, text in enumerate(texts))
    return layout


def marked(layout: Layout, pattern: str) -> list[str]:
    lines = layout.lines(0)
    found = ranges_in(lines, re.compile(pattern, re.IGNORECASE))
    return [lines[row].strip.text[begin:end] for row, ranges in sorted(found.items()) for begin, end in ranges]


def test_every_place_is_found_whatever_the_case() -> None:
    assert marked(layout_of("Whale and whale and **WHALE**."), "whale") == ["Whale", "whale", "WHALE"]


def test_what_wrapping_parted_is_found_in_both_rows() -> None:
    layout = layout_of("one two three four five six seven eight nine ten eleven twelve", width=24)
    rows = [line.text for line in layout.lines(0)[1:]]
    last, first = rows[0].split()[-1], rows[1].split()[0]
    assert marked(layout, rf"{last}\s+{first}") == [last, first]


def test_list_markers_and_rules_are_not_text() -> None:
    layout = layout_of("> quoted words\n\n```python\ncode words\n```")
    assert marked(layout, "words") == ["words", "words"]
    assert marked(layout, "block") == []


@pytest.mark.parametrize(
    ("text", "expected"), [("red fish", [0]), ("RED  fish", [0]), ("fish", [0, 2]), ("", []), ("x", [])]
)
def test_messages_that_have_the_text(text: str, expected: list[int]) -> None:
    finder = Finder(layout_of("one red fish", "nothing here", "blue fish"))
    finder.look_for(text)
    assert finder.messages == expected


def test_words_of_a_search_are_found_apart_and_quotes_hold_together() -> None:
    finder = Finder(layout_of("one red fish", "a red herring", "blue fish"))
    finder.look_for("red fish", words=True)
    assert finder.messages == [0, 1, 2]
    finder.look_for('"red fish"', words=True)
    assert finder.messages == [0]


def test_next_goes_around() -> None:
    finder = Finder(layout_of("fish\n\nfish", "none", "fish"))
    finder.look_for("fish")
    places = [(0, -1)]
    for _ in range(4):
        place = finder.next_from(*places[-1], 1)
        assert place is not None
        places.append(place)
    assert [index for index, _ in places[1:]] == [0, 0, 2, 0]
    assert places[1] == places[4]
    assert finder.next_from(*places[1], -1) == places[3]


async def test_finding_scrolls_to_the_place_and_marks_it() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = app.transcript
        transcript.show([*messages(60), answer("the needle is here"), *messages(60)])
        await pilot.pause()
        assert transcript.look_for("needle") == 1
        await pilot.pause()
        assert any("the needle is here" in row for row in screen_rows(transcript))
        strip = next(strip for row in range(20) if "needle" in (strip := transcript.render_line(row)).text)
        found = [segment for segment in strip if segment.text == "needle"]
        assert found
        assert found[0].style is not None
        assert found[0].style.underline
        transcript.look_for("")
        assert [segment.text for segment in transcript.render_line(0)].count("needle") == 0


async def test_an_answer_that_is_coming_is_marked_line_by_line() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript: Transcript = app.transcript
        transcript.show(messages(2))
        transcript.look_for("needle")
        transcript.start_answer(answer())
        transcript.stream("a needle comes\n\nand goes")
        await pilot.pause()
        texts = [segment.text for row in range(20) for segment in transcript.render_line(row)]
        assert "needle" in texts


async def test_showing_again_keeps_what_is_looked_at() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = app.transcript
        transcript.show(messages(100))
        await pilot.pause()
        transcript.go_to("40")
        await pilot.pause()
        before = screen_rows(transcript)
        assert "Message 40." in "\n".join(before)
        transcript.show_again(messages(100))
        await pilot.pause()
        assert screen_rows(transcript) == before
        assert not transcript.following
        transcript.show_again([message for message in messages(100) if message.id != "40"])
        await pilot.pause()
        cursor = transcript.cursor_message()
        assert cursor is not None
        assert cursor.id == "41"
