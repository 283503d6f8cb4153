"""lmdeck's own two themes: one accent for focus, one for what is alive, red for errors only, and greys.

Amber and green stay apart when a terminal has 256 or 16 colours; state is never shown by colour alone.
"""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="lmdeck-dark",
    primary="#f0b429",
    secondary="#9a9a9a",
    accent="#f0b429",
    success="#4ec98a",
    warning="#f0b429",
    error="#e5534b",
    foreground="#d8d8d8",
    background="#101010",
    surface="#161616",
    panel="#242424",
    dark=True,
    variables={
        "input-selection-background": "#5a4520",
        "scrollbar": "#3a3a3a",
        "scrollbar-hover": "#5a5a5a",
        "scrollbar-active": "#f0b429",
        "scrollbar-background": "#101010",
        "scrollbar-background-hover": "#101010",
        "scrollbar-background-active": "#101010",
    },
)

LIGHT = Theme(
    name="lmdeck-light",
    primary="#9a5b00",
    secondary="#606060",
    accent="#9a5b00",
    success="#157f1f",
    warning="#9a5b00",
    error="#b3261e",
    foreground="#202020",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e6e3dc",
    dark=False,
    variables={
        "input-selection-background": "#ecd3a4",
        "scrollbar": "#d0ccc2",
        "scrollbar-hover": "#b8b4aa",
        "scrollbar-active": "#9a5b00",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
    },
)
