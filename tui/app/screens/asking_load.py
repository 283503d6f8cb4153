"""Asking how a model shall be loaded, from wherever it was chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.config import Collapsed
from tui.domain import LmdeckError, ModelInfo

if TYPE_CHECKING:
    from tui.app.app import LmdeckApp
    from tui.engine import LoadedModel


async def ask_how_to_load(
    deck: LmdeckApp, model: ModelInfo, present: LoadedModel | None, ended: Callable[[LoadedModel | None], None]
) -> None:
    """Open the load parameters: those it has when it is loaded, its defaults otherwise."""
    from tui.app.screens.load_dialog import LoadDialog

    try:
        below = await asyncio.to_thread(deck.workbench.defaults_of, model.key)
    except LmdeckError as error:  # a damaged file of defaults must not keep anybody from loading
        deck.report(error)
        below = Collapsed()
    config = present.config if present else below.load
    deck.push_screen(LoadDialog(deck.workbench, model, config, below), ended)
