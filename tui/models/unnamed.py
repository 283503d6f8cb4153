"""Which model somebody can mean who names none, and the order in which models stand before a person."""

from __future__ import annotations

from collections.abc import Collection

from tui.domain import ModelInfo


def unnamed_choice(models: Collection[ModelInfo], *, embeds: bool = False) -> list[ModelInfo]:
    """The models that can be meant: the person's own, or else what is built in.

    `embeds` asks for models that make vectors instead of answers.
    """
    fitting = [model for model in models if model.usable and model.embeds == embeds]
    return [model for model in fitting if not model.builtin] or fitting


def built_in_last(model: ModelInfo) -> tuple[bool, bool]:
    """Sorts what is built in behind everything else, and of that what answers first."""
    return model.builtin, model.builtin and model.embeds
