"""Lines of many messages: guesses become facts without moving what is in view."""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter

import pytest

from tests.app.transcript.samples import ANSWER, PALETTE
from tui.app.transcript import TranscriptMessage
from tui.app.transcript.layout import Layout
from tui.app.transcript.section import Section
from tui.app.transcript.view import into_view, measure_some, move_cursor, settle, settle_end


def message(number: int, text: str = "") -> TranscriptMessage:
    return TranscriptMessage(
        str(number), "assistant" if number % 2 else "user", text or f"message {number}\n\n" + "words and more " * number
    )


def layout_of(count: int, width: int = 60) -> Layout:
    layout = Layout()
    layout.resize(width)
    layout.recolour(PALETTE)
    layout.show([message(number) for number in range(count)])
    return layout


def line_text(layout: Layout, line: int) -> str:
    found = layout.locate(line)
    return "" if found is None else layout.lines(found[0])[found[1]].text.strip()


def view_text(layout: Layout, top: int, height: int) -> list[str]:
    return [line_text(layout, line) for line in range(top, top + height)]


def measured(layout: Layout) -> int:
    return sum(layout.is_measured(index) for index in range(layout.count))


def test_the_end_is_right_at_once_and_only_it_is_drawn() -> None:
    layout = layout_of(400)
    top = settle_end(layout, 30)
    assert layout.locate(top + 29) == (399, layout.height_of(399) - 1)
    assert measured(layout) == 1
    assert line_text(layout, layout.height - 1).startswith("words")


def test_scrolling_up_into_guesses_does_not_jump() -> None:
    layout = layout_of(60)
    top = settle_end(layout, 20)
    below = view_text(layout, top, 20)
    for _ in range(100):
        top = settle(layout, top - 3, 20)
        now = view_text(layout, top, 20)
        assert now[3:] == below[:17]
        below = now


def test_jumping_into_guesses_shows_whole_messages() -> None:
    layout = layout_of(300)
    settle_end(layout, 20)
    top = settle(layout, layout.height // 2, 20)
    assert all(layout.is_measured(index) for index in {layout.locate(top + row)[0] for row in range(20)})  # type: ignore[index]


def test_measuring_out_of_view_keeps_the_view() -> None:
    layout = layout_of(200)
    settle_end(layout, 20)
    top = settle(layout, layout.height // 2, 20)
    seen = view_text(layout, top, 20)
    done = False
    while not done:
        top, done = measure_some(layout, top, perf_counter() + 0.002)
        assert view_text(layout, top, 20) == seen
    assert measured(layout) == 200


@pytest.mark.parametrize("width", [30, 90, 140])
def test_a_mark_finds_the_same_text_at_another_width(width: int) -> None:
    layout = layout_of(40)
    while measure_some(layout, 0, perf_counter() + 1)[1] is False:
        pass
    line = layout.top(33) + 5
    expected = line_text(layout, line)
    mark = layout.mark(line)
    layout.resize(width)
    found = line_text(layout, layout.find(mark))
    assert expected.split()[0] in found
    assert layout.locate(layout.find(mark))[0] == 33  # type: ignore[index]


def test_heights_survive_other_colours() -> None:
    layout = layout_of(5)
    settle_end(layout, 100)
    height = layout.height
    layout.recolour(PALETTE)
    assert (layout.height, measured(layout)) == (height, 5)


def test_a_message_that_comes_grows_in_place() -> None:
    layout = layout_of(3)
    layout.begin(message(3, ""))
    layout.replace(3, TranscriptMessage("3", "assistant", "", author="m"))
    layout.begin(TranscriptMessage("4", "assistant", "", author="m"))
    settle_end(layout, 20)
    first = layout.feed("one line", "")
    assert layout.locate(first) == (4, 2)
    assert layout.message(4).text == "one line"
    assert line_text(layout, layout.height - 1) == "one line"


@pytest.mark.parametrize("unfolded", [False, True])
def test_an_answer_that_ended_looks_like_the_one_that_came(unfolded: bool) -> None:
    layout = Layout()
    layout.resize(77)
    layout.begin(TranscriptMessage("1", "assistant", "", author="m", note="n"))
    layout.feed("", "First thought.\n\nSecond thought, which is somewhat longer than the first one was.\n")
    if unfolded:
        layout.toggle(0)
    for start in range(0, len(ANSWER), 7):
        layout.feed(ANSWER[start : start + 7], "")
    came = list(layout.lines(0))
    layout.replace(0, layout.message(0))
    assert [line.strip.text for line in layout.lines(0)] == [line.strip.text for line in came]
    assert layout.live is None


def test_thinking_shows_its_last_lines_until_the_answer_begins() -> None:
    layout = Layout()
    layout.resize(40)
    layout.begin(TranscriptMessage("1", "assistant", "", author="m"))
    for number in range(20):
        layout.feed("", f"thought {number}\n")
    texts = [line.strip.text.strip() for line in layout.lines(0)]
    assert texts == ["m", "▾ thinking…", *(f"│ thought {number}" for number in range(14, 20))]
    layout.feed("Answer", "")
    assert [line.strip.text.strip() for line in layout.lines(0)] == ["m", "▸ thought for 40 words", "Answer"]


def test_a_problem_stands_below_the_text_with_a_sign() -> None:
    section = Section(TranscriptMessage("1", "assistant", "Half an", author="m", problem="It broke.\nTry again."))
    texts = [line.strip.text.strip() for line in section.render(40, PALETTE)]
    assert texts == ["m", "Half an", "", "✗ It broke.", "Try again."]


def test_a_long_header_goes_on_in_a_second_line() -> None:
    note = "412 tok · 41.8 tok/s · 0.31 s to first token · stopped by you"
    lines = Section(TranscriptMessage("1", "assistant", "", author="Qwen3-8B-Q4_K_M", note=note)).render(60, PALETTE)
    assert " ".join(line.strip.text.strip() for line in lines) == f"Qwen3-8B-Q4_K_M  {note}"


def test_what_an_answer_waits_for_stands_below_the_last_message() -> None:
    layout = layout_of(2)
    layout.wait("loading model 40 %")
    assert line_text(layout, layout.height - 1) == "… loading model 40 %"
    height = layout.height
    layout.wait("")
    assert layout.height == height - 2


def test_the_cursor_scrolls_long_messages_before_it_moves() -> None:
    layout = Layout()
    layout.resize(60)
    layout.show([message(0, "short"), message(1, "a\n\n" * 30), message(2, "short")])
    settle_end(layout, 20)
    cursor, top = 2, settle_end(layout, 20)
    visited = []
    for _ in range(20):
        cursor, top = move_cursor(layout, cursor, top, 20, -1)
        visited.append((cursor, top))
    assert [index for index, _ in visited] == sorted((index for index, _ in visited), reverse=True)
    assert visited[-1] == (0, 0)
    steps = [before - after for (_, before), (_, after) in pairwise(visited) if before != after]
    assert max(steps) <= 20


def test_the_cursor_comes_into_view() -> None:
    layout = layout_of(30)
    settle(layout, 0, 20)
    last = into_view(layout, 29, 0, 20)
    assert layout.top(last) < 20 <= layout.top(last + 1)
    assert into_view(layout, 0, layout.top(5), 10) == 5


def test_a_huge_paste_is_drawn_in_part_and_says_so() -> None:
    text = "word " * 200_000
    lines = Section(TranscriptMessage("1", "user", text, author="you")).render(80, PALETTE)
    assert len(lines) < 2000
    assert "950,000 more characters are kept and sent" in "".join(line.text for line in lines)
