"""The composition root: builds the wings, owns their lifetimes, and is the only object that the faces are given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from tui.config import RemoteStore, Settings
from tui.engine import LogRing
from tui.paths import Paths

if TYPE_CHECKING:
    from tui.domain import (
        Event,
        FittedLoad,
        GenerationRequest,
        LoadConfig,
        MemoryEstimate,
        ModelInfo,
        RemoteEndpoint,
        SamplingConfig,
        StorageFailed,
    )
    from tui.engine import Engine, LoadedModel, LoadProgress, SelfTest
    from tui.engine.remote import RemoteEngines
    from tui.inference import AnsweringModel, FormatCache, Generation
    from tui.models import Catalogue
    from tui.models.downloads import Download, Downloads
    from tui.models.hub import Fit, Hub, RepositoryDetails, Variant
    from tui.threads import AnswerRecorder, ThreadStore

# How long `close` waits for answers to be written down. Seconds.
_CLOSING_PATIENCE = 5.0
# How often an answer that the disk refused is tried again. Seconds.
_RETRY_INTERVAL = 2.0


Wing = TypeVar("Wing")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is being generated into a thread."""

    message_id: str
    generation: Generation
    recorder: AnswerRecorder

    @property
    def problem(self) -> StorageFailed | None:
        """Why the answer cannot be saved at present; what came is kept in memory and tried again."""
        return self.recorder.problem


class _Once(Generic[Wing]):
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


class Workbench:
    """Everything that lmdeck can do, without a face. Making one is cheap; each wing opens at its first use."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.log = LogRing()
        self.settings = Settings(paths.settings)
        self._engine = _Once(lambda: _open_engine(paths, self.log, self.settings, auto_evict=self._auto_evict))
        self._threads = _Once(lambda: _open_threads(paths))
        self._remote_store = RemoteStore(paths.remotes)
        self._remotes = _Once(lambda: _new_remotes(self._remote_store))
        self._catalogue = _Once(lambda: _open_catalogue(paths, self.remotes))
        self._hub = _Once(lambda: _new_hub(paths))
        self._downloads = _Once(lambda: _open_downloads(paths, self.hub, lambda: self.catalogue))
        self._formats = _Once(lambda: _new_format_cache(paths))
        self._auto_evict = True
        self._generations: list[Generation] = []
        self._closing = threading.Event()
        self.on_unsaved: Callable[[StorageFailed], None] | None = None
        """Hears, from any thread, that an answer cannot be written at present."""
        self._lock = threading.Lock()

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

    def fit_on_hub(self, details: RepositoryDetails, variant: Variant) -> Fit:
        """Whether a model of the Hub fits this machine, by its header. Blocks for the network and for about a second.

        Raises LmdeckError where that cannot be known.
        """
        return self.fit_here(self.hub.stand_in(details, variant))

    def fit_here(self, model: ModelInfo) -> Fit:
        """Whether a model fits this machine when nothing else is loaded. Blocks; raises LmdeckError."""
        from tui.models.hub import fit_of

        return fit_of(model, lambda one, config: self.engine.fit(one, config, alone=True))

    def self_test(self) -> SelfTest:
        """What this machine's kernels are good for; a second of work on a new machine. Raises EngineFault."""
        return self.engine.self_test()

    def estimate(self, model_key: str, config: LoadConfig) -> MemoryEstimate:
        """What loading would need, and whether the guardrail lets it. Blocks for about half a second the first time;
        raises LmdeckError."""
        return self.engine.estimate(self._file(model_key), self._resolved(config))

    def fit(self, model_key: str, config: LoadConfig) -> FittedLoad:
        """The configuration fitted to the memory that is free, and what that changed. Blocks for some estimates.

        Raises ModelWillNotFit if nothing fits, and LmdeckError as `estimate` does.
        """
        fitted = self.engine.fit(self._file(model_key), self._resolved(config))
        return replace(fitted, config=replace(fitted.config, draft_model=config.draft_model))

    def load(
        self,
        model_key: str,
        config: LoadConfig,
        on_progress: LoadProgress | None = None,
        *,
        force: bool = False,
        ttl: float | None = None,
        identifier: str = "",
    ) -> LoadedModel:
        """Load a model, with `force` even one that will not fit. Blocks; raises LmdeckError.

        `ttl` is how many seconds without work it stays; `None` is for ever. `identifier` loads one more instance,
        under that name, beside those that there are.
        """
        model = self._file(model_key)
        return self.engine.load(model, self._resolved(config), on_progress, force=force, ttl=ttl, identifier=identifier)

    def unload(self, model_key: str) -> None:
        """Free a loaded model."""
        self.engine.unload(model_key)

    def loaded(self) -> tuple[LoadedModel, ...]:
        """The models in memory."""
        return self.engine.loaded()

    def generate(
        self, request: GenerationRequest, record: Callable[[Sequence[Event]], None] | None = None
    ) -> Generation:
        """Start generating; the one way to do it. Returns at once, problems come as a `Failed` event."""
        from tui.inference import Generation

        generation = Generation(request, self._provide_model, self._formats(), record)
        with self._lock:
            self._generations = [running for running in self._generations if not running.done]
            self._generations.append(generation)
        return generation

    def answer(
        self,
        thread_id: str,
        model_key: str,
        sampling: SamplingConfig | None = None,
        *,
        parent_id: str | None = None,
    ) -> Answer:
        """Answer a message, by default the last of the thread's active branch, saving the answer as it comes.

        An answer to a message that has one already stands beside it as another branch. Blocks for as long as the
        disk does; raises StorageFailed.
        """
        from tui.domain import GenerationRequest, SamplingConfig

        recorder = self.threads.begin_answer(thread_id, parent_id=parent_id, model=model_key)
        branch = self.threads.messages(thread_id)
        messages = tuple(stored.message for stored in branch if stored.id != recorder.message_id)
        request = GenerationRequest(model_key, messages, sampling or SamplingConfig())
        return Answer(recorder.message_id, self.generate(request, self._recording(recorder)), recorder)

    @contextmanager
    def provide(self, model_key: str, *, ttl: float | None = None) -> Iterator[LoadedModel]:
        """A model for work without a conversation, such as vectors; loaded for it if need be. Blocks.

        It does not go by itself within the block. Raises LmdeckError.
        """
        from tui.domain import LoadConfig

        model = self.engine.reserve(model_key)
        if model is None:
            model = self.engine.load(self._file(model_key), LoadConfig(), None, ttl=ttl, just_in_time=True)
        try:
            yield model
        finally:
            model.release()

    def close(self) -> None:
        """Stop everything, keep what came. Safe to call twice."""
        self._closing.set()
        if self._downloads.made:
            self.downloads.close()
        if self._hub.made:
            self.hub.close()
        with self._lock:
            generations, self._generations = self._generations, []
        for generation in generations:
            generation.cancel()
        for generation in generations:
            generation.wait(_CLOSING_PATIENCE)
        if self._engine.made:
            self.engine.close()
        if self._threads.made:
            self.threads.close()

    def _recording(self, recorder: AnswerRecorder) -> Callable[[Sequence[Event]], None]:
        """What saves an answer, and keeps trying when the disk refuses its end."""
        from tui.domain import Failed, Finished

        def record(events: Sequence[Event]) -> None:
            recorder.record(events)
            if recorder.problem is not None and self.on_unsaved is not None:
                self.on_unsaved(recorder.problem)
            if events and isinstance(events[-1], Finished | Failed) and not recorder.ended:
                threading.Thread(target=self._save_later, args=(recorder,), daemon=True).start()

        return record

    def _save_later(self, recorder: AnswerRecorder) -> None:
        while not recorder.ended and not self._closing.wait(_RETRY_INTERVAL):
            recorder.record(())

    def _provide_model(self, request: GenerationRequest, on_progress: LoadProgress) -> LoadedModel | AnsweringModel:
        """The model that a request names: the remote one, or the one of this machine, loading it if need be.

        The latter is reserved for the request until it is released.
        """
        present = self.engine.reserve(request.model)
        if present is not None:
            return present
        info = self.catalogue.find(request.model)
        if info.remote:
            return self.remotes.model(info)
        present = self.engine.reserve(info.key) if request.load is None else None
        if present is not None:
            return present
        from tui.domain import LoadConfig

        config = self._resolved(request.load or LoadConfig())
        return self.engine.load(info, config, on_progress, ttl=request.ttl, just_in_time=True)

    def _resolved(self, config: LoadConfig) -> LoadConfig:
        """The configuration with the path of its draft model, which people call by its key."""
        if config.speculation != "draft" or not config.draft_model or Path(config.draft_model).expanduser().exists():
            return config
        return replace(config, draft_model=str(self._file(config.draft_model).path))

    def _file(self, model_key: str) -> ModelInfo:
        """The model of this machine that a name means."""
        from tui.domain import BadRequest

        info = self.catalogue.find(model_key)
        if info.remote:
            raise BadRequest(
                f"{info.key} is on the remote engine {info.remote}, so that nothing can be loaded here.",
                "Ask it as it is.",
                field="model",
            )
        return info


