"""Looks into all sources, reads the headers that are not known yet, and describes the models."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from tui.domain import ModelInfo
from tui.models.describe import Abilities, Reading, describe, read, reads_images
from tui.models.gguf_bytes import KnownTexts
from tui.models.index import Index
from tui.models.naming import PlacedModel, with_unique_keys
from tui.models.recipes import Recipe, read_recipe
from tui.models.scan import FileSet, Findings, FoundFile, Seen
from tui.models.stores import Source
from tui.models.variants import split_name, with_families
from tui.models.virtual import virtual_models

Found = list[tuple[int, Source, Findings]]
"""What there is in each source, with the rank of the source."""

_SHOW_EVERY: Final = 0.2
"""Seconds of reading between two partial results."""
_SAVE_EVERY: Final = 10.0
"""Seconds of reading after which the index is saved, so that a start that is cut short was not in vain."""


class Scanner:
    """Keeps what was read, so that only new and changed files cost anything. One thread at a time may use it."""

    def __init__(
        self,
        sources: Sequence[Source],
        index: Path | None = None,
        probe: Callable[[str], Abilities] | None = None,
        last_used: Callable[[ModelInfo], float] = lambda _: 0.0,
    ) -> None:
        """`index` is where descriptions are kept between runs; `probe` finds out what a chat template can do."""
        self._sources = [(_rank(source, sources), source) for source in sources]
        self._index_path = index
        self._index: Index | None = None
        self._probe = probe
        self._last_used = last_used
        self._readings: dict[FoundFile, Reading] = {}
        self._abilities: dict[str, Abilities] = {}
        self._recipes: dict[FoundFile, Recipe] = {}
        self._texts = KnownTexts()
        self._unsaved = False
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End reading at the next file; from any thread."""
        self._stopping.set()

    def look(self) -> Found:
        """List the files of all sources. Reads no headers."""
        seen: Seen = set()
        return [(rank, source, source.find(source.folder, seen)) for rank, source in self._sources]

    def read(self, found: Found) -> Iterator[tuple[int, int]]:
        """Read what is not known yet, stopping now and then to say how many files of how many are."""
        files = {file for _, _, findings in found for files in findings.sets for file in files.parts.values()}
        index = self._open_index()
        # Readings are replaced, not changed, because descriptions may be made from the old ones meanwhile.
        readings: dict[FoundFile, Reading] = {}
        for file in files:
            known = self._readings.get(file) or (index.reading(file) if index is not None else None)
            if known is not None:
                readings[file] = known
        self._readings = readings
        self._recipes = {
            file: self._recipes.get(file) or read_recipe(file.path)
            for _, _, findings in found
            for file in findings.recipes
        }
        unread = [file for _, _, findings in found for files in findings.sets for file in files.parts.values()]
        unread = [file for file in dict.fromkeys(unread) if file not in readings]
        shown = saved = time.monotonic()
        if unread:
            yield len(readings), len(files)
        for file in unread:
            if self._stopping.is_set():
                break
            readings[file] = read(file.path, self._texts)
            now = time.monotonic()
            if now - shown >= _SHOW_EVERY:
                yield len(readings), len(files)
                # Describing all models takes a while, too.
                shown = time.monotonic()
            self._unsaved = True
            if now - saved >= _SAVE_EVERY:
                self.save()
                saved = time.monotonic()

    def describe(self, found: Found) -> list[PlacedModel]:
        """The models that are read, with their names, by key."""
        placed: list[PlacedModel] = []
        for rank, source, findings in found:
            known = [files for files in findings.sets if all(file in self._readings for file in files.parts.values())]
            placed += self._placed(known, rank, source.name)
        named = with_families(with_unique_keys(placed))
        recipes = [
            (self._recipes[file], file.path, source.name)
            for _, source, findings in found
            for file in findings.recipes
            if file in self._recipes
        ]
        named += virtual_models(recipes, named, self._last_used)
        return sorted(named, key=lambda model: model.info.key)

    def _placed(self, sets: Sequence[FileSet], rank: int, source: str) -> Iterator[PlacedModel]:
        projectors: dict[str, list[Path]] = {}
        models: list[PlacedModel] = []
        for files in sets:
            if reads_images(files, self._readings):
                # A damaged one is none.
                if any(self._readings[file].header for file in files.parts.values()):
                    projectors.setdefault(files.home, []).append(next(iter(files.parts.values())).path)
                continue
            info = describe(files, self._readings, self._abilities, source)
            if info is not None:
                models.append(PlacedModel(info, files.place, rank, files.home))
        families: dict[str, set[str]] = {}
        for model in models:
            families.setdefault(model.home, set()).add(split_name(model)[0])
        for model in models:
            beside = projectors.get(model.home, [])
            alone = len(families[model.home]) == 1
            sees = any(alone or _is_named_after(path, split_name(model)[0]) for path in beside)
            info = replace(model.info, projectors=tuple(beside), sees=sees and not model.info.embeds)
            yield replace(model, info=info)

    def find_abilities(self) -> bool:
        """Find out what each template can do, once; whether any was new. The first costs a fifth of a second."""
        if self._probe is None:
            return False
        templates = {reading.header.chat_template for reading in self._readings.values() if reading.header is not None}
        new = templates - self._abilities.keys() - {""}
        for template in new:
            if self._stopping.is_set():
                break
            self._abilities[template] = self._probe(template)
            self._unsaved = True
        return bool(new)

    def save(self) -> None:
        """Keep what is known for the next run, if anything is new."""
        if self._index is not None and self._unsaved:
            self._index.save(self._readings, self._abilities)
            self._unsaved = False

    def _open_index(self) -> Index | None:
        if self._index is None and self._index_path is not None:
            self._index = Index(self._index_path)
            self._abilities |= self._index.abilities()
        return self._index


def _rank(source: Source, sources: Sequence[Source]) -> int:
    """The position of the first source of the same program."""
    return next(index for index, other in enumerate(sources) if other.name == source.name)


def _is_named_after(projector: Path, family: str) -> bool:
    """Whether a projector's name tells that it is for these models, where models of several kinds lie together."""
    rest = projector.stem.lower().replace("mmproj", "").strip("-_. ")
    if family and family in rest:
        return True
    return len(rest) > 3 and rest.startswith(family[: max(6, len(family) // 2)])
