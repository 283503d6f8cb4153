"""How each wing is opened at its first use, with what it needs of the others.

The modules of a wing are imported in here and not before: the first paint needs none of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from tui.paths import Paths

if TYPE_CHECKING:
    from tui.config import Decisions, RemoteStore, Settings, SpeedStore
    from tui.domain import ModelInfo
    from tui.engine import Engine, LogRing, Machine
    from tui.engine.remote import RemoteEngines
    from tui.inference import FormatCache
    from tui.models import Abilities, Catalogue, Library, Usage
    from tui.models.downloads import Download, Downloads
    from tui.models.hub import Hub
    from tui.threads import ThreadStore

Wing = TypeVar("Wing")


class Once(Generic[Wing]):
    """Makes a wing at its first use, once, whichever thread asks first."""

    def __init__(self, make: Callable[[], Wing]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._value: Wing | None = None

    @property
    def made(self) -> bool:
        return self._value is not None

    def __call__(self) -> Wing:
        if self._value is None:
            with self._lock:
                if self._value is None:
                    self._value = self._make()
        return self._value


def open_machine(paths: Paths, log: LogRing) -> Machine:
    """What is known of this machine before the engine is there."""
    from tui.engine import Machine

    return Machine(paths.verdicts, log)


def open_engine(paths: Paths, log: LogRing, settings: Settings, machine: Machine, *, auto_evict: bool) -> Engine:
    """llama.cpp in this process; loads no native code yet."""
    from tui.config import guardrail_setting
    from tui.engine import Engine

    guardrail = partial(guardrail_setting, settings)
    engine = Engine(paths.verdicts, log, states=paths.states, guardrail=guardrail, machine=machine)
    engine.auto_evict = auto_evict
    return engine


def open_threads(paths: Paths) -> ThreadStore:
    """The conversations. Raises StorageFailed."""
    from tui.threads import ThreadStore

    return ThreadStore(paths.database, paths.attachments)


def new_speeds(paths: Paths) -> SpeedStore:
    """How fast models were."""
    from tui.config import SpeedStore

    return SpeedStore(paths.speeds)


def new_decisions(paths: Paths, settings: Settings) -> Decisions:
    """The layers below a request."""
    from tui.config import Decisions, ModelDefaultsStore, PresetStore
    from tui.models import file_defaults

    presets, defaults = PresetStore(paths.presets), ModelDefaultsStore(paths.model_defaults)
    return Decisions(settings, presets, defaults, file_defaults)


def open_catalogue(paths: Paths, settings: Settings, remotes: RemoteEngines, usage: Usage) -> Catalogue:
    """The models of our folder, of other programs, of remote engines, and the built-in ones."""
    import os

    from tui.builtin import BuiltInModels
    from tui.config import BUILT_IN_SETTING, model_folders, other_programs
    from tui.models import Catalogue, built_in_source, known_sources

    folders, others = model_folders(settings), other_programs(settings)
    # Without a home of the person's own there are no stores of other programs either.
    home = Path(os.path.expanduser("~"))
    sources = known_sources(paths.models, folders, os.environ, home, other_programs=others and home.is_absolute())
    built_in = BuiltInModels()
    sources.append(built_in_source(built_in.folder, built_in.files))
    return Catalogue(
        sources,
        remotes,
        index=paths.model_index,
        probe=_probe_template,
        last_used=usage.last_used,
        hidden=lambda model: model.builtin and not settings.get(BUILT_IN_SETTING, True),
    )


def _probe_template(template: str) -> Abilities:
    """What a chat template can do; nothing where it does not let itself be asked."""
    from tui.formats import template_traits
    from tui.models import Abilities

    return Abilities(*template_traits(template))


def open_usage(paths: Paths) -> Usage:
    """When models were used last, and which are pinned."""
    from tui.models import Usage

    return Usage(paths.usage)


def open_library(paths: Paths, catalogue: Catalogue, usage: Usage, in_use: Callable[[ModelInfo], bool]) -> Library:
    """What changes the models on disk."""
    from tui.models import Library

    return Library(paths.models, catalogue, usage, in_use)


def new_hub(paths: Paths) -> Hub:
    """Models that can be downloaded."""
    from tui.models.hub import Hub, HubConnection

    return Hub(HubConnection(), paths.stand_ins)


def open_downloads(paths: Paths, hub: Hub, catalogue: Callable[[], Catalogue]) -> Downloads:
    """The queue of downloads; what arrives is in the catalogue at once."""
    from tui.models.downloads import Downloads

    def arrived(_: Download) -> None:
        catalogue().refresh()

    return Downloads(hub.connection, paths.models, paths.downloads, arrived=arrived)


def new_remotes(store: RemoteStore) -> RemoteEngines:
    """The remote engines."""
    from tui.engine.remote import RemoteEngines

    return RemoteEngines(store.endpoints)


def new_format_cache(paths: Paths) -> FormatCache:
    """The chat formats of loaded models."""
    from tui.inference import FormatCache

    return FormatCache(paths.vocabularies)
