"""The command palette's entries: every action of the registry with its key, and every theme."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.actions import parse
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from tui.app.action import Action
from tui.app.actions import ACTIONS, key_label
from tui.app.figures import fit
from tui.app.screens.place import perform
from tui.app.stylesheets import stylesheet

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp

TITLE_WIDTH = 30
KEY_WIDTH = 16
THEME = "Theme: "


class ActionProvider(Provider):
    """Offers what a key would do, and shows the key, so that the palette teaches the keys."""

    async def discover(self) -> Hits:
        for title, key, help_text, command in self._entries():
            if not title.startswith(THEME):
                yield DiscoveryHit(_display(Content(title), key, help_text), command, title)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, key, help_text, command in self._entries():
            if (score := matcher.match(title)) > 0:
                yield Hit(score, _display(matcher.highlight(title), key, help_text), command, title)

    def _entries(self) -> Iterator[tuple[str, str, str, Any]]:
        app = cast("LmdeckApp", self.app)
        for action in ACTIONS:
            if action.palette and _applies(app, action):
                yield action.title, _keys_text(app, action), action.help, partial(perform, app, action)
        for name in sorted(app.available_themes):
            yield f"{THEME}{name}", "", "Changes the colours and keeps the choice", partial(app.use_theme, name)


class Palette(CommandPalette):
    """Textual's palette, offering our actions, in our frame."""

    CSS_PATH = stylesheet("palette")

    def __init__(self) -> None:
        super().__init__(providers=[ActionProvider])


def _applies(app: LmdeckApp, action: Action) -> bool:
    """Whether the action can be done now on the main screen, whatever pane has the focus."""
    _, name, parameters = parse(action.command)
    target = app if action.command.startswith("app.") else app.screen_stack[0]
    return bool(target.check_action(name, parameters))


def _keys_text(app: LmdeckApp, action: Action) -> str:
    keys = app.keys_of(action)
    where = {"transcript": "messages ", "threads": "threads "}.get(action.where, "")
    if keys:
        return where + key_label(keys[0])
    return f"ctrl+g {action.go}" if action.go else ""


def _display(title: Content, key: str, help_text: str) -> Content:
    """One row: what, by which key, and what it is good for."""
    gap = " " * max(1, TITLE_WIDTH - title.cell_length)
    return Content.assemble(title, gap, (fit(key, KEY_WIDTH), "$primary"), (help_text, "$foreground 55%"))
