"""What every route of the server works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from tui.domain import GenerationRequest, ModelInfo, ModelNotFound, ServerOptions
from tui.engine import LoadedModel
from tui.models import unnamed_choice
from tui.server.request_log import RequestLog
from tui.server.tokens import TokenStore
from tui.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Services:
    """The workbench behind the server, and the server's own keeping."""

    workbench: Workbench
    log: RequestLog
    tokens: TokenStore
    options: Callable[[], ServerOptions]
    """The options of this moment; they may change while the server runs."""

    def find_model(self, name: str, *, embeds: bool = False) -> ModelInfo:
        """The model that a request names, or may mean where it names none. Blocks for the disk at first.

        `embeds` says that it is for vectors. Raises ModelNotFound, also for a model that is not loaded where requests
        must not load any.
        """
        loaded = self.workbench.loaded()
        if not name.strip():
            return self._unnamed([model.info for model in loaded if model.embeds == embeds], embeds)
        present = next((model for model in loaded if model.key == name), None)
        info = present.info if present is not None else self._instance_of(self.known_model(name), loaded)
        if not self.options().just_in_time and not info.remote and info.key not in {model.key for model in loaded}:
            raise ModelNotFound(
                f"{info.key} is not loaded, and requests may not load models here.",
                "Load it first, or turn on loading by requests (just in time).",
            )
        return info

    def _unnamed(self, loaded: Sequence[ModelInfo], embeds: bool) -> ModelInfo:
        """The only loaded model, or the only one that may be loaded; what is built in where there is no other."""
        own = [model for model in loaded if not model.builtin]
        only_loaded = own or not self.options().just_in_time
        choices = [own or loaded] if only_loaded else [self._loadable(embeds), loaded]
        for possible in choices:
            if len(possible) == 1:
                return possible[0]
        raise ModelNotFound("The request names no model.", 'Say which in "model"; GET /v1/models lists them.')

    def _loadable(self, embeds: bool) -> Sequence[ModelInfo]:
        """What may be loaded for a request that names no model."""
        catalogue = self.workbench.catalogue
        known = unnamed_choice(catalogue.models(abilities=False), embeds=embeds)
        if all(model.builtin for model in known) and catalogue.refresh(abilities=False):
            # A file has come since somebody last looked.
            known = unnamed_choice(catalogue.models(abilities=False), embeds=embeds)
        return known

    def _instance_of(self, info: ModelInfo, loaded: Sequence[LoadedModel]) -> ModelInfo:
        """The model as it is loaded, be it under another name, so that nobody loads it twice without wanting to."""
        instances = [model.info for model in loaded if model.info.is_same_as(info) and not info.remote]
        return (
            next((instance for instance in instances if instance.key == info.key), instances[0]) if instances else info
        )

    def known_model(self, name: str) -> ModelInfo:
        """A model of the catalogue; clients cannot name files. Raises ModelNotFound."""
        if name.startswith((".", "/", "~", "\\")) or Path(name).is_absolute():
            raise ModelNotFound(f"There is no model {name[:100]!r}.", "GET /v1/models lists them.")
        return self.workbench.catalogue.find(name)

    def provide(self, name: str, ttl: float | None) -> AbstractContextManager[LoadedModel]:
        """A model for vectors, loaded if need be and if requests may do that. Blocks; raises LmdeckError."""
        info = self.find_model(name, embeds=True)
        return self.workbench.provide(info.key, ttl=ttl if ttl is not None else self.options().just_in_time_ttl)

    def with_defaults(self, request: GenerationRequest) -> GenerationRequest:
        """The request with the model's own key, and with the server's time to live if it brings none."""
        info = self.find_model(request.model)
        ttl = request.ttl if request.ttl is not None else self.options().just_in_time_ttl
        load = request.load
        if load is not None and load.draft_model:
            load = replace(load, draft_model=str(self.known_model(load.draft_model).path))
        return replace(request, model=info.key, origin="server", ttl=ttl, load=load)
