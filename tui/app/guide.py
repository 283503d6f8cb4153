"""The built-in guide on a machine that has no other model: loading it unasked, and what it says first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.domain import LmdeckError, LoadConfig

if TYPE_CHECKING:
    from tui.app.transcript import TranscriptMessage
    from tui.workbench import Workbench

_WELCOME = """\
**Welcome to lmdeck.** I am its guide: a tiny model that came with the program and runs inside it, without a network. \
I know lmdeck and little else, so ask me how things work here. For everything else, get a real model.

- `{model}` shows the models, and where to put new ones
- `{palette}` finds every command by its name
- `{help}` shows the keys of the place you are in
"""


def greeting(author: str, key_of: Callable[[str], str]) -> TranscriptMessage:
    """What stands above an empty thread in which the guide answers; `key_of` gives the key of an action."""
    from tui.app.transcript import TranscriptMessage

    keys = {action: key_of(action) for action in ("model", "palette", "help")}
    return TranscriptMessage(id="greeting", role="assistant", text=_WELCOME.format(**keys), author=author)


def load_guide(workbench: Workbench) -> bool:
    """Load the built-in model if there is nothing else to talk to; whether that was so. Blocks; raises LmdeckError."""
    key = _needed(workbench)
    if key:
        workbench.load(key, LoadConfig())
    return bool(key)


def _needed(workbench: Workbench) -> str:
    """The key of the built-in model where nothing is loaded, nothing remote is known, and no other file is there."""
    from tui.models import unnamed_choice

    if workbench.loaded():
        return ""
    try:
        if workbench.remotes.states():
            return ""
    except LmdeckError:  # the picker says what is wrong with it
        return ""
    possible = unnamed_choice(workbench.catalogue.models())
    return next((model.key for model in possible if model.builtin), "")
