"""Unloads models that nobody has used for as long as they were promised."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tui.engine.loaded import LoadedModel


class IdleWatch:
    """Calls `expire` for each model whose time without work is over. Sleeps until the next one may be."""

    def __init__(self, models: Callable[[], tuple[LoadedModel, ...]], expire: Callable[[LoadedModel], None]) -> None:
        self._models = models
        self._expire = expire
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Look again, because a model came or its time was changed."""
        with self._changed:
            if self._thread is None and not self._stopping and any(model.ttl is not None for model in self._models()):
                self._thread = threading.Thread(target=self._run, name="lmdeck-idle", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> None:
        """Watch no more."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def _run(self) -> None:
        while not self._stopping:
            for model in self._models():
                if model.ttl is not None and model.last_used + model.ttl <= time.monotonic() and not model.in_use:
                    self._expire(model)
            deadlines = [model.last_used + model.ttl for model in self._models() if model.ttl is not None]
            with self._changed:
                if not self._stopping:
                    # A model that works has no deadline that is known yet, so somebody looks now and then.
                    self._changed.wait(max(0.05, min(deadlines) - time.monotonic()) if deadlines else None)