# Wings are imported when they are opened: the first paint needs none of them.


def _open_engine(paths: Paths, log: LogRing, settings: Settings, *, auto_evict: bool) -> Engine:
    from tui.config import guardrail_setting
    from tui.engine import Engine

    engine = Engine(paths.verdicts, log, states=paths.states, guardrail=lambda: guardrail_setting(settings))
    engine.auto_evict = auto_evict
    return engine


def _open_threads(paths: Paths) -> ThreadStore:
    from tui.threads import ThreadStore

    return ThreadStore(paths.database)


def _open_catalogue(paths: Paths, remotes: RemoteEngines) -> Catalogue:
    from tui.models import Catalogue

    return Catalogue([paths.models], remotes)


def _new_hub(paths: Paths) -> Hub:
    from tui.models.hub import Hub, HubConnection

    return Hub(HubConnection(), paths.stand_ins)


def _open_downloads(paths: Paths, hub: Hub, catalogue: Callable[[], Catalogue]) -> Downloads:
    from tui.models.downloads import Downloads

    def arrived(_: Download) -> None:
        catalogue().refresh()

    return Downloads(hub.connection, paths.models, paths.downloads, arrived=arrived)


def _new_remotes(store: RemoteStore) -> RemoteEngines:
    from tui.engine.remote import RemoteEngines

    return RemoteEngines(store.endpoints)


def _new_format_cache(paths: Paths) -> FormatCache:
    from tui.inference import FormatCache

    return FormatCache(paths.vocabularies)
