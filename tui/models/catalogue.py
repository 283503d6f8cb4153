"""The catalogue: every model below the model folders and elsewhere, usable or with the reason why not."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from tui.domain import ModelInfo, ModelNotFound, ModelUnusable, StorageFailed
from tui.models.describe import Abilities, describe, read
from tui.models.gguf_bytes import printable
from tui.models.naming import PlacedModel, matching, matching_exactly, nearest_keys
from tui.models.scan import SUFFIX, set_around
from tui.models.scanner import Found, Scanner
from tui.models.stores import OWN, Source
from tui.models.unnamed import built_in_last
from tui.models.variants import ModelEntry, choose, entries, split_name


class Elsewhere(Protocol):
    """Models that are no files of this machine."""

    def models(self) -> Sequence[ModelInfo]:
        """Those that are known of now, without waiting."""

    def find(self, name: str) -> ModelInfo | None:
        """The one that a name means; `None` where it can mean none of these."""


@dataclass(frozen=True, slots=True)
class SoFar:
    """What a catalogue knows while it is still reading."""

    models: tuple[ModelInfo, ...]
    read: int = 0
    files: int = 0
    """How many files there are; as many as are read when it is done, and 0 before it has listed them."""
    done: bool = False


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source, and what was found there."""

    source: Source
    models: int
    problem: str = ""
    """Why it cannot be looked into; empty where it can, or is not there."""


