"""A form made from declared parameters: one row for each, edited with the keyboard, no boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textual import events
from textual.message import Message

from tui.app.actions import bindings_for
from tui.app.figures import bar, fit
from tui.app.widgets.row_list import Pieces, RowList
from tui.config import Parameter, parse_value, value_text
from tui.domain import BadRequest

LABEL_WIDTH = 20
VALUE_WIDTH = 10
BAR_WIDTH = 12
EDIT_KEY = "="
WIDE_RANGE = 512
"""Values from which on a step doubles or halves instead of counting."""


class ParameterForm(RowList[Parameter]):
    """Rows of label, value and range. A number may be stepped or typed; typed text counts once it is complete."""

    BINDINGS = bindings_for("load")

    @dataclass
    class Changed(Message):
        """A value has changed, or typing began or ended."""

    @dataclass
    class Confirmed(Message):
        """Enter was pressed with nothing half typed."""

    def __init__(
        self, title: str, parameters: Sequence[Parameter], values: Mapping[str, Any], limits: Mapping[str, int]
    ) -> None:
        super().__init__(title, classes="dialog")
        self._parameters = parameters
        self._limits = limits
        self._all = False
        self.values = {parameter.name: values[parameter.name] for parameter in parameters}
        self.typed = ""
        self.problem = ""
        """What is wrong with the typed text, with its field named."""

    def on_mount(self) -> None:
        self._fill()

    def key_of(self, item: Parameter) -> str:
        return item.name

    def _fill(self) -> None:
        rows = [parameter for parameter in self._parameters if self._all or parameter.group == "basic"]
        self.set_items(rows)
        hidden = len(self._parameters) - len(rows)
        self.border_subtitle = f"enter load · m {hidden} more" if hidden else "enter load · m fewer"

    def point_at(self, name: str) -> None:
        """Put the cursor on a parameter, showing the less common ones if it is one of them."""
        if not any(parameter.name == name for parameter in self.items):
            self._all = True
            self._fill()
        self.highlight(name)

    def pieces(self, item: Parameter, width: int, *, at_cursor: bool) -> Pieces:
        value = self.values[item.name]
        typing = at_cursor and bool(self.typed)
        text = f"{self.typed}▏" if typing else value_text(item, value)
        mark = "*" if value != item.default else " "
        pieces = [
            (" " + fit(item.label, LABEL_WIDTH), ""),
            (fit(f"{text:>{VALUE_WIDTH}}", VALUE_WIDTH), "focus" if at_cursor else "bold"),
            (f" {mark} ", "quiet"),
        ]
        room = width - LABEL_WIDTH - VALUE_WIDTH - 4
        return [*pieces, (fit(self._range_text(item, value), room), "quiet")]

    def _range_text(self, parameter: Parameter, value: Any) -> str:
        if parameter.kind == "choice":
            return " ".join(parameter.choices)
        limit = self._limits.get(parameter.name)
        if limit is None or parameter.kind != "integer":
            return parameter.unit if parameter.kind in ("integer", "number", "boolean") else f"{EDIT_KEY} edits"
        return f"up to {limit:,}" if value is None else f"{bar(value / limit, BAR_WIDTH)} {limit:,}"

    def watch_cursor(self, old: int, new: int) -> None:
        self._drop_typed()
        super().watch_cursor(old, new)

    def _drop_typed(self) -> None:
        self.typed = self.problem = ""

    def action_step(self, direction: int) -> None:
        parameter = self.current
        if parameter is None or (self.typed and not self._take_typed()):
            return
        choices = self._choices(parameter)
        if choices:
            value = self.values[parameter.name]
            position = choices.index(value) if value in choices else -1
            self._set(parameter, choices[(position + direction) % len(choices)])
        elif parameter.kind in ("integer", "number"):
            self._set(parameter, self._stepped(parameter, direction))

    def _choices(self, parameter: Parameter) -> list[Any]:
        if parameter.kind == "boolean":
            return [False, True]
        return list(parameter.choices)

    def _stepped(self, parameter: Parameter, direction: int) -> Any:
        """The next value; below the least and above the greatest lies "auto", where the parameter has it."""
        value = self.values[parameter.name]
        least = int(parameter.minimum or 0)
        limit = self._limits.get(parameter.name, parameter.maximum)
        greatest = int(limit) if limit is not None else None
        doubling = greatest is None or greatest > WIDE_RANGE
        if value is None:
            start = max(least, WIDE_RANGE) if doubling else least
            return start if direction > 0 or greatest is None else greatest
        if not doubling:
            stepped = value + direction
        elif direction > 0:
            stepped = max(value + 1, value * 2)
            stepped = greatest if greatest is not None and value < greatest < stepped else stepped
        else:
            stepped = value // 2 if value & (value - 1) == 0 else 1 << (int(value).bit_length() - 1)
        if stepped < least or (greatest is not None and stepped > greatest):
            return None if parameter.default is None else value
        return stepped

    def action_reset(self) -> None:
        self._drop_typed()
        if self.current is not None:
            self._set(self.current, self.current.default)

    def action_more(self) -> None:
        self._all = not self._all
        self._fill()
        self.post_message(self.Changed())

    def action_confirm(self) -> None:
        if self.typed:
            self._take_typed()
        else:
            self.post_message(self.Confirmed())

    def _take_typed(self) -> bool:
        """Make the typed text the value; false, with the reason kept, if it cannot be one."""
        parameter = self.current
        if parameter is None:
            return False
        try:
            value = parse_value(parameter, self.typed)
        except BadRequest as error:
            self.problem = str(error)
            self.post_message(self.Changed())
            return False
        self._drop_typed()
        self._set(parameter, value)
        return True

    def _set(self, parameter: Parameter, value: Any) -> None:
        self.values[parameter.name] = value
        self.refresh_lines(self.cursor, 1)
        self.post_message(self.Changed())

    def on_key(self, event: events.Key) -> None:
        parameter = self.current
        if parameter is None or parameter.kind in ("choice", "boolean"):
            return
        character = event.character or ""
        if parameter.kind in ("integer", "number"):
            starts = character.isdecimal() or (character and character in "-." and parameter.kind == "number")
            goes_on = character and character in "0123456789.,_-k"
        else:
            # Letters move the cursor, so that text needs a key that says it begins.
            starts, goes_on = False, character.isprintable() and bool(character)
            if character == EDIT_KEY and not self.typed:
                value = self.values[parameter.name]
                self.typed = value_text(parameter, value) if value else " "
                character, starts = "", True
        if starts or (self.typed and goes_on):
            self.typed += character
        elif self.typed and event.key == "backspace":
            self.typed = self.typed[:-1]
        elif self.typed and event.key == "escape":
            self.typed = ""
        else:
            return
        self.problem = ""
        event.stop()
        event.prevent_default()
        self.refresh_lines(self.cursor, 1)
        self.post_message(self.Changed())
