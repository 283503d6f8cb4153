"""Short names for models: making them unique, and finding the models that a person may mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tui.domain import ModelInfo
from tui.models.gguf_bytes import printable
from tui.models.scan import SUFFIX


@dataclass(frozen=True, slots=True)
class PlacedModel:
    """A model and where it lies below its folder, with slashes and without its ending."""

    info: ModelInfo
    place: str

    def with_key(self, key: str) -> PlacedModel:
        """The same model by another name."""
        return replace(self, info=replace(self.info, key=key))


def with_unique_keys(models: Sequence[PlacedModel]) -> list[PlacedModel]:
    """The models with keys that all differ.

    Where plain names clash, every model that has one takes its quantisation (`name@q4_0`), or else its place below
    the folder, so that a name does not come to mean another model when files are added. Numbers are the last resort.
    """
    named = list(models)
    for longer_key in (_key_with_quantization, _key_from_place):
        uses = Counter(model.info.key for model in named)
        named = [model.with_key(longer_key(model)) if uses[model.info.key] > 1 else model for model in named]
    taken: set[str] = set()
    for index, model in enumerate(named):
        key, number = model.info.key, 1
        while key in taken:
            number += 1
            key = f"{model.info.key}-{number}"
        taken.add(key)
        named[index] = model if number == 1 else model.with_key(key)
    return named


def matching(name: str, models: Sequence[PlacedModel]) -> list[PlacedModel]:
    """The models that fit a name best, ignoring case: by key, file name, place or repository, beginning, any part."""
    wanted = _wanted(name)
    if not wanted:
        return []
    for fits in (_is_key, _is_file_name, _is_place, _begins, _contains):
        found = [model for model in models if fits(wanted, model)]
        if found:
            return found
    return []


def is_key(name: str, model: PlacedModel) -> bool:
    """Whether a name is the very key of a model, ignoring case."""
    return _is_key(_wanted(name), model)


def nearest_keys(name: str, models: Sequence[PlacedModel], most: int = 3) -> list[str]:
    """Keys that look like a name, best first."""
    from difflib import get_close_matches

    return get_close_matches(name.lower(), [model.info.key for model in models], most, 0.4)


def _wanted(name: str) -> str:
    """A name as the models' own ones are compared with it."""
    return name.strip().replace("\\", "/").casefold().removesuffix(SUFFIX).rstrip("/")


def _key_with_quantization(model: PlacedModel) -> str:
    info = model.info
    return f"{info.key}@{info.quantization.lower()}" if info.quantization else info.key


def _key_from_place(model: PlacedModel) -> str:
    return "-".join(printable(model.place).lower().split())


def _is_key(wanted: str, model: PlacedModel) -> bool:
    return model.info.key.casefold() == wanted


def _is_file_name(wanted: str, model: PlacedModel) -> bool:
    stems = {model.place.rpartition("/")[2], *(path.stem for path in model.info.files)}
    return wanted in {stem.casefold() for stem in stems}


def _is_place(wanted: str, model: PlacedModel) -> bool:
    return f"{model.place.casefold()}/".startswith(f"{wanted}/")


def _begins(wanted: str, model: PlacedModel) -> bool:
    return model.info.key.casefold().startswith(wanted)


def _contains(wanted: str, model: PlacedModel) -> bool:
    return wanted in model.info.key.casefold() or wanted in model.place.casefold()
