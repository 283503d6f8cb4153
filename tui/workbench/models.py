"""What can be done with models: knowing what they need, loading, measuring and freeing them, and lending them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.workbench.wings import Wings

if TYPE_CHECKING:
    from tui.config import Collapsed, Speed
    from tui.domain import (
        CustomField,
        FittedLoad,
        GenerationRequest,
        GenerationStats,
        LoadConfig,
        MemoryEstimate,
        ModelInfo,
        Suggestion,
    )
    from tui.engine import BenchOutcome, BenchResult, LoadedModel, LoadProgress, SelfTest
    from tui.inference import AnsweringModel
    from tui.models.hub import Fit, RepositoryDetails, Variant


class ModelDesk(Wings):
    """The models of this machine and of remote engines, by the names that people call them."""

    def defaults_of(self, model_key: str, *, profile: str = "") -> Collapsed:
        """What a model is loaded and asked with where nobody says otherwise. Reads the disk; raises LmdeckError."""
        return self.decisions.collapsed(self._known(model_key), profile=profile)

    def custom_fields(self, model_key: str) -> tuple[CustomField, ...]:
        """What the maker of a virtual model lets people choose; nothing for other models. May look at the disk."""
        model = self._known(model_key)
        return model.custom_fields if model is not None else ()

    def suggestions(self, model_key: str) -> tuple[Suggestion, ...]:
        """What the maker of a virtual model recommends; nothing for other models. May look at the disk."""
        model = self._known(model_key)
        return model.suggestions if model is not None else ()

    def load_config(self, model_key: str, asked: Mapping[str, Any], *, profile: str = "") -> LoadConfig:
        """The configuration to load a model with: fields of `LoadConfig` that were asked for, over its defaults.

        Reads the disk; raises LmdeckError.
        """
        from tui.config import Layer

        layer = Layer("request", {f"load.{name}": value for name, value in asked.items()})
        return self.decisions.collapsed(self._known(model_key), [layer], profile=profile).load

    def begin_self_test(self) -> None:
        """Have the self-test done beside other work, so that the first load on a new machine need not wait for it.

        Asked for before the engine is used, it goes on while that is imported.
        """
        self._machine().test.begin()

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

    def fit_here(self, model: ModelInfo) -> Fit:
        """Whether a model fits this machine when nothing else is loaded. Blocks; raises LmdeckError."""
        from tui.models.hub import fit_of

        return fit_of(model, lambda one, config: self.engine.fit(one, config, alone=True))

    def fit_on_hub(self, details: RepositoryDetails, variant: Variant) -> Fit:
        """Whether a model of the Hub fits this machine, by its header. Blocks for the network and for about a second.

        Raises LmdeckError where that cannot be known.
        """
        return self.fit_here(self.hub.stand_in(details, variant))

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

    def count_tokens(self, model_key: str, text: str) -> int | None:
        """How many tokens a text has for a model; `None` unless it is loaded here. Blocks; raises LmdeckError."""
        model = self.engine.reserve(model_key)
        if model is None:
            return None
        try:
            return len(model.vocabulary.tokenize(text, parse_special=False))
        finally:
            model.release()

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

    def _note_speed(self, model: LoadedModel, stats: GenerationStats) -> None:
        self._speeds().record(model.info, model.config, stats)

    def _known(self, name: str) -> ModelInfo | None:
        """The catalogue's model that a name means, also that of a loaded instance; `None` where there is none."""
        from tui.domain import ModelNotFound

        loaded = self.engine.get(name) if self._engine.made else None
        if loaded is not None:
            # An instance may have a name of its own.
            return next((one for one in self.catalogue.models() if one.is_same_as(loaded.info)), loaded.info)
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
