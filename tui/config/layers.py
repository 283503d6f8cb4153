"""Layers of values, the most specific first, and the one configuration that comes out of them.

The order follows LM Studio's (`KVConfig`): what a request says goes before what its thread says, and so on down to
what the program takes where nobody decided. Every value remembers its layer, so that people see where it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tui.config.values import CUSTOM_PREFIX, GROUPS, default_values
from tui.domain import AnswerConfig, LoadConfig, SamplingConfig

LayerName = Literal["request", "thread", "folder", "preset", "profile", "model", "file", "app"]

LAYER_TEXT: dict[LayerName, str] = {
    "request": "this request",
    "thread": "this thread",
    "folder": "its folder",
    "preset": "the preset",
    "profile": "the profile",
    "model": "the model's defaults",
    "file": "the model file",
    "app": "lmdeck's default",
}

# Two ways to say one thing: where a layer decides one of them, the other one of the layers below must not count.
_EXCLUSIVE = {
    "load.gpu_layers": "load.gpu_offload_ratio",
    "load.gpu_offload_ratio": "load.gpu_layers",
}


@dataclass(frozen=True, slots=True)
class Layer:
    """Values that one place decides."""

    name: LayerName
    values: Mapping[str, Any]
    """By dotted keys, as the fields of the configurations hold them."""
    title: str = ""
    """Which one it is, where there are several: the name of the preset, the folder or the profile."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from."""

    name: LayerName
    title: str = ""

    @property
    def text(self) -> str:
        """For people: `the preset “Writing”`."""
        return f"{LAYER_TEXT[self.name]} “{self.title}”" if self.title else LAYER_TEXT[self.name]


_NOBODY = Source("app")


@dataclass(frozen=True, slots=True)
class Collapsed:
    """What counts, and for each value that a layer decided which one it was."""

    load: LoadConfig = field(default_factory=LoadConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    answer: AnswerConfig = field(default_factory=AnswerConfig)
    custom: Mapping[str, Any] = field(default_factory=dict)
    """The values of fields that only this model has, by their own keys."""
    sources: Mapping[str, Source] = field(default_factory=dict)
    """By dotted key; a key that nobody decided is missing."""
    missing_preset: str = ""
    """The preset that was chosen and is not there or cannot be read, so that nothing of it counts; else empty."""
    preset_problem: str = ""
    """What is wrong in the preset's file, as a sentence; empty when all is well, and when there is no file."""

    def source(self, key: str) -> Source:
        """Where the value of a key comes from."""
        return self.sources.get(key, _NOBODY)

    def value(self, key: str) -> Any:
        """The value of a dotted key. Raises KeyError for one that there is not."""
        group, _, name = key.partition(".")
        if key.startswith(CUSTOM_PREFIX):
            return self.custom[name]
        if key not in default_values():
            raise KeyError(key)
        return getattr(getattr(self, group), name)


def collapse(layers: Sequence[Layer]) -> Collapsed:
    """One configuration from layers, the most specific first. Unknown keys are a mistake of the caller's."""
    values: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for layer in layers:
        taken = {key for key in layer.values if _EXCLUSIVE.get(key) in sources}
        for key, value in layer.values.items():
            if key not in sources and key not in taken:
                values[key] = value
                sources[key] = Source(layer.name, layer.title)
    parts = {
        group: config(**{key.partition(".")[2]: value for key, value in values.items() if key.startswith(f"{group}.")})
        for group, config in GROUPS.items()
    }
    custom = {key.removeprefix(CUSTOM_PREFIX): values[key] for key in values if key.startswith(CUSTOM_PREFIX)}
    return Collapsed(**parts, custom=custom, sources=sources)  # type: ignore[arg-type]
