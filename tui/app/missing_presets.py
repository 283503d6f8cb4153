"""Says that a thread's answers are made without a preset that was deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.app.figures import one_line

if TYPE_CHECKING:
    from tui.workbench import Workbench


class MissingPresets:
    """Remembers what was said, so that a person reads it once for each thread and not with each message."""

    def __init__(self, workbench: Workbench, warn: Callable[[str], None]) -> None:
        self._workbench = workbench
        self._warn = warn
        self._said: dict[str, str] = {}

    async def look(self, thread_id: str, title: str, model_key: str) -> None:
        """Warn if what decides about a thread names a preset that is not there. Raises LmdeckError."""
        from tui.config import preset_name

        found = await asyncio.to_thread(self._workbench.settings_of, thread_id, model_key)
        missing = found.missing_preset
        if missing and self._said.get(thread_id) != missing:
            self._warn(
                f"The preset “{one_line(preset_name(missing))}” of “{one_line(title)}” is not installed, so the thread "
                "is answered without it. F8, then p, chooses another one or none."
            )
        self._said[thread_id] = missing
