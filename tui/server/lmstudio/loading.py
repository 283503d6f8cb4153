"""Loading and unloading models for clients: `POST /api/v1/models/load` and `unload`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, create_model

from tui.domain import BadRequest, LoadConfig, ModelInfo, ModelNotFound
from tui.engine import LoadedModel
from tui.server.lmstudio.effective import effective_config, has
from tui.server.lmstudio.errors import Mistake
from tui.server.lmstudio.listing import instances_of
from tui.server.services import Services

_DOCUMENTED_NAMES = {
    "evaluation_batch_size": "eval_batch_size",
    "experts_used": "num_experts",
    "offload_kv_cache": "offload_kv_cache_to_gpu",
}
_IDENTIFIER = re.compile(r"[^\s/\\~.][^\x00-\x1f\x7f]{0,199}")


class LoadOptions(BaseModel):
    """Which model to load, and how long it stays. `LoadRequest` has the load parameters as well."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1)
    identifier: str | None = None
    """What requests call this instance; otherwise the model's key, with a number if it is loaded already."""
    ttl: float | None = Field(None, gt=0)
    """Seconds without work after which it goes; without it, it stays."""
    reuse: bool = False
    """Take an instance that is loaded just so already rather than loading another one."""
    force: bool = False
    """Load even what will not fit into memory."""
    echo_load_config: bool = False
    """LM Studio tells of the configuration only with this; here it is told in any case."""

    def parameters(self) -> dict[str, Any]:
        """The fields of `LoadConfig` that were asked for."""
        names = {field.name for field in fields(LoadConfig)} & self.model_fields_set
        asked = {name: value for name in names if (value := getattr(self, name)) is not None}
        if isinstance(switch := asked.get("flash_attention"), bool):
            asked["flash_attention"] = "on" if switch else "off"
        return asked


def _parameter_fields() -> dict[str, Any]:
    hints = {**get_type_hints(LoadConfig), "flash_attention": bool | get_type_hints(LoadConfig)["flash_attention"]}
    return {
        field.name: (
            hints[field.name] | None,
            Field(None, validation_alias=AliasChoices(_DOCUMENTED_NAMES.get(field.name, field.name), field.name)),
        )
        for field in fields(LoadConfig)
    }


LoadRequest = create_model("LoadRequest", __base__=LoadOptions, **_parameter_fields())
"""`POST /api/v1/models/load`: every load parameter, under LM Studio's name where it has one, and under our own."""


class UnloadRequest(BaseModel):
    """`POST /api/v1/models/unload`."""

    model_config = ConfigDict(extra="forbid")

    instance_id: str = Field(min_length=1)


def load(services: Services, wire: LoadOptions, still_wanted: Callable[[], bool]) -> LoadedModel:
    """Load an instance, or find the one to reuse. Blocks; raises LmdeckError, Cancelled when nobody wants it."""
    info = services.known_model(wire.model)
    asked = _with_own_files(services, wire.parameters())
    engine = services.workbench.engine
    if wire.reuse:
        wanted_name = wire.identifier
        for one in instances_of(info, engine.loaded()):
            if has(one, asked) and wanted_name in (None, one.key):
                return engine.load(one.info, one.config, ttl=wire.ttl)
    return services.workbench.load(
        info.key,
        services.workbench.load_config(info.key, asked),
        lambda _: still_wanted(),
        force=wire.force,
        ttl=wire.ttl,
        identifier=_identifier(services, wire.identifier, info),
    )


def unload(services: Services, wire: UnloadRequest) -> None:
    """Free an instance. Blocks; raises ModelNotFound."""
    if services.workbench.engine.get(wire.instance_id) is None:
        raise ModelNotFound(
            f"No loaded model is called {wire.instance_id[:100]!r}.", "GET /api/v1/models lists loaded instances."
        )
    services.workbench.unload(wire.instance_id)


def load_body(model: LoadedModel) -> dict[str, Any]:
    """What is said of a model that was loaded."""
    return {
        "type": "embedding" if model.embeds else "llm",
        "instance_id": model.key,
        "load_time_seconds": model.load_time,
        "status": "loaded",
        "load_config": effective_config(model),
    }


def make_context(services: Services, info: ModelInfo, wanted: int | None) -> None:
    """See to it that a chat gets the context that it asks for: what a request had loaded with less is loaded anew.

    Raises Mistake where the model is in use, or was loaded by somebody who wanted it as it is. Blocks.
    """
    loaded = services.workbench.engine.get(info.key)
    if wanted is None or loaded is None or loaded.context_length >= wanted:
        return
    may_reload = loaded.just_in_time and services.options().just_in_time
    if may_reload and services.workbench.engine.unload_idle(loaded.key):
        return
    raise Mistake(
        f"{loaded.key} is loaded with a context of {loaded.context_length:,} tokens.",
        "Ask for no more than that, or load it with a longer one.",
        field="context_length",
        wire_code="too_big",
    )


def _identifier(services: Services, wanted: str | None, info: ModelInfo) -> str:
    """The name for a new instance. Raises Mistake for one that means something else."""
    if wanted is None:
        return info.key
    problem = ""
    if _IDENTIFIER.fullmatch(wanted) is None:
        problem = "It must not look like a path, and has at most 200 characters"
    elif services.workbench.engine.get(wanted) is not None:
        problem = "Another loaded model is called so"
    elif wanted != info.key and any(wanted == other.key for other in services.workbench.catalogue.models()):
        problem = "It is the name of another model"
    if problem:
        raise Mistake(
            f"{wanted[:100]!r} cannot be the identifier. {problem}.",
            "Choose another, or leave it out.",
            field="identifier",
            wire_code="invalid_value",
        )
    return wanted


def _with_own_files(services: Services, asked: dict[str, Any]) -> dict[str, Any]:
    """The parameters with the paths of the files that they name, which must be among the models."""
    changed = dict(asked)
    if asked.get("draft_model"):
        changed["draft_model"] = str(services.known_model(asked["draft_model"]).path)
    if asked.get("projector", "off") not in ("", "off"):
        changed["projector"] = _file_among(services.workbench.paths.models, asked["projector"], "projector")
    if "lora" in asked:
        folder = services.workbench.paths.models
        changed["lora"] = tuple(
            (_file_among(folder, name, f"lora[{index}]"), scale) for index, (name, scale) in enumerate(asked["lora"])
        )
    return changed


def _file_among(folder: Path, name: str, field: str) -> str:
    try:
        home, file = folder.resolve(), (folder / name).resolve()
        known = file.is_relative_to(home) and file.is_file()
    except (OSError, ValueError, RuntimeError):
        known = False
    if not known:
        raise BadRequest(
            f"There is no file {name[:100]!r} among the models.",
            "Name one by its place in the models folder.",
            field=field,
        )
    return str(file)
