"""Models that differ only in how they were quantised: which belong together, and which one a common name means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tui.domain import ModelInfo
from tui.models.naming import PlacedModel, free_name

_QUANTISED: Final = re.compile(
    r"(?P<family>.+?)[-._@](?P<variant>(?:ud-)?(?:i?q\d(?:_[a-z0-9]+)*|bf16|f16|f32|fp16|fp32|mxfp4\w*|nvfp4|tq\d_\d))",
    re.IGNORECASE,
)
"""How publishers write the quantisation at the end of a file name: `-Q4_K_M`, `.IQ2_XXS`, `-UD-Q4_K_XL`."""
_USUAL: Final = "Q4_K_M"
_FEWEST_BITS: Final = 4.0


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One or more variants of a model, which share a name."""

    key: str
    variants: tuple[ModelInfo, ...]
    """The smallest first."""
    selected: ModelInfo
    """The one that the common name means."""


def with_families(models: Sequence[PlacedModel]) -> list[PlacedModel]:
    """The models with the names that they share with their variants, and what tells them from these.

    Variants are models of one source and repository whose file names differ only in the quantisation at their end.
    Shared names are unique; those of lower ranks come first.
    """
    groups: dict[tuple[int, str, str], list[int]] = {}
    for index, model in enumerate(models):
        family, _ = split_name(model)
        groups.setdefault((model.rank, model.home, family), []).append(index)
    named = list(models)
    taken: set[str] = set()
    for (_, _, family), positions in sorted(groups.items(), key=lambda item: item[0][0]):
        first = models[positions[0]].info
        longer = f"{first.publisher.lower()}/{family}" if first.publisher else family
        name = free_name(family if family not in taken else longer, taken)
        for index in positions:
            info = replace(models[index].info, family=name, variant=split_name(models[index])[1])
            named[index] = replace(models[index], info=info)
    return named


def split_name(model: PlacedModel) -> tuple[str, str]:
    """The part of a model's name that its variants share, and the rest; the latter is empty where it has none."""
    if model.info.base or (model.info.store_name and ":" in model.info.store_name):
        return model.info.key, ""
    stem = "-".join(model.place.rpartition("/")[2].lower().split())
    match = _QUANTISED.fullmatch(stem)
    if match is None:
        return stem, model.info.quantization.lower()
    return match["family"], match["variant"]


def entries(models: Iterable[ModelInfo], last_used: Callable[[ModelInfo], float]) -> list[ModelEntry]:
    """The models with their variants under one entry, in the order of their first variants."""
    groups: dict[str, list[ModelInfo]] = {}
    for model in models:
        groups.setdefault(model.family or model.key, []).append(model)
    found = []
    for name, variants in groups.items():
        variants.sort(key=lambda model: (model.size, model.key))
        # What has no variants goes by its own name, which is that of its file.
        key = name if len(variants) > 1 else variants[0].key
        found.append(ModelEntry(key, tuple(variants), choose(variants, last_used)))
    return found


def choose(variants: Sequence[ModelInfo], last_used: Callable[[ModelInfo], float]) -> ModelInfo:
    """The variant that is meant where only the common name is said.

    It is the one that was used last, else the usual Q4_K_M, else the smallest with at least four bits for each
    weight, else the largest; one that cannot be used only where there is no other.
    """
    possible = [model for model in variants if model.usable] or list(variants)
    used = max(possible, key=last_used)
    if last_used(used) > 0:
        return used
    usual = [model for model in possible if model.quantization == _USUAL]
    good = [model for model in possible if model.parameters and model.size * 8 / model.parameters >= _FEWEST_BITS]
    if usual or good:
        return min(usual or good, key=lambda model: model.size)
    return max(possible, key=lambda model: model.size)
