"""Which models are loaded, and which of them answers in a thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.engine import LoadedModel
    from tui.workbench import Workbench


class LoadedModels:
    """The loaded models as of the last look, and what the person chose among them."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._models: dict[str, LoadedModel] = {}
        self._chosen: dict[str, str] = {}
        self._last_chosen = ""

    async def refresh(self) -> None:
        """Look again, off the event loop: the first look opens the engine."""
        models = await asyncio.to_thread(self._workbench.loaded)
        self._models = {model.key: model for model in models}

    def choose(self, thread_id: str, key: str) -> None:
        """Let this model answer in a thread from now on."""
        self._chosen[thread_id] = self._last_chosen = key

    def pick(self, thread_id: str, last_used: str) -> LoadedModel | None:
        """The loaded model for a thread: the chosen one, the one last used there, the last chosen one, any."""
        for key in (self._chosen.get(thread_id, ""), last_used, self._last_chosen):
            if key in self._models:
                return self._models[key]
        return next(iter(self._models.values()), None)
