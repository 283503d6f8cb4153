"""Forms of verbs in the corpus."""

from __future__ import annotations

import pytest

from tui.builtin.training.inflecting import gerund, participle, third_person


@pytest.mark.parametrize(
    ("verb", "third", "doing", "done"),
    [
        ("copy", "copies", "copying", "copied"),
        ("send", "sends", "sending", "sent"),
        ("stop", "stops", "stopping", "stopped"),
        ("delete", "deletes", "deleting", "deleted"),
        ("attach", "attaches", "attaching", "attached"),
        ("undo", "undoes", "undoing", "undone"),
        ("replay", "replays", "replaying", "replayed"),
        ("free", "frees", "freeing", "freed"),
    ],
)
def test_forms(verb: str, third: str, doing: str, done: str) -> None:
    assert (third_person(verb), gerund(verb), participle(verb)) == (third, doing, done)
