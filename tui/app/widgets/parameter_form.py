"""A form made from declared parameters: one row for each, edited with the keyboard, no boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from textual import events
from textual.geometry import Region
from textual.message import Message

from tui.app.actions import bindings_for
from tui.app.figures import bar, fit
from tui.app.stepping import stepped
from tui.app.widgets.row_list import Pieces, RowList
from tui.config import LM_STUDIO_LABELS, Parameter, parse_value, value_text
from tui.domain import BadRequest

LABEL_WIDTH = 20
VALUE_WIDTH = 10
BAR_WIDTH = 12
EDIT_KEY = "="
SOURCE_WIDTH = 8


@dataclass(frozen=True, slots=True)
class Section:
    """A heading among the parameters. The cursor passes over it."""

    title: str


@dataclass(frozen=True, slots=True)
class Below:
    """What counts where nothing is changed in the form, by the names of parameters."""

    values: Mapping[str, Any]
    sources: Mapping[str, str] = field(default_factory=dict)
    """One word for the layer that decides the value; a parameter that is the program's default has none."""
    source_texts: Mapping[str, str] = field(default_factory=dict)
    """The same in a few words."""


class ParameterForm(RowList[Parameter | Section]):
    """Rows of label, value and range. A number may be stepped or typed; typed text counts once it is complete.

    At first only the basic parameters are shown. All of them stand under headings, and the filter looks through them.
    """

    BINDINGS = bindings_for("parameters")

    @dataclass
    class Changed(Message):
        """A value has changed, or typing began or ended."""

    @dataclass
    class Confirmed(Message):
        """Enter was pressed with nothing half typed."""

    enter_does = "load"
    """What enter does, for the line below the form."""
    changed_word = "changed"
    """What stands beside a value that is another one than the layers below give."""

    def __init__(
        self,
        title: str,
        parameters: Sequence[Parameter],
        sections: Mapping[str, Sequence[str]],
        values: Mapping[str, Any],
        limits: Mapping[str, int],
        below: Below | None = None,
    ) -> None:
        """`sections` are the names of parameters by heading; `limits` the largest values that this model can take."""
        super().__init__(title, classes="dialog")
        self._parameters = parameters
        self._sections = sections
        self._limits = limits
        self._all = False
        self.values = {parameter.name: values[parameter.name] for parameter in parameters}
        self.below = below or Below({parameter.name: parameter.default for parameter in parameters})
        self.typed = ""
        self.problem = ""
        """What is wrong with the typed text, with its field named."""

    def on_mount(self) -> None:
        self._fill()

    @property
    def current(self) -> Parameter | None:
        """The parameter under the cursor."""
        row = super().current
        return row if isinstance(row, Parameter) else None

    @property
    def source_text(self) -> str:
        """Where the value under the cursor comes from."""
        parameter = self.current
        if parameter is None or self.values[parameter.name] != self.below.values[parameter.name]:
            return "changed here"
        return f"from {self.below.source_texts.get(parameter.name, 'the program')}"

    def key_of(self, item: Parameter | Section) -> str:
        return item.name if isinstance(item, Parameter) else item.title

    def search_text(self, item: Parameter | Section) -> str:
        if isinstance(item, Section):
            return ""
        return f"{item.label} {item.name} {item.help} {LM_STUDIO_LABELS.get(item.name, '')}"

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Put other values in, by the names of their parameters."""
        self._drop_typed()
        self.values.update({name: value for name, value in values.items() if name in self.values})
        self.refresh()

    def _fill(self) -> None:
        basic = [parameter for parameter in self._parameters if parameter.group == "basic"]
        self.set_items(self._grouped() if self._all else basic)
        hidden = len(self._parameters) - len(basic)
        self.border_subtitle = f"enter {self.enter_does} · m {'fewer' if self._all else f'{hidden} more'}"

    def _grouped(self) -> list[Parameter | Section]:
        """Every parameter below the heading of its section."""
        by_name = {parameter.name: parameter for parameter in self._parameters}
        rows: list[Parameter | Section] = []
        for title, names in self._sections.items():
            known = [by_name.pop(name) for name in names if name in by_name]
            rows += [Section(title), *known] if known else []
        return [*rows, Section("Other"), *by_name.values()] if by_name else rows

    def action_filter(self) -> None:
        self._show_all()
        super().action_filter()

    def _show_all(self) -> None:
        if not self._all:
            self._all = True
            self._fill()

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor off headings: it goes on the way it came, or back where that ends."""
        step = -1 if cursor < self.cursor else 1
        for place in (cursor, cursor + step, cursor - step):
            if 0 <= place < len(self._shown) and isinstance(self._shown[place], Parameter):
                return place
        return cursor

    def _refilter(self) -> None:
        super()._refilter()
        self.cursor = self.cursor  # the first row may be a heading

    def _scroll_to_cursor(self) -> None:
        """Show the heading above the first parameter of a section too."""
        above = self.cursor - 1
        headed = 0 <= above < len(self._shown) and isinstance(self._shown[above], Section)
        region = Region(0, above, 1, 2) if headed else Region(0, self.cursor, 1, 1)
        self.scroll_to_region(region, animate=False, force=True)

    def point_at(self, name: str) -> None:
        """Put the cursor on a parameter, showing the less common ones if it is one of them."""
        if not any(self.key_of(row) == name for row in self.items):
            self._show_all()
        self.clear_filter()
        self.highlight(name)

    def pieces(self, item: Parameter | Section, width: int, *, at_cursor: bool) -> Pieces:
        if isinstance(item, Section):
            start = f"── {item.title} "
            return [(start + "─" * (width - len(start) - 1), "quiet")]
        value = self.values[item.name]
        typing = at_cursor and bool(self.typed)
        text = f"{self.typed}▏" if typing else value_text(item, value)
        changed = value != self.below.values[item.name]
        source = self.changed_word if changed else self.below.sources.get(item.name, "")
        pieces = [
            (" " + fit(item.label, LABEL_WIDTH), ""),
            (fit(f"{text:>{VALUE_WIDTH}}", VALUE_WIDTH), "focus" if at_cursor else "bold"),
            (f" {fit(source, SOURCE_WIDTH)}", "live" if changed else "quiet"),
        ]
        room = width - LABEL_WIDTH - VALUE_WIDTH - SOURCE_WIDTH - 2
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
            limit = self._limits.get(parameter.name)
            self._set(parameter, stepped(parameter, self.values[parameter.name], limit, direction))

    def _choices(self, parameter: Parameter) -> list[Any]:
        if parameter.kind == "boolean":
            return [False, True]
        return list(parameter.choices)

    def action_reset(self) -> None:
        self._drop_typed()
        if self.current is not None:
            self._set(self.current, self.below.values[self.current.name])

    def action_reset_all(self) -> None:
        """Every value as the layers below have it."""
        self.set_values(self.below.values)
        self.post_message(self.Changed())

    def put_below(self, below: Below, *, keep: bool) -> None:
        """Have other layers below; what was changed stays with `keep`, and takes their values otherwise."""
        if not keep:
            self.set_values(below.values)
        self.below = below
        self.refresh()

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
        if self.filtering or parameter is None or parameter.kind in ("choice", "boolean"):
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
