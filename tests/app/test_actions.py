"""The registry of actions, and what is made from it."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from textual.binding import Binding

from tui.app.actions import ACTIONS, bindings_for, key_label

# What does not arrive over plain SSH or in tmux with default settings.
LOST = re.compile(r"(shift|ctrl|alt)\+enter|ctrl\+(tab|h|i|m|\d|left_square_bracket)|ctrl\+shift\+.|alt\+([bf]|\d|\W)$")


def test_ids_and_go_letters_are_unique() -> None:
    assert max(Counter(action.id for action in ACTIONS).values()) == 1
    assert max(Counter(action.go for action in ACTIONS if action.go).values()) == 1


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_can_be_reached_in_a_legacy_terminal(action) -> None:  # type: ignore[no-untyped-def]
    safe = [key for key in action.keys.split(",") if key and not LOST.fullmatch(key)]
    assert safe or action.go or action.palette, f"{action.id} has no key that arrives everywhere"


def test_one_key_means_one_thing_in_each_place() -> None:
    for where in {action.where for action in ACTIONS}:
        keys = Counter(key for action in ACTIONS if action.where == where for key in action.keys.split(",") if key)
        doubled = {key for key, count in keys.items() if count > 1}
        # ctrl+c stops while something runs and copies otherwise; a download is paused, or goes on.
        assert doubled <= {"chat": {"ctrl+c"}, "downloads": {"p", "space"}}.get(where, set()), f"{where}: {doubled}"


def test_keys_that_type_never_come_before_a_text_field() -> None:
    for where in {action.where for action in ACTIONS}:
        for binding in bindings_for(where):
            assert isinstance(binding, Binding)
            if binding.priority:
                assert len(binding.key) > 1
                assert binding.key not in ("space", "colon", "question_mark", "slash")


def test_help_is_written_for_everything() -> None:
    assert all(action.title and action.help and not action.help.endswith(".") for action in ACTIONS)


@pytest.mark.parametrize(
    ("key", "label", "short"),
    [("ctrl+n", "ctrl+n", "^n"), ("question_mark", "?", "?"), ("escape", "esc", "esc"), ("f1", "F1", "F1"),
     ("f", "f", "f"), ("U", "U", "U")],
)  # fmt: skip
def test_key_labels(key: str, label: str, short: str) -> None:
    assert key_label(key) == label
    assert key_label(key, short=True) == short
