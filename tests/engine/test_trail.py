"""What extra heads have read of a sequence, and what they can read next."""

from __future__ import annotations

from tui.engine.speculation.trail import Trail

NOTHING = "nothing"


def rows(start: int, end: int) -> list[str]:
    """What stands for the hidden rows of these tokens."""
    return [f"row {number}" for number in range(start, end)]


def trail(tokens: int, start: int = 0) -> Trail:
    """One whose model has computed all tokens but the last."""
    found = Trail(list(range(tokens)), start, NOTHING)
    assert found.add(start, rows(start, tokens - 1))
    return found


def test_each_token_is_read_with_the_row_of_the_one_before() -> None:
    found = trail(4)
    assert found.unread(4) == ([0, 1, 2, 3], [NOTHING, "row 0", "row 1", "row 2"])
    assert found.unread(3) == ([0, 1, 2], [NOTHING, "row 0", "row 1"])
    found.read(3)
    assert (found.held, found.cells, found.known) == (3, 3, 3)
    assert found.unread(3) == ([], [])
    found.history.append(4)
    found.add(3, rows(3, 4))
    assert found.unread(5) == ([3, 4], ["row 2", "row 3"])


def test_rows_of_guesses_that_were_wrong_are_replaced() -> None:
    found = trail(4)
    found.read(3)
    found.add(3, ["row 3", "wrong", "wrong"])
    found.history.append(4)
    found.add(4, ["row 4", "wrong"])
    assert found.rows == ["row 2", "row 3", "row 4", "wrong"]
    found.add(2, rows(2, 5))  # the model read some tokens once more
    assert found.rows == ["row 2", "row 3", "row 4"]
    found.add(0, rows(0, 2))
    assert (found.rows, found.known) == ([], 2)


def test_a_beginning_that_the_model_took_over_is_left_out() -> None:
    found = trail(12, start=8)
    assert (found.held, found.cells) == (9, 0)
    assert found.unread(12) == ([9, 10, 11], ["row 8", "row 9", "row 10"])
    assert not found.add(20, rows(20, 21)), "there is a gap"


def test_a_next_turn_keeps_what_was_read() -> None:
    found = trail(10)
    found.read(6)
    assert found.change([*range(10), 70, 71])
    assert (found.held, found.known) == (6, 9)
    assert found.add(9, rows(9, 11))
    assert found.unread(12)[0] == [6, 7, 8, 9, 70, 71]


def test_a_conversation_that_was_cut_lacks_one_row() -> None:
    found = trail(10)
    found.read(8)
    assert found.change([0, 1, 2, 3, 4, 50, 51])
    assert found.held == 5
    assert found.add(5, rows(5, 6))
    assert found.unread(7) == ([50, 51], [NOTHING, "row 5"])


def test_rows_of_another_conversation_are_not_kept() -> None:
    found = trail(10)
    found.read(4)
    assert found.change([0, 1, 2, 3, 4, 5, 60])
    assert found.rows == ["row 3", "row 4", "row 5"]
    assert not found.change([99])
    begun_late = trail(12, start=8)
    assert not begun_late.change([*range(9), 60]), "nothing that was read is in both"
