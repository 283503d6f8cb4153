"""The built-in guide on a machine that has no other model: loading it unasked, and what it says first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.actions import BY_ID, key_label
from tui.domain import LmdeckError

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp
    from tui.app.transcript import TranscriptMessage
    from tui.workbench import Workbench

_WELCOME = """\
**Welcome to lmdeck.** I am its guide: a tiny model that came with the program and runs inside it, without a network. \
I know lmdeck and little else, so ask me how things work here. For everything else, get a real model.

- `{discover}` finds and downloads models
- `{model}` shows the models, and where to put new ones
- `{palette}` finds every command by its name
- `{help}` shows the keys of the place you are in
"""


def greeting(author: str, deck: LmdeckApp) -> TranscriptMessage:
    """What stands above an empty thread in which the guide answers, with the keys that the person's key map has."""
    from tui.app.transcript import TranscriptMessage

    keys = {name: _key_of(name, deck) for name in ("discover", "model", "palette", "help")}
    return TranscriptMessage(id="greeting", role="assistant", text=_WELCOME.format(**keys), author=author)


def _key_of(name: str, deck: LmdeckApp) -> str:
    """The key of an action; one that was left without a key is in the palette by its title."""
    return next(map(key_label, deck.keys_of(BY_ID[name])), BY_ID[name].title)


def load_guide(workbench: Workbench) -> bool:
    """Load the built-in model if there is nothing else to talk to; whether that was so. Blocks; raises LmdeckError."""
    workbench.begin_self_test()
    key = _needed(workbench)
    if key:
        workbench.load(key)
    return bool(key)


def learn_abilities(workbench: Workbench) -> None:
    """Find out what the models' templates can do, which `load_guide` does not wait for. Blocks.

    It imports what the first answer needs, too.
    """
    workbench.catalogue.refresh()


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
    possible = unnamed_choice(workbench.catalogue.models(abilities=False))
    return next((model.key for model in possible if model.builtin), "")
