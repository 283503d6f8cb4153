"""The wings of the program behind one object: each opens at its first use, and all are closed together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.config import RemoteStore, Settings
from tui.engine import LogRing
from tui.paths import Paths
from tui.workbench.opening import (
    Once,
    new_decisions,
    new_format_cache,
    new_hub,
    new_remotes,
    new_speeds,
    open_catalogue,
    open_downloads,
    open_engine,
    open_library,
    open_machine,
    open_threads,
    open_usage,
)

if TYPE_CHECKING:
    from tui.config import Decisions
    from tui.domain import ModelInfo, RemoteEndpoint
    from tui.engine import Engine
    from tui.engine.remote import RemoteEngines
    from tui.models import Catalogue, Library, Usage
    from tui.models.downloads import Downloads
    from tui.models.hub import Hub
    from tui.threads import ThreadStore


class Wings:
    """Engine, threads, models, downloads and configuration. Making one is cheap."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.log = LogRing()
        self.settings = Settings(paths.settings)
        self._machine = Once(lambda: open_machine(paths, self.log))
        self._engine = Once(
            lambda: open_engine(paths, self.log, self.settings, self._machine(), auto_evict=self._auto_evict)
        )
        self._threads = Once(lambda: open_threads(paths))
        self._remote_store = RemoteStore(paths.remotes)
        self._remotes = Once(lambda: new_remotes(self._remote_store))
        self._usage = Once(lambda: open_usage(paths))
        self._catalogue = Once(lambda: open_catalogue(paths, self.settings, self.remotes, self.usage))
        self._library = Once(lambda: open_library(paths, self.catalogue, self.usage, self._is_loaded))
        self._hub = Once(lambda: new_hub(paths))
        self._downloads = Once(lambda: open_downloads(paths, self.hub, lambda: self.catalogue))
        self._formats = Once(lambda: new_format_cache(paths))
        self._speeds = Once(lambda: new_speeds(paths))
        self._decisions = Once(lambda: new_decisions(paths, self.settings))
        self._auto_evict = True

    @property
    def engine(self) -> Engine:
        """llama.cpp in this process. No native code is loaded before the first model is."""
        return self._engine()

    @property
    def threads(self) -> ThreadStore:
        """The conversations. Opening may raise StorageFailed."""
        return self._threads()

    @property
    def catalogue(self) -> Catalogue:
        """The models on disk, and those of remote engines as far as they are known."""
        return self._catalogue()

    @property
    def library(self) -> Library:
        """What changes the models on disk: importing, deleting with undo, pinning."""
        return self._library()

    @property
    def usage(self) -> Usage:
        """When each model was used last, and which are pinned."""
        return self._usage()

    @property
    def decisions(self) -> Decisions:
        """What counts where a request leaves something open: presets, the defaults of models, and their layers."""
        return self._decisions()

    @property
    def auto_evict(self) -> bool:
        """Whether a model that a request loads takes the place of the one that another request loaded before."""
        return self._auto_evict

    @auto_evict.setter
    def auto_evict(self, value: bool) -> None:
        self._auto_evict = value
        if self._engine.made:
            self.engine.auto_evict = value

    @property
    def remotes(self) -> RemoteEngines:
        """The remote engines: how they are, and which models they have."""
        return self._remotes()

    def add_remote(self, name: str, url: str, key: str = "") -> RemoteEndpoint:
        """Add a remote engine, and ask it for its models meanwhile. Raises BadRequest or StorageFailed."""
        endpoint = self._remote_store.add(name, url, key)
        self.remotes.refresh()
        return endpoint

    def remove_remote(self, name: str) -> None:
        """Forget a remote engine and its key. Raises BadRequest or StorageFailed."""
        self._remote_store.remove(name)

    @property
    def hub(self) -> Hub:
        """Models that can be downloaded. Nothing is asked before somebody wants to know."""
        return self._hub()

    @property
    def downloads(self) -> Downloads:
        """The queue of downloads. Nothing goes on before `go_on` or another of its methods says so."""
        return self._downloads()

    def resume_downloads(self) -> None:
        """Let downloads go on that were going on when the program ended. Reads the disk."""
        if self.paths.downloads.exists():
            self.downloads.go_on()

    def close(self) -> None:
        """Close what was opened, writing down what is not yet. Safe to call twice."""
        if self._downloads.made:
            self.downloads.close()
        if self._hub.made:
            self.hub.close()
        if self._speeds.made:
            self._speeds().save()
        if self._catalogue.made:
            self.catalogue.close()
        if self._engine.made:
            self.engine.close()
        if self._machine.made:
            self._machine().close()
        if self._threads.made:
            self.threads.close()

    def _is_loaded(self, model: ModelInfo) -> bool:
        return self._engine.made and any(loaded.info.path == model.path for loaded in self.engine.loaded())
