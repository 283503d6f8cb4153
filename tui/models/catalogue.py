"""The catalogue: every model below the model folders and elsewhere, usable or with the reason why not."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tui.domain import ModelInfo, ModelNotFound, ModelUnusable, StorageFailed
from tui.models.describe import Reading, describe, read
from tui.models.gguf_bytes import printable
from tui.models.naming import PlacedModel, is_key, matching, nearest_keys, with_unique_keys
from tui.models.scan import SUFFIX, FileSet, FoundFile, find_files, group, set_around
from tui.models.shipped import BuiltIn, shipped_files, shipped_models, without_hidden


class Elsewhere(Protocol):
    """Models that are no files of this machine."""

    def models(self) -> Sequence[ModelInfo]:
        """Those that are known of now, without waiting."""

    def find(self, name: str) -> ModelInfo | None:
        """The one that a name means; `None` where it can mean none of these."""


class Catalogue:
    """The models below some folders, which need not exist, those that are elsewhere, and those that are built in.

    It may be used from several threads. Only headers of new and changed files are read, so `refresh` can be called
    every few seconds.
    """

    def __init__(
        self, folders: Sequence[Path], elsewhere: Elsewhere | None = None, built_in: BuiltIn | None = None
    ) -> None:
        self._elsewhere = elsewhere
        self._built_in = built_in
        self._folders = tuple(Path(os.path.abspath(folder)) for folder in folders)
        self._refreshing = threading.Lock()
        self._readings: dict[FoundFile, Reading] = {}
        self._placed: tuple[PlacedModel, ...] | None = None

    def models(self) -> tuple[ModelInfo, ...]:
        """All models as of the last refresh, by key, built-in ones last. The first call looks at the folders itself.

        Models elsewhere come behind them, as far as they are known; where that fails (StorageFailed), there are none.
        """
        here = without_hidden(self._models(), self._built_in)
        try:
            return (*here, *self._elsewhere.models()) if self._elsewhere is not None else here
        except StorageFailed:
            return here

    def refresh(self) -> bool:
        """Look at the folders again; whether anything is different now."""
        with self._refreshing:
            found, shipped = find_files(self._folders), shipped_files(self._built_in)
            files = {*found, *(file for files in shipped.values() for file in files.parts.values())}
            if self._placed is not None and self._readings.keys() == files:
                return False
            # Readings are replaced, not changed, because another thread may use the old ones.
            self._readings = {file: self._readings.get(file) or read(file.path) for file in files}
            placed = (_place(parts, self._readings) for parts in group(found))
            named = with_unique_keys([model for model in placed if model])
            named += shipped_models(shipped, self._readings, {model.info.key for model in named})
            before = self._placed
            self._placed = tuple(sorted(named, key=_order))
            return (before or ()) != self._placed

    def find(self, name: str) -> ModelInfo:
        """The model that a person means by a key, a path, a file name, `publisher/repository`, or part of a key.

        Raises ModelNotFound, with the nearest names, where none or several fit; ModelUnusable where the one that
        fits has a problem; StorageFailed where it may mean a model elsewhere and that cannot be known.
        """
        distant = self._elsewhere.find(name) if self._elsewhere is not None else None
        if distant is not None:
            return distant
        found = self._matching(name)
        if not found:
            # Not only when this refresh sees a change: another thread may just have seen it.
            self.refresh()
            found = self._matching(name)
        if len(found) > 1:
            # A damaged copy beside a whole one is not what anybody means.
            found = [model for model in found if model.info.usable] or found
        if len(found) != 1:
            raise self._not_found(name, found)
        info = found[0].info
        if not info.usable:
            raise ModelUnusable(f"{info.key} cannot be used. {info.problem}")
        return info

    def _models(self) -> tuple[PlacedModel, ...]:
        if self._placed is None:
            self.refresh()
        return self._placed or ()

    def _matching(self, name: str) -> list[PlacedModel]:
        models = self._models()
        path = os.path.abspath(os.path.expanduser(name)) if name else ""
        if not os.path.isfile(path):
            # What is built in is meant where it is called by its key, or where nothing else can be.
            others = [model for model in models if not model.info.builtin or is_key(name, model)]
            return matching(name, others) or matching(name, models)
        known = [model for model in models if any(_same_file(file, path) for file in model.info.files)]
        if known or not path.lower().endswith(SUFFIX):
            return known or matching(name, models)
        return self._outside(Path(path))

    def _outside(self, path: Path) -> list[PlacedModel]:
        """The model in a file that lies in none of the folders. Its key is its path, which clashes with no other."""
        files = set_around(path)
        model = _place(files, {file: read(file.path) for file in files.parts.values()})
        return [model.with_key(printable(str(path), 1000))] if model else []

    def _not_found(self, name: str, found: Sequence[PlacedModel]) -> ModelNotFound:
        shown = repr(printable(name, 80))
        if found:
            return ModelNotFound(f"{shown} fits several models: {_listed(found)}.", "Write more of the name.")
        models = self._models()
        if not models:
            folders = ", ".join(str(folder) for folder in self._folders)
            return ModelNotFound(f"There is no model {shown}, and no other.", f"Put a GGUF file into {folders}.")
        near = nearest_keys(name, models)
        advice = f"Nearest names: {', '.join(near)}." if near else f"There are: {_listed(models)}."
        return ModelNotFound(f"There is no model {shown}.", advice)


def _place(files: FileSet, readings: dict[FoundFile, Reading]) -> PlacedModel | None:
    info = describe(files, readings)
    return PlacedModel(info, files.place) if info else None


def _order(model: PlacedModel) -> tuple[bool, bool, str]:
    """By key; what is built in comes last, and of that what answers first."""
    return model.info.builtin, model.info.builtin and model.info.embeds, model.info.key


def _same_file(one: Path, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _listed(models: Sequence[PlacedModel], most: int = 5) -> str:
    keys = [model.info.key for model in models]
    more = f" and {len(keys) - most} more" if len(keys) > most else ""
    return ", ".join(keys[:most]) + more
