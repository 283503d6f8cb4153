"""The bottom row: the keys that work now, as many as there is room for."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from tui.app.action import Action
from tui.app.actions import ACTIONS, BY_ID, key_label

AT_THE_RIGHT = ("palette", "help")


class KeyBar(Widget):
    """Built from the registry and the bindings that are active. Entries go as a whole, never a part of one."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, _screen: Screen[Any]) -> None:
        self.refresh()

    def render(self) -> Content:
        return key_bar_content(active_keys(self.screen), self.size.width)


def active_keys(screen: Screen[Any]) -> dict[str, list[str]]:
    """The keys of every registered action that works on a screen now, by action id."""
    keys: dict[str, list[str]] = {}
    focused = screen.focused
    # Textual leaves out the keys that a text field takes for itself, but does not know which character this one is.
    types_slash = focused is not None and focused.check_consume_key("slash", "/")
    for key, active in screen.active_bindings.items():
        if active.enabled and active.binding.id in BY_ID and not (types_slash and key == "slash"):
            keys.setdefault(active.binding.id, []).append(key)
    return keys


def key_bar_content(keys: dict[str, list[str]], width: int) -> Content:
    """The row in `width` cells, chosen by priority, drawn in the registry's order."""
    entries = [(action, key_label(keys[action.id][0], short=True)) for action in ACTIONS if _wanted(action, keys)]
    entries.sort(key=lambda entry: entry[0].priority)
    while entries and sum(_width(entry) for entry in entries) > width:
        entries.pop()
    order = {action.id: position for position, action in enumerate(ACTIONS)}
    entries.sort(key=lambda entry: order[entry[0].id])
    left = [entry for entry in entries if entry[0].id not in AT_THE_RIGHT]
    right = [entry for entry in entries if entry[0].id in AT_THE_RIGHT]
    gap = width - sum(_width(entry) for entry in entries)
    parts = [part for entry in left for part in _parts(entry)]
    parts.append((" " * gap, ""))
    parts += [part for entry in right for part in _parts(entry)]
    return Content.assemble(*parts)


def _wanted(action: Action, keys: dict[str, list[str]]) -> bool:
    return bool(action.footer) and action.id in keys


def _parts(entry: tuple[Action, str]) -> list[tuple[str, str]]:
    action, key = entry
    return [(f" {key}", "$primary bold"), (f" {action.footer} ", "$foreground 60%")]


def _width(entry: tuple[Action, str]) -> int:
    return cell_len(entry[1]) + cell_len(entry[0].footer) + 3
