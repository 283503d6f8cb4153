"""Looks at the models on disk for a screen, which shows what is known while hundreds of files are still being read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.models import SoFar
    from tui.workbench import Workbench

LOOK_EVERY = 2.0
"""Seconds between two looks at the disk."""

LOOK_SOON = 0.25
"""Seconds until the next look at what has been read meanwhile."""

_PATIENCE = 0.15
"""Seconds that a look waits for the disk: an unchanged library takes a few milliseconds."""


class LibraryWatch:
    """One look at the disk at a time, however often it is asked for."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._look: asyncio.Task[object] | None = None

    async def look(self) -> SoFar:
        """What is known now; the disk is looked at meanwhile. Raises what went wrong at the look before."""
        if self._look is None:
            self._look = asyncio.create_task(asyncio.to_thread(self._refresh))
        await asyncio.wait({self._look}, timeout=_PATIENCE)
        if self._look.done():
            done, self._look = self._look, None
            done.result()
        return await asyncio.to_thread(lambda: self._workbench.catalogue.so_far())

    def _refresh(self) -> None:
        self._workbench.catalogue.refresh()
