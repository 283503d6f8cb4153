"""Stand-ins for models that lie on the Hub: files of the right length with the right header and nothing else.

llama.cpp lays a model out without looking at its weights, so a file with holes where they would be answers every
question about memory just as the real one will after the download: the same reader, the same probe, the same figures.
"""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from tui.domain import ModelInfo, ModelUnusable, StorageFailed
from tui.models.describe import describe, read
from tui.models.gguf import read_header
from tui.models.gguf_bytes import HeaderBytes
from tui.models.hub.connection import HubConnection
from tui.models.hub.header_walk import Donor, walk
from tui.models.hub.placing import places_of
from tui.models.hub.records import HubFile, Variant
from tui.models.hub.remote_bytes import RemoteBytes
from tui.models.scan import set_around

_WINDOW: Final = 64 * 1024
"""Bytes that are read at once, as each of them comes over the network."""
_MOST_REPOSITORIES: Final = 12
"""How many repositories' headers are kept, some megabytes each."""
_DONOR_ALIGNMENT: Final = 4096
"""Bytes that may follow the last tensor: no converter pads more."""


class StandIns:
    """Makes stand-ins in a folder of the cache, and keeps those of the repositories that were looked at last."""

    def __init__(self, connection: HubConnection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self._lock = threading.Lock()
        self._donors: dict[str, Donor] = {}

    def make(self, repository: str, revision: str, variant: Variant) -> ModelInfo:
        """The model as the catalogue would show it; one at a time. Blocks.

        Raises HubFailed, ModelUnusable or StorageFailed.
        """
        with self._lock:
            places = [(file, self._folder / revision[:16] / place) for file, place in places_of(repository, variant)]
            home = self._folder / revision[:16]
            try:
                home.mkdir(parents=True, exist_ok=True)
                os.utime(home)
                self._forget_old()
                for file, place in places:
                    self._ensure(place, repository, revision, file)
            except OSError as refused:
                raise StorageFailed(
                    f"The header of {variant.name} cannot be kept in {home}: {refused.strerror or refused}.",
                    "Make room on that disk, or let LMDECK_HOME name another one.",
                ) from refused
            return _described(next(place for file, place in places if file is variant.files[0]), variant)

    def _ensure(self, target: Path, repository: str, revision: str, file: HubFile) -> None:
        if target.exists():
            return
        donor = self._donors.get(repository)
        unfinished = target.with_name(f"{target.name}.part")
        try:
            try:
                found = self._write(unfinished, repository, revision, file, donor)
            except ModelUnusable:
                if donor is None:
                    raise
                # It may have been borrowed wrongly; read by itself it tells the truth.
                found = self._write(unfinished, repository, revision, file, None)
            unfinished.replace(target)
        finally:
            with suppress(OSError):
                unfinished.unlink()
        if found.arrays:
            self._donors[repository] = Donor(target, found.arrays)

    def _write(self, path: Path, repository: str, revision: str, file: HubFile, donor: Donor | None) -> Donor:
        def fetch(start: int, stop: int) -> bytes:
            return self._connection.run(self._connection.piece(repository, revision, file.path, start, stop))

        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w+b") as copy:
            remote = RemoteBytes(copy, file.size, fetch)
            arrays = walk(HeaderBytes(remote, file.size, window=_WINDOW), remote, donor)
            copy.truncate(file.size)
        if donor is not None:
            _check_end(path, file.size)
        return Donor(path, arrays)

    def _forget_old(self) -> None:
        known = sorted(self._folder.iterdir(), key=lambda entry: entry.stat().st_mtime, reverse=True)
        for old in known[_MOST_REPOSITORIES:]:
            shutil.rmtree(old, ignore_errors=True)


def _described(path: Path, variant: Variant) -> ModelInfo:
    files = set_around(path)
    info = describe(files, {file: read(file.path) for file in files.parts.values()})
    if info is None:
        raise ModelUnusable(f"{variant.name} is no language model.", "Choose another file.")
    if not info.usable:
        raise ModelUnusable(f"{variant.name} could not be used. {info.problem}")
    return info


def _check_end(path: Path, size: int) -> None:
    """Raise ModelUnusable unless the tensors end where the file does, as they do in every file that is read rightly."""
    header = read_header(path)
    end = max((tensor.offset + tensor.size for tensor in header.tensors), default=size)
    if size - end > _DONOR_ALIGNMENT:
        raise ModelUnusable("Its tensors do not fill the file.", "Choose another file.")
