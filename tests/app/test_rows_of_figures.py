"""The top and the bottom row, and the figures in them."""

from __future__ import annotations

import pytest

from tui.app.actions import ACTIONS
from tui.app.figures import age_text, bar, bytes_text, context_text, count_text, fit, one_line, parameters_text
from tui.app.widgets.key_bar import key_bar_content
from tui.app.widgets.row_list import wrap
from tui.app.widgets.status_line import Status, status_content

FULL = Status("Qwen3-Coder-30B-A3B-Instruct-Q4_K_M", 2131, 8192, 41.8, 0.31, 6 * 1024**3)
PLACES = ("chat", "everywhere", "transcript")
KEYS = {action.id: [action.keys.split(",")[0]] for action in ACTIONS if action.keys and action.where in PLACES}


@pytest.mark.parametrize("width", range(30, 200, 7))
def test_status_line_never_runs_over(width: int) -> None:
    assert status_content(FULL, width).cell_length <= width


def test_status_line_has_every_figure_when_wide() -> None:
    text = status_content(FULL, 120).plain
    for part in ("lmdeck", "Qwen3-Coder", "2.1k/8.2k", "26%", "41.8 tok/s", "ttft  0.31s", "mem 6.0 GB"):
        assert part in text


def test_status_line_keeps_model_context_and_speed_when_narrow() -> None:
    text = status_content(FULL, 50).plain
    assert "Qwen3" in text
    assert "ctx 26%" in text
    assert "mem" not in text


def test_status_figures_change_digits_and_not_the_layout() -> None:
    slow = status_content(Status("m", 5, 8192, 1.2, 0.05, 1024**3), 120).plain
    fast = status_content(Status("m", 8000, 8192, 350.1, 12.5, 1024**3), 120).plain
    assert slow.index("tok/s") == fast.index("tok/s")
    assert len(slow) == len(fast)


def test_no_model_says_which_key_helps() -> None:
    assert "no model: ctrl+o" in status_content(Status(), 80).plain


@pytest.mark.parametrize("width", [20, 40, 80, 100, 120, 300])
def test_key_bar_is_never_cut_and_fills_the_row(width: int) -> None:
    text = key_bar_content(KEYS, width).plain
    assert len(text) == width
    labels = {action.footer for action in ACTIONS if action.footer}
    for entry in text.split("  "):
        if entry.strip():
            assert entry.strip().split(" ", 1)[1] in labels


def test_key_bar_keeps_stop_and_help_longest() -> None:
    text = key_bar_content(KEYS, 24).plain
    assert "^c stop" in text
    assert "F1 help" in text


def test_wrap_breaks_at_spaces_and_inside_long_words() -> None:
    assert wrap("one two three", 7) == ["one two", "three"]
    path = "/a/very/long/path/that/never/ends"
    pieces = wrap(f"see {path}", 12)
    assert all(len(piece) <= 12 for piece in pieces)
    assert "".join(pieces).replace(" ", "") == f"see{path}"
    assert wrap("", 10) == [""]


def test_figures_are_short() -> None:
    assert [bytes_text(n) for n in (0, 1023, 5 * 1024**2, 6.1 * 1024**3)] == ["0 B", "1023 B", "5 MB", "6.1 GB"]
    assert [count_text(n) for n in (0, 999, 2131, 9_999, 131_072, 2_000_000)] == [
        "0",
        "999",
        "2.1k",
        "10k",
        "131k",
        "2.0M",
    ]
    assert [age_text(s) for s in (5, 90, 7200, 86400 * 3, 86400 * 21, 86400 * 90, 86400 * 800)] == [
        "now", "2m", "2h", "3d", "3w", "3mo", "2y"
    ]  # fmt: skip
    assert context_text(32768) == "32k"
    assert [parameters_text(n) for n in (31_000, 494_000_000, 8_200_000_000)] == ["31K", "494M", "8.2B"]
    assert bar(0.5, 4) == "▕██░░▏"
    assert bar(7.0, 4) == "▕████▏"


def test_text_is_cut_in_cells_and_loses_control_characters() -> None:
    assert fit("日本語テスト", 7) == "日本語…"
    assert fit("abc", 5) == "abc  "
    assert one_line("a\nb\x1b[31m") == "a b [31m"
