"""The composition root: builds the wings, owns their lifetimes, and is the only object that the faces are given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.config import RemoteStore, Settings
from tui.engine import LogRing
from tui.opening import (
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
    open_threads,
    open_usage,
)
from tui.paths import Paths

if TYPE_CHECKING:
    from tui.config import Collapsed, Decisions, Speed
    from tui.domain import (
        Event,
        FittedLoad,
        GenerationRequest,
        GenerationStats,
        LoadConfig,
        MemoryEstimate,
        Message,
        ModelInfo,
        RemoteEndpoint,
        SamplingConfig,
        StorageFailed,
    )
    from tui.engine import BenchOutcome, BenchResult, Engine, LoadedModel, LoadProgress, SelfTest
    from tui.engine.remote import RemoteEngines
    from tui.inference import AnsweringModel, Generation, PromptPreview
    from tui.models import Catalogue, Library, Usage
    from tui.models.downloads import Downloads
    from tui.models.hub import Fit, Hub, RepositoryDetails, Variant
    from tui.threads import AnswerRecorder, ThreadSettings, ThreadStore

# How long `close` waits for answers to be written down. Seconds.
_CLOSING_PATIENCE = 5.0
# How often an answer that the disk refused is tried again. Seconds.
_RETRY_INTERVAL = 2.0


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


class Workbench:
    """Everything that lmdeck can do, without a face. Making one is cheap; each wing opens at its first use."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.log = LogRing()
        self.settings = Settings(paths.settings)
        self._engine = Once(lambda: open_engine(paths, self.log, self.settings, auto_evict=self._auto_evict))
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

    def defaults_of(self, model_key: str, *, profile: str = "") -> Collapsed:
        """What a model is loaded and asked with where nobody says otherwise. Reads the disk; raises LmdeckError."""
        return self.decisions.collapsed(self._known(model_key), profile=profile)

    def load_config(self, model_key: str, asked: Mapping[str, Any], *, profile: str = "") -> LoadConfig:
        """The configuration to load a model with: fields of `LoadConfig` that were asked for, over its defaults.

        Reads the disk; raises LmdeckError.
        """
        from tui.config import Layer

        layer = Layer("request", {f"load.{name}": value for name, value in asked.items()})
        return self.decisions.collapsed(self._known(model_key), [layer], profile=profile).load

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

    def expected_speed(self, model_key: str, config: LoadConfig) -> Speed | None:
        """How fast a model of this machine answered when it was loaded so; `None` where that was never measured."""
        return self._speeds().expected(self._file(model_key), config)

    def load(
        self,
        model_key: str,
        config: LoadConfig | None = None,
        on_progress: LoadProgress | None = None,
        *,
        force: bool = False,
        ttl: float | None = None,
        identifier: str = "",
    ) -> LoadedModel:
        """Load a model, with `force` even one that will not fit. Blocks; raises LmdeckError.

        Without a configuration it gets its defaults. `ttl` is how many seconds without work it stays; `None` is for
        ever. `identifier` loads one more instance, under that name, beside those that there are.
        """
        model = self._file(model_key)
        config = config if config is not None else self.load_config(model.key, {})
        loaded = self.engine.load(
            model, self._resolved(config), on_progress, force=force, ttl=ttl, identifier=identifier
        )
        self.usage.note(model)
        return loaded

    def bench(
        self,
        model_key: str,
        config: LoadConfig,
        on_outcome: Callable[[BenchOutcome], None],
        cancelled: Callable[[], bool],
        *,
        rounds: int = 3,
    ) -> BenchResult:
        """Try how a model is loaded best on this machine, in an instance of its own. Blocks for minutes.

        Figures are lower while others work. Raises Cancelled, and LmdeckError where nothing can be measured.
        """
        from tui.engine import Bench

        model = self._file(model_key)
        name = f"{model.key} (bench)"

        def load(tried: LoadConfig) -> LoadedModel:
            return self.engine.load(model, self._resolved(tried), lambda _: not cancelled(), identifier=name)

        return Bench(load, lambda tried: self.engine.unload(tried.key), config, rounds=rounds).run(
            on_outcome, cancelled
        )

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
        from tui.inference import Generation, Measured

        measured = Measured(self._provide_model, record, self._one_generates, self._note_speed)
        generation = Generation(request, measured.provide, self._formats(), measured.record, self._settled)
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
        disk does; raises StorageFailed, and BadRequest for settings of the thread that cannot be.
        """
        from tui.threads import snapshot_of

        last = parent_id or self.threads.leaf(thread_id)
        request = self.request_for(thread_id, model_key, sampling, last=last)
        recorder = self.threads.begin_answer(thread_id, parent_id=last, model=model_key, settings=snapshot_of(request))
        return Answer(recorder.message_id, self.generate(request, self._recording(recorder)), recorder)

    def continue_answer(self, message_id: str, model_key: str, sampling: SamplingConfig | None = None) -> Answer:
        """Let a model go on with an answer that has ended; what comes is added to it.

        Blocks as `answer` does. Raises StorageFailed, BadRequest where it cannot be gone on with, and Busy.
        """
        from tui.threads import check_continuable, snapshot_of

        stored = check_continuable(self.threads.message(message_id))
        request = self.request_for(stored.thread_id, model_key, sampling, last=message_id)
        request = replace(request, continues_answer=bool(stored.message.parts))
        recorder = self.threads.continue_answer(message_id, model=model_key, settings=snapshot_of(request))
        return Answer(message_id, self.generate(request, self._recording(recorder)), recorder)

    def request_for(
        self, thread_id: str, model_key: str, sampling: SamplingConfig | None = None, *, last: str | None = None
    ) -> GenerationRequest:
        """What a model is asked for an answer behind a message, by default the last of the thread's active branch.

        System prompt, presets and everything else that thread, folders and model decide is in it; notes are not.
        Raises StorageFailed, and BadRequest for settings of the thread that cannot be.
        """
        from tui.threads import request_for

        last = last or self.threads.leaf(thread_id)
        branch = self.threads.branch(last) if last else []
        layers = self.threads.settings_layers(thread_id)
        return request_for(self.decisions, model_key, self._known(model_key), layers, branch, sampling)

    def settings_of(self, thread_id: str, model_key: str, *, said: ThreadSettings | None = None) -> Collapsed:
        """What counts for a thread when this model answers, and where each value comes from. Raises LmdeckError.

        `said` takes the place of what the thread itself says.
        """
        from tui.threads import collapsed_for

        layers = self.threads.settings_layers(thread_id)
        if said is not None:
            layers = (replace(layers[0], settings=said), *layers[1:])
        return collapsed_for(self.decisions, self._known(model_key), layers)

    def preview(self, thread_id: str, model_key: str, draft: Message | None = None) -> PromptPreview | None:
        """What a model would read in a thread, with a message that is not sent yet; `None` unless it is loaded here.

        Blocks; raises LmdeckError.
        """
        from tui.inference import preview_prompt
        from tui.threads import with_files_as_text

        model = self.engine.reserve(model_key)
        if model is None:
            return None
        try:
            request = self.request_for(thread_id, model_key)
            if draft is not None:
                request = replace(request, messages=(*request.messages, with_files_as_text(draft)))
            return preview_prompt(model, self._formats()(model), request)
        finally:
            model.release()

    def count_tokens(self, model_key: str, text: str) -> int | None:
        """How many tokens a text has for a model; `None` unless it is loaded here. Blocks; raises LmdeckError."""
        model = self.engine.reserve(model_key)
        if model is None:
            return None
        try:
            return len(model.vocabulary.tokenize(text, parse_special=False))
        finally:
            model.release()

    @contextmanager
    def provide(self, model_key: str, *, ttl: float | None = None) -> Iterator[LoadedModel]:
        """A model for work without a conversation, such as vectors; loaded for it if need be. Blocks.

        It does not go by itself within the block. Raises LmdeckError.
        """
        model = self.engine.reserve(model_key)
        if model is None:
            info = self._file(model_key)
            config = self._resolved(self.load_config(info.key, {}))
            model = self.engine.load(info, config, None, ttl=ttl, just_in_time=True)
        self.usage.note(model.info)
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
        if self._speeds.made:
            self._speeds().save()
        if self._catalogue.made:
            self.catalogue.close()
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
        if present is None:
            info = self.catalogue.find(request.model)
            if info.remote:
                return self.remotes.model(info)
            present = self.engine.reserve(info.key) if request.load is None else None
            if present is None:
                config = self._resolved(self.decisions.load_config(request, info))
                present = self.engine.load(info, config, on_progress, ttl=request.ttl, just_in_time=True)
        self.usage.note(present.info)
        return present

    def _is_loaded(self, model: ModelInfo) -> bool:
        return self._engine.made and any(loaded.info.path == model.path for loaded in self.engine.loaded())

    def _one_generates(self) -> bool:
        with self._lock:
            return sum(not running.done for running in self._generations) <= 1

    def _note_speed(self, model: LoadedModel, stats: GenerationStats) -> None:
        self._speeds().record(model.info, model.config, stats)

    def _settled(self, request: GenerationRequest) -> GenerationRequest:
        """The request with everything decided that it leaves open. Raises LmdeckError."""
        return request if request.decided is None else self.decisions.settled(request, self._known(request.model))

    def _known(self, name: str) -> ModelInfo | None:
        """The catalogue's model that a name means, also that of a loaded instance; `None` where there is none."""
        from tui.domain import ModelNotFound

        loaded = self.engine.get(name) if self._engine.made else None
        if loaded is not None:
            return next((one for one in self.catalogue.models() if one.path == loaded.info.path), loaded.info)
        try:
            return self.catalogue.find(name)
        except ModelNotFound:
            return None

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
