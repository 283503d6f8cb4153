"""The one registry of what a person can do: bindings, footer, palette, help, go overlay and key map come from it.

Keys follow what arrives over SSH and in tmux without settings; see `Action.keys`. Nothing else in the app
declares a key, except the text fields of Textual with their editing keys.
"""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tui.app.action import Action, Where
from tui.app.action_lists.chat import CHAT
from tui.app.action_lists.dialogs import DIALOGS
from tui.app.action_lists.lists import LISTS
from tui.app.action_lists.loading import LOADING
from tui.app.action_lists.models import MODELS
from tui.app.action_lists.serving import SERVING

ACTIONS: tuple[Action, ...] = (*CHAT, *LISTS, *LOADING, *SERVING, *MODELS, *DIALOGS)
"""In the order of the footer."""

BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}

_TYPED = {"colon", "question_mark", "slash", "space"}
_LABELS = {
    "question_mark": "?", "colon": ":", "slash": "/", "escape": "esc", "pageup": "pgup", "pagedown": "pgdn",
    "backslash": "\\", "right_square_bracket": "]", "up": "↑", "down": "↓", "left": "←", "right": "→", "delete": "del",
}  # fmt: skip


def bindings_for(where: Where) -> list[BindingType]:
    """The bindings of everything that applies somewhere, for a `BINDINGS` list.

    A key that types a character never comes before the focused widget, so that text fields get it.
    """
    return [
        Binding(
            key,
            action.command,
            action.title,
            show=False,
            id=action.id,
            priority=action.first and len(key) > 1 and key not in _TYPED,
        )
        for action in ACTIONS
        if action.where == where
        for key in action.keys.split(",")
        if key
    ]


def key_label(key: str, *, short: bool = False) -> str:
    """A key as people write it: `ctrl+n`, or `^n` where room is short."""
    if key.startswith("ctrl+"):
        name = _LABELS.get(key[5:], key[5:])
        return f"^{name}" if short else f"ctrl+{name}"
    return _LABELS.get(key, key.upper() if key.startswith("f") and key[1:].isdigit() else key)
