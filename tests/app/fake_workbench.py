"""A workbench whose models do what a test tells them: real threads and settings, no engine."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import cast

from tui.config import Collapsed, Decisions, ModelDefaultsStore, PresetStore, RemoteStore, Settings, Speed
from tui.domain import (
    Cancelled,
    CustomField,
    DeviceMemory,
    Event,
    Failed,
    Finished,
    FittedLoad,
    GenerationRequest,
    GenerationStats,
    LmdeckError,
    LoadConfig,
    LoadedValue,
    MemoryEstimate,
    MemoryShortage,
    Message,
    ModelInfo,
    ModelWillNotFit,
    PromptProgress,
    RemoteEndpoint,
    Suggestion,
    TextDelta,
)
from tui.engine import BenchOutcome, BenchResult, BenchTrial, LogRing
from tui.engine.remote import RemoteEngines
from tui.inference import PromptPreview
from tui.models import Catalogue, Library, SoFar, Usage
from tui.paths import Paths
from tui.threads import ThreadSettings, ThreadStore, collapsed_for

GIB = 1024**3


class ScriptedGeneration:
    """A generation that brings what `feed` is given, when it is given it."""

    def __init__(self, record: Callable[[Sequence[Event]], None]) -> None:
        self._record = record
        self._events: list[Event] = []
        self.prompt = ""
        self.done = False
        self.cancelled = False

    def feed(self, *events: Event) -> None:
        self._record(events)
        self._events.extend(events)
        self.done = self.done or any(isinstance(event, Finished | Failed) for event in events)

    def say(self, text: str, tokens: int = 1) -> None:
        self.feed(TextDelta(text, tokens))

    def finish(self, tokens: int = 12) -> None:
        self.feed(
            Finished(
                GenerationStats(
                    prompt_tokens=20,
                    generated_tokens=tokens,
                    time_to_first_token=0.31,
                    generation_speed=41.8,
                    context_used=2131,
                    context_length=8192,
                )
            )
        )

    def fail(self, error: LmdeckError) -> None:
        self.feed(Failed(error))

    def take(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def cancel(self) -> None:
        if not self.done:
            self.cancelled = True
            self.feed(Finished(GenerationStats(stop_reason="userStopped", generated_tokens=2)))


@dataclass
class FakeAnswer:
    message_id: str
    generation: ScriptedGeneration
    thread_id: str
    model: str


@dataclass
class FakeLoadedModel:
    info: ModelInfo
    config: LoadConfig
    values: tuple[LoadedValue, ...] = ()
    running: int = 0
    memory_bytes: int = 6 * GIB
    ttl: float | None = None

    @property
    def key(self) -> str:
        return self.info.key

    @property
    def context_length(self) -> int:
        return self.config.context_length or 8192


class FakeCatalogue:
    def __init__(self, models: Sequence[ModelInfo]) -> None:
        self.on_disk = list(models)
        self._seen: tuple[ModelInfo, ...] = ()

    def models(self, *, abilities: bool = True) -> tuple[ModelInfo, ...]:  # noqa: ARG002
        return self._seen

    def refresh(self) -> bool:
        before, self._seen = self._seen, tuple(self.on_disk)
        return before != self._seen

    def find(self, reference: str) -> ModelInfo:
        return next(model for model in self.on_disk if reference in (model.key, str(model.path)))

    def so_far(self) -> SoFar:
        return SoFar(self._seen, done=True)


@dataclass
class FakeWorkbench:
    """What `tui.workbench.Workbench` is to the screen."""

    root: Path
    disk_models: list[ModelInfo] = field(default_factory=list)
    free_memory: int = 24 * GIB

    def __post_init__(self) -> None:
        self.paths = Paths(self.root, self.root / "cache", self.root / "logs")
        self.settings = Settings(self.paths.settings)
        self.log = LogRing()
        self.catalogue = FakeCatalogue(self.disk_models)
        self.usage = Usage(self.paths.usage)
        self.library = Library(self.paths.models, cast(Catalogue, self.catalogue), self.usage)
        self.remote_store = RemoteStore(self.paths.remotes)
        self.remotes = RemoteEngines(self.remote_store.endpoints)
        self.answers: list[FakeAnswer] = []
        self.speeds: dict[tuple[str, LoadConfig], Speed] = {}
        self.models: dict[str, FakeLoadedModel] = {}
        self.estimates: list[LoadConfig] = []
        self.estimate_error: LmdeckError | None = None
        self.load_error: LmdeckError | None = None
        self.requests: list[GenerationRequest] = []
        self.says = ""
        self.left_out = 0
        self.loaded_values: tuple[LoadedValue, ...] = ()
        self.load_may_end = threading.Event()
        self.load_may_end.set()
        self.closed = False

    @cached_property
    def decisions(self) -> Decisions:
        presets, defaults = PresetStore(self.paths.presets), ModelDefaultsStore(self.paths.model_defaults)
        return Decisions(self.settings, presets, defaults, lambda _: {})

    def defaults_of(self, model_key: str, *, profile: str = "") -> Collapsed:
        info = next(model for model in self.disk_models if model.key == model_key)
        return self.decisions.collapsed(info, profile=profile)

    def custom_fields(self, model_key: str) -> tuple[CustomField, ...]:
        return next((model.custom_fields for model in self.disk_models if model.key == model_key), ())

    def suggestions(self, model_key: str) -> tuple[Suggestion, ...]:
        return next((model.suggestions for model in self.disk_models if model.key == model_key), ())

    def settings_of(self, thread_id: str, model_key: str, *, said: ThreadSettings | None = None) -> Collapsed:
        layers = self.threads.settings_layers(thread_id)
        layers = layers if said is None else (replace(layers[0], settings=said), *layers[1:])
        info = next((model for model in self.disk_models if model.key == model_key), None)
        return collapsed_for(self.decisions, info, layers)

    def bench(
        self,
        model_key: str,  # noqa: ARG002
        config: LoadConfig,
        on_outcome: Callable[[BenchOutcome], None],
        cancelled: Callable[[], bool],
    ) -> BenchResult:
        outcomes = []
        for threads, speed in ((2, 10.0), (4, 20.0)):
            outcomes.append(
                BenchOutcome(BenchTrial("CPU threads", str(threads), replace(config, threads=threads)), speed)
            )
            on_outcome(outcomes[-1])
        while not self.load_may_end.wait(0.01):
            if cancelled():
                raise Cancelled("The bench was stopped.")
        if self.load_error is not None:
            raise self.load_error
        return BenchResult(tuple(outcomes), outcomes[-1].trial.config)

    def expected_speed(self, model_key: str, config: LoadConfig) -> Speed | None:
        return self.speeds.get((model_key, config))

    @cached_property
    def threads(self) -> ThreadStore:
        return ThreadStore(self.paths.database)

    def resume_downloads(self) -> None:
        pass

    def begin_self_test(self) -> None:
        pass

    def estimate(self, model_key: str, config: LoadConfig) -> MemoryEstimate:  # noqa: ARG002
        self.estimates.append(config)
        if self.estimate_error is not None:
            raise self.estimate_error
        cache = (config.context_length or 8192) * 72 * 1024
        device = DeviceMemory("CPU", 5 * GIB, cache, GIB // 2, self.free_memory, 32 * GIB)
        short = device.needed > device.free
        shortage = MemoryShortage(device.device, device.needed, device.free) if short else None
        return MemoryEstimate((device,), "strict", shortage, parked=GIB)

    def fit(self, model_key: str, config: LoadConfig) -> FittedLoad:
        length = (self.free_memory - 5 * GIB - GIB // 2) // (72 * 1024)
        if length < config.fit_minimum_context:
            raise ModelWillNotFit("Nothing fits.", "Close other programs.")
        fitted = replace(config, context_length=min(length // 1024 * 1024, config.context_length or 8192))
        asked = f"{config.context_length:,}" if config.context_length else "auto"
        changes = (LoadedValue("context_length", asked, "", f"{fitted.context_length:,}"),)
        return FittedLoad(fitted, self.estimate(model_key, fitted), changes if fitted != config else ())

    def load(
        self,
        model_key: str,
        config: LoadConfig,
        on_progress: Callable[[float], bool | None] | None = None,
        *,
        force: bool = False,
    ) -> FakeLoadedModel:
        if on_progress is not None:
            on_progress(0.5)
        self.load_may_end.wait(10)
        if self.load_error is not None and not (force and isinstance(self.load_error, ModelWillNotFit)):
            raise self.load_error
        if on_progress is not None and on_progress(1.0) is False:
            raise Cancelled("Loading was stopped.")
        return self.put(model_key, config)

    def put(self, model_key: str, config: LoadConfig | None = None) -> FakeLoadedModel:
        """Have a model loaded."""
        info = next(model for model in self.disk_models if model.key == model_key)
        self.models[model_key] = FakeLoadedModel(info, config or LoadConfig(), self.loaded_values)
        return self.models[model_key]

    def add_remote(self, name: str, url: str, key: str = "") -> RemoteEndpoint:
        return self.remote_store.add(name, url, key)

    def remove_remote(self, name: str) -> None:
        self.remote_store.remove(name)

    def unload(self, model_key: str) -> None:
        self.models.pop(model_key, None)

    def loaded(self) -> tuple[FakeLoadedModel, ...]:
        return tuple(self.models.values())

    def answer(self, thread_id: str, model_key: str, *, parent_id: str | None = None) -> FakeAnswer:
        recorder = self.threads.begin_answer(thread_id, parent_id=parent_id, model=model_key)
        generation = ScriptedGeneration(recorder.record)
        generation.feed(PromptProgress(20, 0, 20))
        answer = FakeAnswer(recorder.message_id, generation, thread_id, model_key)
        self.answers.append(answer)
        return answer

    def continue_answer(self, message_id: str, model_key: str) -> FakeAnswer:
        recorder = self.threads.continue_answer(message_id, model=model_key)
        answer = FakeAnswer(message_id, ScriptedGeneration(recorder.record), "", model_key)
        self.answers.append(answer)
        return answer

    async def generate(self, request: GenerationRequest) -> AsyncIterator[Event]:
        self.requests.append(request)
        yield TextDelta(self.says)

    def count_tokens(self, model_key: str, text: str) -> int | None:
        return len(text.split()) if model_key in self.models else None

    def preview(self, thread_id: str, model_key: str, draft: Message | None = None) -> PromptPreview | None:
        if model_key not in self.models:
            return None
        messages = [stored.message for stored in self.threads.messages(thread_id)] + [draft] * (draft is not None)
        text = "\n".join(f"<{message.role}>{message.text}" for message in messages if message is not None)
        return PromptPreview(text, len(text.split()), 8192, dropped_messages=self.left_out)

    def close(self) -> None:
        self.closed = True
        for answer in self.answers:
            answer.generation.cancel()
        if "threads" in self.__dict__:
            self.threads.close()


def model(key: str = "Qwen3-8B-Q4_K_M", **values: object) -> ModelInfo:
    """A model file that never existed."""
    facts: dict[str, object] = {
        "path": Path(f"/models/qwen/{key}.gguf"),
        "size": 5 * GIB,
        "name": "Qwen3 8B",
        "architecture": "qwen3",
        "quantization": "Q4_K_M",
        "parameters": 8_200_000_000,
        "layers": 36,
        "context_length": 32_768,
        "chat_template": "x",
    }
    return ModelInfo(key=key, **{**facts, **values})  # type: ignore[arg-type]
