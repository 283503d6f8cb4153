"""Finds the models on which virtual ones stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tui.domain import ModelInfo
from tui.models.naming import PlacedModel, free_name, matching_exactly
from tui.models.recipes import Recipe, apply, without_base
from tui.models.variants import choose

_DEEPEST = 4
"""Virtual models that stand on each other."""


def virtual_models(
    recipes: Sequence[tuple[Recipe, Path, str]],
    models: Sequence[PlacedModel],
    last_used: Callable[[ModelInfo], float],
) -> list[PlacedModel]:
    """The virtual models that recipes make of the models on disk; each recipe comes with its file and source.

    The first base that is here and can be used counts. A recipe without one is an entry with the reason.
    """
    taken = {model.info.key for model in models}
    found: list[PlacedModel] = []
    waiting = list(recipes)
    for _ in range(_DEEPEST):
        left = []
        for recipe, path, source in waiting:
            base = None if recipe.problem else _base(recipe, [*models, *found], last_used)
            if base is None:
                left.append((recipe, path, source))
                continue
            info = apply(recipe, base, path, source)
            key = free_name(info.key, taken)
            found.append(PlacedModel(info, recipe.key).with_key(key))
        if len(left) == len(waiting):
            break
        waiting = left
    for recipe, path, source in waiting:
        info = without_base(recipe, path, source)
        found.append(PlacedModel(info, recipe.key).with_key(free_name(info.key, taken)))
    return found


def _base(recipe: Recipe, models: Sequence[PlacedModel], last_used: Callable[[ModelInfo], float]) -> ModelInfo | None:
    for names in recipe.bases:
        for name in names:
            fitting = [model.info for model in matching_exactly(name, models) if model.info.usable]
            if fitting:
                return choose(fitting, last_used)
    return None
