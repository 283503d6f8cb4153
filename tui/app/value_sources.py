"""Where values come from, as forms show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.app.widgets.parameter_form import Below
from tui.config import Collapsed, LayerName, Parameter

_WORDS: dict[LayerName, str] = {
    "request": "request",
    "thread": "thread",
    "folder": "folder",
    "preset": "preset",
    "profile": "profile",
    "model": "saved",
    "file": "file",
    "app": "",
}
"""One word for each layer, as short as the column beside the value."""


def keys_of(group: str, parameters: Sequence[Parameter]) -> dict[str, str]:
    """The dotted keys of declared parameters, by their names."""
    return {parameter.name: f"{group}.{parameter.name}" for parameter in parameters}


def below_of(collapsed: Collapsed, keys: Mapping[str, str]) -> Below:
    """What counts where nothing is changed in a form, and why; `keys` are the dotted keys of its parameters by name."""
    return Below(
        {name: collapsed.value(key) for name, key in keys.items()},
        {name: _WORDS[collapsed.source(key).name] for name, key in keys.items()},
        {name: collapsed.source(key).text for name, key in keys.items()},
    )
