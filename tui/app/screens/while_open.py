"""Work of a screen that the screen may not live to see the end of."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from textual.css.query import NoMatches
from textual.screen import Screen


async def while_open(screen: Screen[Any], work: Coroutine[Any, Any, None]) -> None:
    """Do some work that shows something in a screen's panes; where these are gone meanwhile, it is over.

    Textual takes the panes away first and ends the screen's workers after that, so in between they find nothing. That
    is no defect then; in an open screen it is one.
    """
    try:
        await work
    except NoMatches:
        if screen.app.is_running and screen in screen.app.screen_stack:
            raise
