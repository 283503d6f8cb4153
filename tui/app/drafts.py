"""Keeps what is in the composer, thread by thread, so that it survives switching and quitting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.domain import LmdeckError

if TYPE_CHECKING:
    from tui.workbench import Workbench

NEW_THREAD = "new_thread_draft"
"""The setting that keeps the draft of a thread that does not exist yet."""


class Drafts:
    """Drafts on disk. An unchanged one is not written again; one that the disk refuses is held here meanwhile."""

    def __init__(self, workbench: Workbench, report: Callable[[LmdeckError], None]) -> None:
        self._workbench = workbench
        self._report = report
        self._saved: dict[str, str] = {}
        self._refused: dict[str, str] = {}

    async def load(self, thread_id: str) -> str:
        """The draft of a thread; the empty id is the thread that does not exist yet."""
        if thread_id in self._refused:
            return self._refused[thread_id]
        self._saved[thread_id] = await asyncio.to_thread(self._read, thread_id)
        return self._saved[thread_id]

    async def save(self, thread_id: str, text: str) -> None:
        """Put a draft on disk, off the event loop. A refusal is reported and stops nothing."""
        try:
            await asyncio.to_thread(self.save_now, thread_id, text)
        except LmdeckError as error:
            self._report(error)

    def save_now(self, thread_id: str, text: str) -> None:
        """Put a draft on disk. Blocks; raises `StorageFailed`."""
        if self._saved.get(thread_id, "") == text:
            return
        self._refused[thread_id] = text
        if thread_id:
            self._workbench.threads.save_draft(thread_id, text)
        else:
            self._workbench.settings.set(NEW_THREAD, text)
        # Quitting saves while the timer's save may still be under way in its thread.
        self._refused.pop(thread_id, None)
        self._saved[thread_id] = text

    def _read(self, thread_id: str) -> str:
        if thread_id:
            return self._workbench.threads.draft(thread_id)
        return str(self._workbench.settings.get(NEW_THREAD, ""))
