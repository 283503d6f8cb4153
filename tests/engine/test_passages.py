"""Where passages begin in a free answer, in whatever pieces it comes."""

from __future__ import annotations

import pytest

from tui.engine.passages import Openings, Place

OPENINGS = ("<tool_call>", "<tool_call>[", "[CALL]")
ASIDES = (("<think>", "</think>"), ("[THINK]", "[/THINK]"))


def found(text: str, pieces: int, *, aside_open: bool = False, lead: str = "") -> tuple[int, str] | None:
    """How many bytes had been said when a passage began, and with which opening."""
    openings = Openings(OPENINGS, ASIDES)
    place = openings.start(lead, aside_open)
    data = text.encode()
    for start in range(0, len(data), pieces):
        place = openings.next(place, data[start : start + pieces])
        if place.opening:
            end = min(start + pieces, len(data)) - len(place.rest)
            if not place.quote:
                return end, place.opening.decode()
            # One that may only be spoken of waits for what comes next.
            if not data[end:].startswith(place.quote):
                return end, place.opening.decode()
            place = Place()
    return None


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("<tool_call>{", 11),
        ("Let me see. <tool_call>{", 23),
        ("A < b <tool_<tool_call>{", 23),
        ("So: [CALL]f", 10),
        ("<think>I may write <tool_call>.</think>\n\n<tool_call>{", 52),
        ("\n<think>Hm.</think><think>[CALL]</think>[CALL]x", 46),
        ("[THINK]</think>[CALL][/THINK][CALL]x", 35),
        ("No thoughts. <think>[CALL]x", 26),
        ("Write `<tool_call>` or '[CALL]' first: [CALL]x", 45),
        ("I said `this`: <tool_call>`", 26),
        ("`<tool_call>{", 12),
        ("<think [CALL]x", 13),
    ],
)
def test_the_opening_is_found(text: str, end: int, pieces: int) -> None:
    place = found(text, pieces)
    assert place is not None
    assert place[0] == end


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    "text",
    ["Nothing of the kind.", "<tool_cal l>", "<think>For ever: <tool_call>{", "The `<tool_call>` tag, '[CALL]' too."],
)
def test_there_is_none(text: str, pieces: int) -> None:
    assert found(text, pieces) is None


@pytest.mark.parametrize("pieces", [1, 5, 100])
def test_an_answer_that_begins_in_the_reasoning(pieces: int) -> None:
    assert found("I may [CALL].</think>[CALL]x", pieces, aside_open=True) == (27, "[CALL]")


def test_the_beginning_of_an_opening_may_stand_in_the_prompt() -> None:
    assert found("tool_call>{", 3, lead="<") == (10, "<tool_call>")


def test_the_longer_of_two_openings_counts() -> None:
    assert found("<tool_call>[{", 100) == (12, "<tool_call>[")
