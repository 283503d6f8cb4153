"""Which models can answer at once, and which of them answers in a thread."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.domain import LmdeckError

if TYPE_CHECKING:
    from tui.workbench import Workbench


@dataclass(frozen=True, slots=True)
class ReadyModel:
    """A model that can be asked, with the figures that people watch; 0 where they are not known."""

    key: str
    context_length: int = 0
    memory_bytes: int = 0
    builtin: bool = False


class ReadyModels:
    """The loaded models and the remote engines as of the last look, and what the person chose among them."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._loaded: dict[str, ReadyModel] = {}
        self._remote: dict[str, int] = {}
        self._remote_names: frozenset[str] = frozenset()
        self._chosen: dict[str, str] = {}
        self._last_chosen = ""

    async def refresh(self) -> None:
        """Look again, off the event loop: the first look opens the engine and reads a file."""
        models = await asyncio.to_thread(self._workbench.loaded)
        self._loaded = {
            model.key: ReadyModel(model.key, model.context_length, model.memory_bytes, model.info.builtin)
            for model in models
            if not model.info.embeds
        }
        try:
            states = await asyncio.to_thread(self._workbench.remotes.states)
        except LmdeckError:  # the picker says what is wrong with it
            states = ()
        self._remote_names = frozenset(state.endpoint.name for state in states)
        self._remote = {model.key: model.context_length for state in states for model in state.models}

    def choose(self, thread_id: str, key: str) -> None:
        """Let this model answer in a thread from now on."""
        self._chosen[thread_id] = self._last_chosen = key

    def pick(self, thread_id: str, last_used: str, wanted: str = "") -> ReadyModel | None:
        """The model for a thread: the chosen one, the one last used there, the one that the thread's settings want,
        the last chosen one, any loaded one. What settings want is loaded for the answer if need be. What is built in
        goes on only where it was chosen, or nothing else is there.
        """
        own = [model for model in self._loaded.values() if not model.builtin]
        if (own or wanted) and last_used in self._loaded and self._loaded[last_used].builtin:
            last_used = ""
        for key in (self._chosen.get(thread_id, ""), last_used):
            found = self._loaded.get(key) or self._remote_model(key)
            if found is not None:
                return found
        if wanted:
            return self._loaded.get(wanted) or self._remote_model(wanted) or ReadyModel(wanted)
        last = self._loaded.get(self._last_chosen) or self._remote_model(self._last_chosen)
        return last or next(iter(own or self._loaded.values()), None)

    def _remote_model(self, key: str) -> ReadyModel | None:
        """A model of a remote engine; one that has not told of it yet is asked nonetheless, and says if it has none."""
        engine, slash, _ = key.partition("/")
        return ReadyModel(key, self._remote.get(key, 0)) if slash and engine in self._remote_names else None
