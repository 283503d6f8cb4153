"""A list of results to pick one from, with what matched marked in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tui.app.figures import fit, one_line
from tui.app.widgets.row_list import Pieces, RowList


@dataclass(frozen=True, slots=True)
class PickRow:
    """One result."""

    key: str
    text: str
    spans: tuple[tuple[int, int], ...] = ()
    """Characters of the text to mark, from the first to behind the last."""
    before: str = ""
    """Where it is from, in a column of its own."""
    after: str = ""
    """At the right end."""


class PickList(RowList[PickRow]):
    """Results, the best first."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--found"}

    def __init__(self) -> None:
        super().__init__("", classes="pick")
        # The field above has the focus, and its keys move the cursor here.
        self.can_focus = False

    @property
    def in_use(self) -> bool:
        return True

    def key_of(self, item: PickRow) -> str:
        return item.key

    def pieces(self, item: PickRow, width: int, *, at_cursor: bool) -> Pieces:  # noqa: ARG002
        before = fit(one_line(item.before), min(24, width // 3)) + " │ " if item.before else ""
        after = f" {one_line(item.after)} " if item.after else ""
        room = max(1, width - len(before) - len(after))
        text = one_line(item.text)
        return [(before, "quiet"), *marked(text, item.spans, room), (after, "quiet")]


def marked(text: str, spans: Sequence[tuple[int, int]], width: int) -> Pieces:
    """The text in `width` cells, begun late enough that the first marked place is to be seen."""
    shown = text
    start = 0
    first = spans[0] if spans else (0, 0)
    if first[1] > width:
        start = max(0, min(first[0] - width // 4, len(text) - width + 1))
        shown = "…" + text[start + 1 :]
    shown = fit(shown, width)
    pieces: Pieces = []
    place = 0
    for begin, end in spans:
        begin, end = max(place, begin - start), min(end - start, len(shown))
        if begin < end:
            pieces += [(shown[place:begin], ""), (shown[begin:end], "found")]
            place = end
    return [*pieces, (shown[place:], "")]
