"""Where the layers come from: the one place that puts presets, model defaults and settings below a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

from tui.config.custom_fields import FieldEffects, default_fields, effects_of, with_known_fields
from tui.config.layers import Collapsed, Layer, collapse
from tui.config.model_defaults import ModelDefaultsStore, SavedDefaults
from tui.config.presets import Preset, PresetStore
from tui.config.settings import Settings
from tui.config.values import checked_value, values_of
from tui.domain import (
    AnswerConfig,
    BadRequest,
    GenerationRequest,
    LoadConfig,
    Message,
    ModelInfo,
    StorageFailed,
    TextPart,
    text_message,
)

APP_SETTING = "defaults"
"""The setting that holds a person's own defaults for all models: an object of values by dotted keys."""

FileValues = Callable[[ModelInfo], Mapping[str, Any]]
"""What a model file itself says, by dotted keys."""


class Decisions:
    """Collapses layers for a model. Reads small files each time; safe to use from any thread."""

    def __init__(
        self, settings: Settings, presets: PresetStore, defaults: ModelDefaultsStore, file_values: FileValues
    ) -> None:
        self._settings = settings
        self.presets = presets
        self.defaults = defaults
        self._file_values = file_values

    def collapsed(
        self,
        model: ModelInfo | None,
        above: Sequence[Layer] = (),
        *,
        preset: str | None = None,
        profile: str = "",
        saved: bool = True,
    ) -> Collapsed:
        """What counts for a model, below the layers of a request, a thread and its folders.

        `preset` is the one that was chosen, empty for none; `None` takes the one that the model's defaults name. One
        that is not there any more or cannot be read must not stop anything: the rest counts, and the result names it.
        Without `saved` the model's saved defaults do not count.
        Raises BadRequest for a profile that there is not, and StorageFailed for files that cannot be used.
        """
        kept = self.defaults.get(model.key) if model is not None and saved else SavedDefaults()
        chosen = kept.preset if preset is None else preset
        found, problem = self._preset(chosen)
        layers = [Layer("preset", found.values, found.name)] if found else []
        fields = model.custom_fields if model is not None else ()
        every = (*above, *layers, *self._below(model, kept, profile))
        collapsed = collapse([with_known_fields(layer, fields) for layer in every])
        return replace(collapsed, missing_preset="" if found else chosen, preset_problem=problem)

    def settled(
        self,
        request: GenerationRequest,
        model: ModelInfo | None,
        above: Sequence[Layer] = (),
        *,
        preset: str | None = None,
    ) -> GenerationRequest:
        """The request with a value for everything that it leaves open, so that nothing is left to decide.

        What neither it nor any layer decides stays as it came. Raises as `collapsed` does, and BadRequest where the
        request itself names a preset that there is not.
        """
        if request.preset:
            self.presets.get(request.preset)
        preset = request.preset or preset
        found = self.collapsed(model, [Layer("request", _asked(request)), *above], preset=preset)
        by_group: dict[str, dict[str, Any]] = {"sampling": {}, "answer": {}, "load": {}}
        for key, source in found.sources.items():
            group, _, name = key.partition(".")
            if group not in by_group:
                continue
            # The other layers count again when the model is loaded, which may be long after this.
            if group != "load" or source.name in ("request", "thread", "folder"):
                by_group[group][name] = found.value(key)
        answer = by_group["answer"]
        effects = effects_of(model.custom_fields, found) if model is not None else FieldEffects()
        return replace(
            request,
            messages=_with_system_prompt(request, answer.pop("system_prompt", ""), effects),
            template_options=tuple({**dict(effects.options), **dict(request.template_options)}.items()),
            template_defaults=effects.defaults,
            sampling=replace(request.sampling, **by_group["sampling"]),
            load=found.load if by_group["load"] else None,
            decided=None,
            preset="" if found.missing_preset else preset or "",
            **answer,
        )

    def load_config(self, request: GenerationRequest, model: ModelInfo) -> LoadConfig:
        """How a model is loaded for a request. Raises as `collapsed` does."""
        if request.load is not None and request.decided is None:
            return request.load
        return self.collapsed(model, [Layer("request", _asked(request))], preset=request.preset or None).load

    def _preset(self, chosen: str) -> tuple[Preset | None, str]:
        """The preset that was chosen if it can be used, and what is wrong in its file."""
        try:
            found = self.presets.find(chosen) if chosen else None
        except StorageFailed as broken:
            return None, broken.message
        return found, found.left_out if found else ""

    def _below(self, model: ModelInfo | None, kept: SavedDefaults, profile: str) -> Iterable[Layer]:
        if model is not None:
            if profile:
                yield Layer("profile", self.defaults.profile(model.key, profile), profile)
            yield Layer("model", kept.values)
            if not model.remote:
                yield Layer("file", {**default_fields(model.custom_fields), **_usable(self._file_values(model))})
        yield Layer("app", self._own())

    def _own(self) -> dict[str, Any]:
        written = self._settings.get(APP_SETTING, {})
        try:
            if not isinstance(written, dict):
                raise BadRequest("It is not an object", field=APP_SETTING)
            return {key: checked_value(key, value) for key, value in written.items()}
        except BadRequest as problem:
            raise StorageFailed(
                f"“{APP_SETTING}” in the settings file cannot be used: {problem}", f"Correct {problem.field} there."
            ) from problem


def _asked(request: GenerationRequest) -> dict[str, Any]:
    """What a request asks for, by dotted keys."""
    parts = (request.load, request.sampling)
    values = {key: value for part in parts if part is not None for key, value in values_of(part).items()}
    own = {f"answer.{field.name}": field.name for field in fields(AnswerConfig)}
    values |= {key: getattr(request, name) for key, name in own.items() if hasattr(request, name)}
    return {key: value for key, value in values.items() if request.decided is None or key in request.decided}


def _with_system_prompt(request: GenerationRequest, prompt: str, effects: FieldEffects) -> tuple[Message, ...]:
    """The conversation, beginning with a system prompt where it has none, and with what fields add to it."""
    if request.raw_prompt is not None:
        return request.messages
    place = next((place for place, message in enumerate(request.messages) if message.role == "system"), None)
    own = prompt if place is None else request.messages[place].text
    texts = [text for text in (*effects.before, own, *effects.after) if text]
    if place is None:
        return (text_message("system", "\n\n".join(texts)), *request.messages) if texts else request.messages
    if texts == [own] or not texts:
        return request.messages
    told = replace(request.messages[place], parts=(TextPart("\n\n".join(texts)),))
    return (*request.messages[:place], told, *request.messages[place + 1 :])


def _usable(values: Mapping[str, Any]) -> dict[str, Any]:
    """What of a model file's values can be: the file comes from strangers, and may hold anything."""
    found = {}
    for key, value in values.items():
        with suppress(BadRequest):
            found[key] = checked_value(key, value)
    return found
