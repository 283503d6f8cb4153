"""The models that came with the program, as the catalogue lists them: behind everything that is the person's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tui.domain import ModelInfo
from tui.models.describe import Reading, describe
from tui.models.naming import PlacedModel
from tui.models.scan import FileSet, FoundFile, set_around


class BuiltIn(Protocol):
    """Models that came with the program."""

    def files(self) -> Mapping[str, Path]:
        """Their files by the keys of the models."""

    def shown(self) -> bool:
        """Whether they are listed; they can be found by their keys all the same."""


def shipped_files(built_in: BuiltIn | None) -> dict[str, FileSet]:
    """Their files as the folders' files are found, by the keys of the models."""
    return {key: set_around(path) for key, path in built_in.files().items()} if built_in is not None else {}


def shipped_models(
    shipped: Mapping[str, FileSet], readings: dict[FoundFile, Reading], taken: Collection[str]
) -> list[PlacedModel]:
    """Their models, but for those whose key a file of the person's has."""
    models = []
    for key, files in shipped.items():
        info = describe(files, readings) if files.parts else None
        if info is not None and key not in taken:
            models.append(PlacedModel(replace(info, key=key, builtin=True), key))
    return models


def without_hidden(models: Collection[PlacedModel], built_in: BuiltIn | None) -> tuple[ModelInfo, ...]:
    """The models that are listed."""
    hidden = built_in is not None and not built_in.shown()
    return tuple(model.info for model in models if not (hidden and model.info.builtin))


def unnamed_choice(models: Collection[ModelInfo], *, embeds: bool = False) -> list[ModelInfo]:
    """The models that somebody can mean who names none: those of their own, or else what is built in.

    `embeds` asks for models that make vectors instead of answers.
    """
    fitting = [model for model in models if model.usable and model.embeds == embeds]
    return [model for model in fitting if not model.builtin] or fitting
