"""What an action is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Where = Literal[
    "everywhere", "places", "chat", "composer", "transcript", "threads", "lists", "log", "models", "parameters", "load",
    "sampling", "dialogs", "server", "options", "tokens", "requests", "request", "picking", "writing", "reading",
    "bench", "my models", "library", "model", "discover", "repositories", "choices", "downloads",
]  # fmt: skip
"""The focused pane or open dialog in which an action applies."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a person can do."""

    id: str
    """Stable: the user's key map in the settings names it."""
    title: str
    help: str
    where: Where
    command: str
    """Textual's action string."""
    keys: str = ""
    """Keys, separated by commas. At least one of them must arrive in a legacy terminal: no ctrl+enter, ctrl+shift,
    alt+digit, ctrl+h, ctrl+i, ctrl+m as the only one."""
    footer: str = ""
    """The word in the footer; empty keeps it out."""
    priority: int = 0
    """Which footer entries stay when room gets short: the lower the longer."""
    first: bool = False
    """Whether its key comes before what the focused widget would do with it."""
    go: str = ""
    """Its letter in the go overlay."""
    palette: bool = True
    """Whether the palette offers it on the main screen."""
