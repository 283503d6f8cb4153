"""Short names for models: making them unique, and finding the models that a person may mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tui.domain import ModelInfo
from tui.models.gguf_bytes import printable
from tui.models.scan import SUFFIX


@dataclass(frozen=True, slots=True)
class PlacedModel:
    """A model and where it lies below its source, with slashes and without its ending."""

    info: ModelInfo
    place: str
    rank: int = 0
    """Which source it is from: of two with the same name, the one of the lower rank keeps it."""
    home: str = ""
    """What it shares with the projector files that belong to it."""

    def with_key(self, key: str) -> PlacedModel:
        """The same model by another name."""
        return replace(self, info=replace(self.info, key=key))


def with_unique_keys(models: Sequence[PlacedModel]) -> list[PlacedModel]:
    """The models with keys that all differ, in the same order.

    Where plain names of one rank clash, every model that has one takes its quantisation (`name@q4_0`), or else its
    place below the folder, so that a name does not come to mean another model when files are added. A model of a
    higher rank does so where it clashes with one of a lower rank, which keeps its name whatever other programs have.
    Numbers are the last resort.
    """
    named = list(models)
    taken: set[str] = set()
    for rank in sorted({model.rank for model in named}):
        positions = [index for index, model in enumerate(named) if model.rank == rank]
        for longer_key in (_key_with_quantization, _key_from_place):
            uses = Counter(named[index].info.key for index in positions)
            for index in positions:
                model = named[index]
                if uses[model.info.key] > 1 or model.info.key in taken:
                    named[index] = model.with_key(longer_key(model))
        for index in positions:
            named[index] = named[index].with_key(free_name(named[index].info.key, taken))
    return named


def free_name(name: str, taken: set[str]) -> str:
    """A name that is not taken, with a number where it must be; it is taken from now on."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free)
    return free


def matching(name: str, models: Sequence[PlacedModel]) -> list[PlacedModel]:
    """The models that fit a name best, ignoring case: by key, variant or family, file name, place or repository,
    beginning, any part."""
    return matching_exactly(name, models) or _first(name, models, (_begins, _contains))


def matching_exactly(name: str, models: Sequence[PlacedModel]) -> list[PlacedModel]:
    """The models whose whole name, file or place is meant."""
    return _first(name, models, (_is_key, _is_variant, _is_family, _is_file_name, _is_place))


def _first(
    name: str, models: Sequence[PlacedModel], ways: Sequence[Callable[[str, PlacedModel], bool]]
) -> list[PlacedModel]:
    """The models that fit in the first way in which any does."""
    wanted = name.strip().replace("\\", "/").casefold().removesuffix(SUFFIX).rstrip("/")
    if not wanted:
        return []
    for fits in ways:
        found = [model for model in models if fits(wanted, model)]
        if found:
            return found
    return []


def nearest_keys(name: str, models: Sequence[PlacedModel], most: int = 3) -> list[str]:
    """Keys that look like a name, best first."""
    from difflib import get_close_matches

    return get_close_matches(name.lower(), [model.info.key for model in models], most, 0.4)


def _key_with_quantization(model: PlacedModel) -> str:
    info = model.info
    return f"{info.key}@{info.quantization.lower()}" if info.quantization else info.key


def _key_from_place(model: PlacedModel) -> str:
    return "-".join(printable(model.place).lower().split())


def _is_key(wanted: str, model: PlacedModel) -> bool:
    return model.info.key.casefold() == wanted


def _is_variant(wanted: str, model: PlacedModel) -> bool:
    return model.info.variant_key.casefold() == wanted


def _is_family(wanted: str, model: PlacedModel) -> bool:
    return model.info.family.casefold() == wanted


def _is_file_name(wanted: str, model: PlacedModel) -> bool:
    if model.info.base:
        # Its file is that of another model, which is what the name of the file means.
        return False
    stems = {model.place.rpartition("/")[2], *(path.stem for path in model.info.files)}
    return wanted in {stem.casefold() for stem in stems}


def _is_place(wanted: str, model: PlacedModel) -> bool:
    return f"{model.place.casefold()}/".startswith(f"{wanted}/")


def _begins(wanted: str, model: PlacedModel) -> bool:
    return model.info.key.casefold().startswith(wanted)


def _contains(wanted: str, model: PlacedModel) -> bool:
    return wanted in model.info.key.casefold() or wanted in model.place.casefold()
