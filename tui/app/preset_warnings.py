"""Says that a thread's answers are made without a preset that was deleted or is broken, or without some of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.app.figures import one_line

if TYPE_CHECKING:
    from tui.config import Collapsed
    from tui.workbench import Workbench


class PresetWarnings:
    """Remembers what was said, so that a person reads it once for each thread and not with each message."""

    def __init__(self, workbench: Workbench, warn: Callable[[str], None]) -> None:
        self._workbench = workbench
        self._warn = warn
        self._said: dict[str, tuple[str, str]] = {}

    async def look(self, thread_id: str, title: str, model_key: str) -> None:
        """Warn if what decides about a thread names a preset that cannot be used. Raises LmdeckError."""
        found = await asyncio.to_thread(self._workbench.settings_of, thread_id, model_key)
        state = found.missing_preset, found.preset_problem
        # A value that a preset's file has wrong is no news in the next thread.
        said = [self._said.get(thread_id)] if found.missing_preset else self._said.values()
        if any(state) and state not in said:
            self._warn(_warning(found, title))
        self._said[thread_id] = state


def _warning(found: Collapsed, title: str) -> str:
    from tui.config import preset_name

    problem = one_line(found.preset_problem)
    if not found.missing_preset:
        return f"Some of the preset counts for nothing. {problem}"
    what = "cannot be read" if problem else "is not installed"
    told = (
        f"The preset “{one_line(preset_name(found.missing_preset))}” of “{one_line(title)}” {what}, so the thread is "
        f"answered without it. {problem}"
    )
    return f"{told.strip()} F8, then p, chooses another one or none."
