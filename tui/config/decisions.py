"""Where the layers come from: the one place that puts presets, model defaults and settings below a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from tui.config.layers import Collapsed, Layer, collapse
from tui.config.model_defaults import ModelDefaultsStore
from tui.config.presets import PresetStore
from tui.config.settings import Settings
from tui.config.values import checked_value
from tui.domain import BadRequest, ModelInfo, StorageFailed

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
    ) -> Collapsed:
        """What counts for a model, below the layers of a request, a thread and its folders.

        `preset` is the one that was chosen, empty for none; `None` takes the one that the model's defaults name.
        Raises BadRequest for a preset or profile that there is not, and StorageFailed for files that cannot be used.
        """
        return collapse([*above, *self._below(model, preset, profile)])

    def _below(self, model: ModelInfo | None, preset: str | None, profile: str) -> Iterable[Layer]:
        saved = self.defaults.get(model.key) if model is not None else None
        chosen = saved.preset if preset is None and saved is not None else preset
        if chosen:
            found = self.presets.get(chosen)
            yield Layer("preset", found.values, found.name)
        if model is not None and saved is not None:
            if profile:
                yield Layer("profile", self.defaults.profile(model.key, profile), profile)
            yield Layer("model", saved.values)
            if not model.remote:
                yield Layer("file", _usable(self._file_values(model)))
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


def _usable(values: Mapping[str, Any]) -> dict[str, Any]:
    """What of a model file's values can be: the file comes from strangers, and may hold anything."""
    found = {}
    for key, value in values.items():
        with suppress(BadRequest):
            found[key] = checked_value(key, value)
    return found
