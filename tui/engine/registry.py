"""Which models are in memory, and who of them may be taken out because nobody needs it."""

from __future__ import annotations

import threading
from itertools import chain, count

from tui.engine.loaded import LoadedModel


class Registry:
    """The loaded models by key, in the order they came. Safe to use from any thread; nothing here blocks for long.

    Between finding a model and asking it, somebody else's model may want its room. So whoever means to ask one
    reserves it first, and only what is neither reserved nor at work can be taken out.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: dict[str, LoadedModel] = {}

    def all(self) -> tuple[LoadedModel, ...]:
        """All of them but those that are being closed."""
        return tuple(model for model in self.every() if not model.closed)

    def every(self) -> tuple[LoadedModel, ...]:
        """All of them."""
        with self._lock:
            return tuple(self._models.values())

    def get(self, key: str) -> LoadedModel | None:
        """The model of that key, if there is one."""
        model = self._models.get(key)
        return None if model is None or model.closed else model

    def reserve(self, key: str) -> LoadedModel | None:
        """The model of that key, which stays until it was asked and is released."""
        with self._lock:
            model = self.get(key)
            if model is not None:
                model.reserve()
            return model

    def add(self, model: LoadedModel) -> None:
        """A model came."""
        with self._lock:
            self._models[model.key] = model

    def take_out(self, model: LoadedModel) -> bool:
        """See to it that nobody finds an idle model any more; False if it is in use or gone already."""
        with self._lock:
            if model.in_use or self._models.get(model.key) is not model:
                return False
            del self._models[model.key]
            return True

    def forget(self, model: LoadedModel) -> None:
        """A model was closed."""
        with self._lock:
            if self._models.get(model.key) is model:
                del self._models[model.key]

    def free_key(self, wanted: str) -> str:
        """The name, or it with the first number behind it that no model has."""
        names = chain([wanted], (f"{wanted}:{number}" for number in count(2)))
        return next(name for name in names if name not in self._models)