class Catalogue:
    """The models in some places, which need not exist, and those that are elsewhere.

    It may be used from several threads. Only headers of new and changed files are read, so `refresh` can be called
    every few seconds; a first look at hundreds of unknown files takes some seconds, and `so_far` tells meanwhile.
    """

    def __init__(
        self,
        sources: Sequence[Source | Path],
        elsewhere: Elsewhere | None = None,
        *,
        index: Path | None = None,
        probe: Callable[[str], Abilities] | None = None,
        last_used: Callable[[ModelInfo], float] = lambda _: 0.0,
        hidden: Callable[[ModelInfo], bool] = lambda _: False,
    ) -> None:
        """A source that is only a path is a folder of ours; names are given in the order of the sources.

        `index` is the file that remembers headers between runs, `probe` finds out what a chat template can do, and
        `last_used` tells when a model was used, which decides between the variants of a model. What is `hidden` is not
        listed, and found all the same.
        """
        self._elsewhere = elsewhere
        made = [Source(OWN, source) if isinstance(source, Path) else source for source in sources]
        self._sources = tuple(replace(source, folder=Path(os.path.abspath(source.folder))) for source in made)
        self._last_used = last_used
        self._hidden = hidden
        self._refreshing = threading.Lock()
        self._scanner = Scanner(self._sources, index, probe, last_used)
        self._found: Found = []
        self._placed: tuple[PlacedModel, ...] | None = None
        self._abilities_found = False
        self._so_far = SoFar(())

    def models(self, *, abilities: bool = True) -> tuple[ModelInfo, ...]:
        """All models as of the last refresh, by key. The first call looks at the disk itself.

        Models elsewhere come behind them, as far as they are known; where that fails (StorageFailed), there are none.
        Who does not ask for `abilities` does not wait for them either, see `refresh`.
        """
        here = self._listed(model.info for model in self._models(abilities=abilities))
        try:
            return (*here, *self._elsewhere.models()) if self._elsewhere is not None else here
        except StorageFailed:
            return here

    def entries(self) -> list[ModelEntry]:
        """The models of this machine as of the last refresh, with the variants of each under one entry, by key."""
        return entries(self._listed(model.info for model in self._models(abilities=True)), self._last_used)

    def so_far(self) -> SoFar:
        """The models of this machine that are known now. Never waits."""
        return replace(self._so_far, models=self._listed(self._so_far.models))

    def sources(self) -> list[SourceState]:
        """The places that were looked into at the last refresh, and how many models each of them has."""
        placed = self._models()
        return [
            SourceState(source, sum(model.rank == rank and not model.info.base for model in placed), findings.problem)
            for rank, source, findings in self._found
        ]

    def refresh(self, *, abilities: bool = True) -> bool:
        """Look at the disk again; whether anything is different now. Blocks for as long as reading takes.

        Without `abilities` it does not wait for what new chat templates can do (`ModelInfo.tools`, `thinks`), which is
        found by trying them: a model can be found and loaded before that.
        """
        with self._refreshing:
            found = self._scanner.look()
            changed = self._placed is None or found != self._found
            if changed:
                self._abilities_found = False
                for known, files in self._scanner.read(found):
                    if self._placed is None:
                        infos = tuple(model.info for model in self._scanner.describe(found))
                        self._so_far = SoFar(infos, known, files)
            if abilities and not self._abilities_found:
                changed = self._scanner.find_abilities() or changed
                self._abilities_found = True
            if not changed:
                return False
            self._scanner.save()
            before, self._placed = self._placed, tuple(self._scanner.describe(found))
            self._found = found
            infos = tuple(model.info for model in self._placed)
            self._so_far = SoFar(infos, len(infos), len(infos), done=True)
            return (before or ()) != self._placed

    def close(self) -> None:
        """End a look that is still going on, keeping what was read. The catalogue can be asked nonetheless."""
        self._scanner.stop()

    def find(self, name: str) -> ModelInfo:
        """The model that a person means by a key, a path, a file name, `publisher/repository`, or part of a key.

        Of several variants of one model it is the one that was used last, else a usual one; of several copies the one
        of the first source. Raises ModelNotFound, with the nearest names, where none or several fit; ModelUnusable
        where the one that fits has a problem; StorageFailed where it may mean a model elsewhere and that cannot be
        known.
        """
        distant = self._elsewhere.find(name) if self._elsewhere is not None else None
        if distant is not None:
            return distant
        found = self._matching(name)
        if not found:
            # Not only when this refresh sees a change: another thread may just have seen it.
            self.refresh(abilities=False)
            found = self._matching(name)
        if len(found) > 1:
            # A damaged copy beside a whole one is not what anybody means.
            found = self._meant([model for model in found if model.info.usable] or found)
        if len(found) != 1:
            raise self._not_found(name, found)
        info = found[0].info
        if not info.usable:
            raise ModelUnusable(f"{info.key} cannot be used. {info.problem}")
        return info

    def named(self, name: str) -> tuple[ModelInfo, ...]:
        """The models of this machine whose whole name, file or place is meant, usable or not."""
        path = os.path.abspath(os.path.expanduser(name)) if name else ""
        found = matching_exactly(name, self._models())
        if not found and os.path.isfile(path):
            found = [model for model in self._models() if any(_same_file(file, path) for file in model.info.files)]
        return tuple(model.info for model in found)

    def _listed(self, models: Iterable[ModelInfo]) -> tuple[ModelInfo, ...]:
        """The models that are not hidden, those that are built in last."""
        return tuple(sorted((model for model in models if not self._hidden(model)), key=built_in_last))

    def _models(self, *, abilities: bool = False) -> tuple[PlacedModel, ...]:
        if self._placed is None or (abilities and not self._abilities_found):
            self.refresh(abilities=abilities)
        return self._placed or ()

    def _matching(self, name: str) -> list[PlacedModel]:
        models = self._models()
        path = os.path.abspath(os.path.expanduser(name)) if name else ""
        if not os.path.isfile(path):
            # What is built in is meant where it is called by its key, or where nothing else can be.
            wanted = name.strip().casefold()
            others = [model for model in models if not model.info.builtin or model.info.key == wanted]
            return matching(name, others) or matching(name, models)
        known = [model for model in models if any(_same_file(file, path) for file in model.info.files)]
        if known:
            # Two names of one store may share a file, and a virtual model has that of another one.
            return [min(known, key=lambda model: bool(model.info.base))]
        return self._outside(Path(path)) if path.lower().endswith(SUFFIX) else matching(name, models)

    def _meant(self, found: list[PlacedModel]) -> list[PlacedModel]:
        """One of several models where they are copies or variants of the same one."""
        if len({split_name(model)[0] for model in found}) == 1:
            first = min(model.rank for model in found)
            found = [model for model in found if model.rank == first]
        if found[0].info.family and len({model.info.family for model in found}) == 1:
            chosen = choose([model.info for model in found], self._last_used)
            found = [model for model in found if model.info is chosen]
        return found

    def _outside(self, path: Path) -> list[PlacedModel]:
        """The model in a file that lies in none of the sources. Its key is its path, which clashes with no other."""
        files = set_around(path)
        info = describe(files, {file: read(file.path) for file in files.parts.values()})
        return [PlacedModel(info, files.place).with_key(printable(str(path), 1000))] if info else []

    def _not_found(self, name: str, found: Sequence[PlacedModel]) -> ModelNotFound:
        shown = repr(printable(name, 80))
        if found:
            return ModelNotFound(f"{shown} fits several models: {_listed(found)}.", "Write more of the name.")
        models = self._models()
        if not models:
            folders = ", ".join(str(source.folder) for source in self._sources if source.ours)
            return ModelNotFound(f"There is no model {shown}, and no other.", f"Put a GGUF file into {folders}.")
        usable = [model for model in models if model.info.usable]
        near = nearest_keys(name, usable) or nearest_keys(name, models)
        advice = f"Nearest names: {', '.join(near)}." if near else f"There are: {_listed(usable or models)}."
        return ModelNotFound(f"There is no model {shown}.", advice)


def _same_file(one: Path, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _listed(models: Sequence[PlacedModel], most: int = 5) -> str:
    keys = [model.info.key for model in models]
    more = f" and {len(keys) - most} more" if len(keys) > most else ""
    return ", ".join(keys[:most]) + more
